"""Any mail that somebody sent us, read with patience: its headers and the texts of its parts, whatever its faults.

Nothing here raises for a malformed mail. Parts that hold mails or reports are kept as text, so that one in base64 or in
an unknown charset is read like the others.
"""

import base64
import email
import email.policy
import html
import re
from dataclasses import dataclass
from email.message import Message as PythonMessage
from email.utils import parseaddr
from typing import Any

from mailing.addresses import parse_address

# What is read of one part: a report is short, and a mail that is huge is no report.
MOST_CHARACTERS = 200_000
MOST_PARTS = 100
MOST_HTML = 30_000
MOST_LINKS = 5

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(=\?[^?\s]{1,40}\?[bBqQ]\?)")
_HIDDEN_HTML = re.compile(r"<(style|script|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_LINE_HTML = re.compile(r"<(?:br|/p|/div|/tr|/h\d|/li)\b[^>]*>", re.IGNORECASE)
_HREF = re.compile(r"""<a\b[^<>]{0,500}?\bhref\s*=\s*["']?(https?://[^\s"'<>]{1,1000})""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")


@dataclass(frozen=True)
class Part:
    """A part that holds no others: its type in small letters, and its text where it has one."""

    content_type: str
    text: str


@dataclass(frozen=True)
class Letter:
    """A mail as it was read: ``headers`` in their order (names in small letters), its type, its parts."""

    headers: tuple[tuple[str, str], ...]
    content_type: str
    parts: tuple[Part, ...]

    def all(self, *names: str) -> list[str]:
        """Every value of the headers ``names``, decoded, on one line."""
        wanted = {name.lower() for name in names}
        return [value for name, value in self.headers if name in wanted]

    def header(self, name: str) -> str:
        """The first header of that name; "" where there is none."""
        return next(iter(self.all(name)), "")

    @property
    def sender(self) -> tuple[str, str]:
        """The name and the address of *From*; both "" where they are unreadable."""
        try:
            return parseaddr(self.header("From"))
        except (ValueError, IndexError, AttributeError):
            return "", ""

    @property
    def answer_address(self) -> str:
        """Where an answer goes: *Reply-To*, else *From*; "" where neither holds an address that takes mail."""
        for value in (self.header("Reply-To"), self.header("From")):
            try:
                return str(parse_address(parseaddr(value)[1]))
            except (ValueError, IndexError, AttributeError):
                continue
        return ""

    @property
    def text(self) -> str:
        """What a person reads: the plain text, else the HTML without its tags."""
        plain = [part.text for part in self.parts if part.content_type == "text/plain"]
        marked_up = [_without_tags(part.text) for part in self.parts if part.content_type == "text/html"]
        return "\n\n".join(text for text in plain if text.strip()) or "\n\n".join(marked_up)

    @property
    def links(self) -> list[str]:
        """The web addresses of the HTML parts, which :attr:`text` leaves out."""
        found = [html.unescape(url) for part in self.parts for url in _HREF.findall(part.text)]
        return list(dict.fromkeys(url for url in found if url not in self.text))[:MOST_LINKS]


class _FlatMessage(PythonMessage):
    """A message whose parts of type message/* are leaves, so that their transfer encoding is undone as for a text."""

    def get_content_type(self) -> str:
        kind = super().get_content_type()
        return f"application/x-{kind.replace('/', '-')}" if kind.startswith("message/") else kind


def read_letter(raw: bytes) -> Letter:
    """``raw`` as a :class:`Letter`; what cannot be read of it is left out."""
    try:
        mail = email.message_from_bytes(raw, _class=_FlatMessage, policy=email.policy.compat32)
    except Exception:  # the parser has its own holes: the headers alone then, by hand
        return _read_by_hand(raw)
    headers = tuple((name.lower(), _value(value)) for name, value in _raw_items(mail))
    parts: list[Part] = []
    waiting: list[Any] = [mail]
    while waiting and len(parts) < MOST_PARTS:
        part = waiting.pop(0)
        if part.is_multipart():
            waiting[:0] = part.get_payload()
        else:
            # A multipart whose boundary does not occur in it holds a text all the same.
            kind = "text/plain" if part.get_content_maintype() == "multipart" else _type_of(part)
            parts.append(Part(kind, _text_of(part)))
    return Letter(headers, _type_of(mail), tuple(parts))


def _read_by_hand(raw: bytes) -> Letter:
    head, _blank, body = _decode(raw, "").replace("\r\n", "\n").partition("\n\n")
    lines = re.sub(r"\n[ \t]+", " ", head).split("\n")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.strip().lower(), _value(value)) for name, colon, value in pairs if colon)
    return Letter(headers, "text/plain", (Part("text/plain", body[:MOST_CHARACTERS]),))


def _raw_items(mail: PythonMessage) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in mail.raw_items()]


def _type_of(part: PythonMessage) -> str:
    kind = part.get_content_type().lower()
    return kind.replace("application/x-message-", "message/", 1)


def _undecoded(part: PythonMessage) -> str:
    try:
        return str(part.get_payload())
    except Exception:  # a charset with a NUL in its name
        return ""


def _text_of(part: PythonMessage) -> str:
    """The text of a leaf, its transfer encoding and its charset undone as far as they can be."""
    kind = _type_of(part)
    if not kind.startswith(("text/", "message/", "multipart/")):
        return ""
    try:
        content = part.get_payload(decode=True)
    except Exception:  # a transfer encoding, or a charset, that Python does not get through
        content = None
    if not isinstance(content, bytes):
        content = _undecoded(part).encode("utf-8", "surrogateescape")
    found = re.search(r"charset\s*=\s*\"?([\w.:-]{1,40})", _value(str(dict(_raw_items(part)).get("Content-Type", ""))))
    return _decode(content[: 4 * MOST_CHARACTERS], found[1] if found else "").replace("\r\n", "\n")[:MOST_CHARACTERS]


def _value(raw: str) -> str:
    """A header as a person reads it: unfolded, its encoded words undone, wrong bytes replaced."""
    text = _decode(raw.encode("utf-8", "surrogateescape"), "") if not raw.isascii() else raw
    text = _ENCODED_WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1\2", " ".join(text.split())))
    return harmless(" ".join(text.split()))


def _word(found: re.Match[str]) -> str:
    charset, kind, text = found.groups()
    try:
        if kind in "bB":
            content = base64.b64decode(text + "=" * (-len(text) % 4))
        else:
            content = re.sub(
                rb"=([0-9A-Fa-f]{2})", lambda code: bytes([int(code[1], 16)]), text.replace("_", " ").encode()
            )
    except ValueError:
        return found[0]
    return _decode(content, charset.partition("*")[0])


def _decode(content: bytes, charset: str) -> str:
    """The text of ``content``: by its charset where that is one, else UTF-8, else Windows-1252 as far as it goes."""
    for name in (charset, "utf-8"):
        if not name or "escape" in name.lower():
            continue
        try:
            return harmless(content.decode(name))
        except (LookupError, ValueError):
            continue
    return harmless(content.decode("cp1252", "replace"))


def harmless(text: str) -> str:
    """``text`` without what no database keeps: NUL, lone surrogates, and control characters other than white space."""
    if text.isprintable():
        return text
    return "".join(char for char in text if char in "\t\n\r" or (ord(char) >= 32 and not 0xD800 <= ord(char) <= 0xDFFF))


def _without_tags(text: str) -> str:
    bare = _TAG.sub(" ", _LINE_HTML.sub("\n", _HIDDEN_HTML.sub(" ", text[:MOST_HTML])))
    return "\n".join(" ".join(line.split()) for line in html.unescape(bare).split("\n"))
