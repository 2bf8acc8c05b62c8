"""Mail addresses: how they are compared, and how they go on the wire."""

from dataclasses import dataclass

from django.utils.encoding import punycode
from django.utils.translation import gettext as _


class InvalidAddressError(ValueError):
    """The text is no mail address; the message says so in French."""


@dataclass(frozen=True)
class Mailbox:
    """A mail address taken apart: ``local`` as written, ``domain`` in ASCII (IDNA)."""

    local: str
    domain: str

    @property
    def needs_smtputf8(self) -> bool:
        """True where the part before the @ holds letters beyond ASCII, which only RFC 6531 can carry."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def normalise_address(address: str) -> str:
    """The form under which two writings of one address are the same: no blanks around, lower case."""
    return address.strip().lower()


def parse_address(address: str) -> Mailbox:
    """``address`` as a :class:`Mailbox`.

    Raises :class:`InvalidAddressError` for anything but exactly one ``local@domain`` (RFC 5321 § 4.1.2, dot-atoms; no
    quoted local parts), line breaks first of all: an address goes into headers and SMTP commands.
    """
    text = address.strip()
    local, at, domain = text.rpartition("@")
    wrong = (
        not at
        or not local
        or not domain
        or len(local.encode()) > 64
        or any(char in '()<>[]:;@\\," ' or ord(char) < 33 or not char.isprintable() for char in local)
        or local.startswith(".")
        or local.endswith(".")
        or ".." in local
    )
    if not wrong:
        try:
            domain = punycode(domain)
        except UnicodeError:
            wrong = True
        labels = domain.split(".")
        wrong = wrong or len(domain) > 253 or not all(_is_label(label) for label in labels)
    if wrong:
        raise InvalidAddressError(_("« %(address)s » n’est pas une adresse électronique.") % {"address": text})
    return Mailbox(local, domain)


def _is_label(label: str) -> bool:
    """One label of a host name: letters, digits and inner hyphens (RFC 1035, RFC 1123)."""
    return (
        0 < len(label) <= 63
        and label.isascii()
        and all(char.isalnum() or char in "-_" for char in label)
        and not label.startswith("-")
        and not label.endswith("-")
    )
