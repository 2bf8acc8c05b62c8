"""What somebody sent while the session had ended: kept until the next sign-in, and sent on by one click."""

import datetime
from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest
from django.utils import timezone

SESSION_KEY = "portal.sent_too_late"
KEPT_FOR = datetime.timedelta(hours=1)
MOST_FIELDS = 1000
MOST_CHARACTERS = 30_000
# What must not be in the table of sessions.
SECRET_WORDS = ("password", "present", "again", "secret", "token", "code")


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form as it was sent: its address on this site, and its fields in their order."""

    address: str
    fields: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, request: HttpRequest) -> Self | None:
        """The form that ``request`` carries; None where it cannot be sent again: files, secrets, too much."""
        if request.method != "POST" or request.FILES:
            return None
        fields = tuple(
            (name, str(value))
            for name, values in request.POST.lists()
            if name != "csrfmiddlewaretoken"
            for value in values
        )
        size = sum(len(name) + len(value) for name, value in fields)
        is_secret = any(word in name.lower() for name, _value in fields for word in SECRET_WORDS)
        if is_secret or len(fields) > MOST_FIELDS or size > MOST_CHARACTERS:
            return None
        return cls(request.get_full_path(), fields)


def keep_sent_form(request: HttpRequest) -> None:
    """Keep in the visitor's session what ``request`` carries, or at least which page it was sent to."""
    form = SentForm.of(request)
    request.session[SESSION_KEY] = {
        "address": request.get_full_path(),
        "fields": None if form is None else [list(pair) for pair in form.fields],
        "at": timezone.now().timestamp(),
    }
    if not request.user.is_authenticated:
        request.session.set_expiry(KEPT_FOR)


def take_sent_form(request: HttpRequest) -> tuple[str, SentForm | None]:
    """The address of what was kept, and the form itself where it could be kept; "" and None where nothing is."""
    kept = request.session.pop(SESSION_KEY, None)
    if kept is None or timezone.now().timestamp() - kept["at"] > KEPT_FOR.total_seconds():
        return "", None
    if kept["fields"] is None:
        return kept["address"], None
    return kept["address"], SentForm(kept["address"], tuple((name, value) for name, value in kept["fields"]))


def is_from_this_site(request: HttpRequest) -> bool:
    """True where the browser itself says that the form is on this site (``Origin``, RFC 6454)."""
    return request.headers.get("Origin", "") == f"{request.scheme}://{request.get_host()}"
