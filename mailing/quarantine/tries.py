"""The tries of a loop's inputs: one that fails is counted, and after its last try passed over; the others go on.

A failure of the database itself is not an input's fault and does not count: it is raised. Where an input may kill its
process (memory, a fault of a library), the try is counted before it is made (``before=True``).
"""

import datetime
import logging
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing.quarantine.models import SetAside

logger = logging.getLogger(__name__)

Loop = SetAside.Loop

MOST_TRIES: Final = 3
# So many inputs in a row that a service did not deal with: it is the service's fault, and the run ends.
MANY_IN_A_ROW: Final = 3
# What failed once and was never seen again is forgotten.
FORGOTTEN_AFTER: Final = datetime.timedelta(days=30)
OF_THE_DATABASE: Final = (OperationalError, InterfaceError)


class Tries:
    """The inputs of ``loop`` that failed before, read once for a run over many inputs."""

    def __init__(self, loop: SetAside.Loop, *, most: int = MOST_TRIES) -> None:
        self.loop = loop
        self.most = most
        self.failed_in_a_row = 0
        self.last_reason = ""
        self._known: dict[str, bool] = dict(SetAside.objects.filter(loop=loop).values_list("key", "is_set_aside"))

    def is_set_aside(self, key: object) -> bool:
        """True where the input had its tries."""
        return self._known.get(_short(key), False)

    def set_aside_keys(self) -> list[str]:
        """The keys of all inputs that had their tries."""
        return [key for key, is_set_aside in self._known.items() if is_set_aside]

    def attempt(
        self,
        key: object,
        label: str,
        work: Callable[[], object],
        *,
        lets_through: tuple[type[Exception], ...] = (),
        says: tuple[type[Exception], ...] = (),
        before: bool = False,
    ) -> bool:
        """Do ``work`` for one input; False where it failed, or had its tries.

        Errors of ``lets_through`` and of the database are raised; those of ``says`` are French sentences for people,
        any other one is in the log.
        """
        if self.is_set_aside(key):
            return False
        if before:
            self._known[_short(key)] = count_try(self.loop, key, label, _interrupted(), most=self.most + 1)
            if self._known[_short(key)]:
                return False
        try:
            work()
        except Exception as error:
            if isinstance(error, (*OF_THE_DATABASE, *lets_through)):
                if before:
                    take_back(self.loop, key)
                raise
            self.failed_in_a_row += 1
            self.last_reason = self._reason(error, says)
            is_last = count_try(self.loop, key, label, self.last_reason, most=self.most, again=before)
            self._known[_short(key)] = is_last
            return False
        self.failed_in_a_row = 0
        if _short(key) in self._known:
            forget(self.loop, key)
            del self._known[_short(key)]
        return True

    def _reason(self, error: Exception, says: tuple[type[Exception], ...]) -> str:
        if isinstance(error, says):
            return str(error)
        logger.exception("An input of the loop %s failed", self.loop.value)
        return _("Erreur inattendue (%(kind)s), notée dans le journal du serveur.") % {"kind": type(error).__name__}


def count_try(
    loop: SetAside.Loop, key: object, label: str, reason: str, *, most: int = MOST_TRIES, again: bool = False
) -> bool:
    """Count a try that failed; True where it was the last one and the input is set aside. ``again``: it is counted."""
    now = timezone.now()
    row, _is_new = SetAside.objects.get_or_create(
        loop=loop, key=_short(key), defaults={"label": _plain(label)[:200], "first_at": now}
    )
    if not again:
        SetAside.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
        row.refresh_from_db(fields=["tries"])
    is_last = row.tries >= most
    SetAside.objects.filter(pk=row.pk).update(reason=_plain(reason)[:2000], last_at=now, is_set_aside=is_last)
    return is_last


def count_death(loop: SetAside.Loop, key: object, label: str, *, most: int = MOST_TRIES) -> bool:
    """Count that the process that had an input in hand ended meanwhile; True where that was the last try."""
    return count_try(loop, key, label, _interrupted(), most=most)


def tries_of(loop: SetAside.Loop, key: object) -> int:
    """How many tries of the input were counted."""
    return SetAside.objects.filter(loop=loop, key=_short(key)).values_list("tries", flat=True).first() or 0


def forget(loop: SetAside.Loop, *keys: object) -> None:
    """The input is dealt with, or somebody has it tried again; ``keys`` are all that its tries were counted by."""
    SetAside.objects.filter(loop=loop, key__in=list(map(_short, keys))).delete()


def forget_old(now: datetime.datetime) -> int:
    """Forget failures that were never seen again and set nothing aside; how many."""
    return SetAside.objects.filter(is_set_aside=False, last_at__lt=now - FORGOTTEN_AFTER).delete()[0]


def count_set_aside() -> int:
    """How many inputs wait for somebody."""
    return SetAside.objects.filter(is_set_aside=True).count()


def take_back(loop: SetAside.Loop, key: object) -> None:
    """The try that was counted beforehand is not the input's fault: not counted, if the database can say so."""
    try:
        SetAside.objects.filter(loop=loop, key=_short(key), tries__gt=0).update(tries=F("tries") - 1)
    except OF_THE_DATABASE:
        logger.warning("The try of an input of the loop %s could not be taken back", loop.value)


def _interrupted() -> str:
    return _("Le programme s’est arrêté pendant le traitement de cet élément.")


def _short(key: object) -> str:
    return _plain(str(key))[:200]


def _plain(text: str) -> str:
    """What every database takes: no NUL, no lone surrogate."""
    return text.replace("\0", "").encode(errors="replace").decode()
