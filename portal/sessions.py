"""Sessions in the database that know their account (``SESSION_ENGINE``), and how they are closed."""

import copy
import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from customers.models import Account
from portal.devices import describe_device
from portal.models import Session

DEVICE, OPENED, SEEN = "device", "opened", "seen"
# Whose second factor this session was opened with, and when its owner last proved who he is.
SECOND_FACTOR, PROVED = "second_factor", "proved"
# Opened because an issuer of identities remembered its owner: that proves nothing of who is there now.
REMEMBERED = "remembered"
# A page turned does not cost a write each time: the last sign of life is true to ten minutes.
SEEN_EVERY = datetime.timedelta(minutes=10)


class SessionStore(DatabaseStore):
    """Django's own store, with the account, the device and the times beside the data.

    Two requests of one browser may change a session at once: each writes the keys that it changed into what the session
    holds by then, where Django's store writes back all that it had read.
    """

    # What the session held when it was read or last written by this request; None where it was neither.
    _held: dict[str, Any] | None = None

    def load(self) -> dict[str, Any]:
        """The data, whose state at this moment is kept to know later what was changed."""
        data: dict[str, Any] = super().load()
        self._held = copy.deepcopy(data)
        return data

    def save(self, must_create: bool = False) -> None:
        """Write what was changed. Raises UpdateError where the session was closed meanwhile."""
        if must_create or self.session_key is None:
            super().save(must_create)
        else:
            with transaction.atomic():
                rows = self.model.objects.select_for_update().filter(session_key=self.session_key)
                mine = dict(self.items())
                if self._held is not None and (row := rows.first()):
                    self._session_cache = _merge(self._held, mine, self.decode(row.session_data))
                super().save()
        self._held = copy.deepcopy(dict(self.items()))

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table of sessions."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row for ``data``: what the list of sessions shows is taken out of it."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        now = timezone.now()
        row.account_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.device = data.get(DEVICE, "")
        row.opened_at = datetime.datetime.fromisoformat(data[OPENED]) if OPENED in data else now
        row.seen_at = datetime.datetime.fromisoformat(data[SEEN]) if SEEN in data else now
        return row


def _merge(held: dict[str, Any], mine: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    """``current`` with what ``mine`` has set, changed or removed of what it ``held``."""
    for key in held.keys() - mine.keys():
        current.pop(key, None)
    return current | {key: value for key, value in mine.items() if key not in held or held[key] != value}


def note_sign_of_life(request: HttpRequest) -> None:
    """Remember that the session of ``request`` is in use, and on which device; at most once in ten minutes."""
    now = timezone.now()
    seen = request.session.get(SEEN)
    if seen is not None and now - datetime.datetime.fromisoformat(seen) < SEEN_EVERY:
        return
    request.session.setdefault(OPENED, now.isoformat())
    request.session[DEVICE] = describe_device(request.headers.get("User-Agent", ""))
    request.session[SEEN] = now.isoformat()


def is_over(request: HttpRequest) -> bool:
    """True where a member of staff signed in longer ago than a working day (``STAFF_SESSION_AGE``)."""
    opened = request.session.get(OPENED)
    if opened is None or not isinstance(request.user, Account) or not request.user.is_staff:
        return False
    age: datetime.timedelta = settings.STAFF_SESSION_AGE
    return timezone.now() - datetime.datetime.fromisoformat(opened) > age


def needs_code(request: HttpRequest) -> bool:
    """True where the account of ``request`` has a second factor that this session was not opened with yet."""
    account = request.user
    is_asked = isinstance(account, Account) and account.second_factor_at is not None
    return is_asked and request.session.get(SECOND_FACTOR) != account.pk


def needs_enrolment(request: HttpRequest) -> bool:
    """True where a member of staff must turn on a second factor before anything else (``STAFF_SECOND_FACTOR``)."""
    account = request.user
    if not isinstance(account, Account) or not account.is_staff or settings.STAFF_SECOND_FACTOR != "required":
        return False
    return account.second_factor_at is None and request.session.get(SECOND_FACTOR) != account.pk


def note_second_factor(request: HttpRequest) -> None:
    """Remember that the owner of this session gave his second factor; the session gets another key."""
    request.session.cycle_key()
    request.session[SECOND_FACTOR] = request.user.pk
    note_proof(request)


def note_proof(request: HttpRequest) -> None:
    """Remember that the owner of this session proved just now who he is."""
    request.session[PROVED] = timezone.now().isoformat()


def is_proved_lately(request: HttpRequest) -> bool:
    """True where the owner of this session signed in, or proved again who he is, within ``PROOF_AGE``."""
    proofs = (PROVED,) if request.session.get(REMEMBERED) else (OPENED, PROVED)
    noted = [request.session[key] for key in proofs if key in request.session]
    age: datetime.timedelta = settings.PROOF_AGE
    return any(timezone.now() - datetime.datetime.fromisoformat(moment) <= age for moment in noted)


def open_sessions(account: Account) -> list[Session]:
    """The sessions of ``account`` that are open now, last used first."""
    return list(Session.objects.filter(account=account, expire_date__gt=timezone.now()).order_by("-seen_at"))


def close_sessions(account: Account, *, keep: str | None = None) -> int:
    """Close the sessions of ``account``, except that of key ``keep``; how many were closed."""
    closed, _rows = Session.objects.filter(account=account).exclude(session_key=keep or "").delete()
    return closed


def close_session(account: Account, number: str) -> bool:
    """Close one session of ``account``, named by :func:`public_number`; False where it has none of that name."""
    for session in open_sessions(account):
        if public_number(session) == number:
            session.delete()
            return True
    return False


def public_number(session: Session) -> str:
    """A name for ``session`` that a page may show: the key itself opens the session, so it is never written out."""
    return salted_hmac("portal.sessions", session.session_key, algorithm="sha256").hexdigest()[:16]
