"""What comes back from a platform: acknowledgements of what we submitted, and messages of the life cycle.

Both are read from the platform's list of changed flows, by polling or because a callback said that there is something
new. A message is kept as it came, under the platform's own number for it, and read once.
"""

import datetime
import hashlib
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from invoices.formats.cdar import read_statuses
from invoices.formats.refusals import UnreadableEInvoice
from invoices.models import LifecycleStatus, Platform, PlatformMessage, Submission
from invoices.platforms.answers import take_acknowledgement, take_status
from invoices.platforms.client import AccessError, BusyPlatformError, Flow, PlatformClient, PlatformError
from invoices.platforms.lifecycle import StatusRefusedError, record_message, rejects
from invoices.platforms.submission import pause_platform
from mailing.leases import database_now
from mailing.quarantine.tries import MANY_IN_A_ROW, OF_THE_DATABASE, Loop, Tries

logger = logging.getLogger(__name__)

POLL_EVERY: Final = datetime.timedelta(minutes=1)
# Changes are asked for a little before the last one seen: a platform may list them later than it dates them.
OVERLAP: Final = datetime.timedelta(minutes=2)
FIRST_LOOK_BACK: Final = datetime.timedelta(days=1)
_KEPT_AFTER: Final = 200
# A look each minute: what a platform cannot give for so long, it will not give.
_MOST_TRIES: Final = 10


@dataclass(slots=True)
class Fetched:
    """What a look at a platform brought."""

    statuses: list[LifecycleStatus] = field(default_factory=list)  # the new ones
    answers: int = 0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"statuses": len(self.statuses), "answers": self.answers, "problems": self.problems}


def fetch_from(platform: Platform, *, client: PlatformClient | None = None) -> Fetched:
    """Take what changed at ``platform`` since the last look. What cannot be read is kept with its problem.

    Does not raise where the platform is away: that is a problem of the answer, and the next look begins where this one
    stopped. A flow that cannot be taken stops none of the next ones: later looks begin with it, until it had its tries.
    """
    client = client or PlatformClient(platform)
    fetched = Fetched()
    since = platform.polled_until or _first_look(platform)
    reached = since
    tries = Tries(Loop.STATUS, most=_MOST_TRIES)
    is_held = False
    try:
        for number, flow in enumerate(client.flows_updated_after(since - OVERLAP)):
            key, label = f"{platform.pk}:{flow.flow_id}", f"{platform}, flux {flow.flow_id}"
            is_taken = tries.attempt(
                key,
                label,
                partial(_take, platform, client, flow, fetched),
                lets_through=(BusyPlatformError,),
                says=(PlatformError,),
            )
            if tries.failed_in_a_row >= MANY_IN_A_ROW:
                break
            is_held = is_held or not (is_taken or tries.is_set_aside(key))
            if is_held:
                continue
            reached = max(reached, flow.updated_at or reached)
            if number % _KEPT_AFTER == _KEPT_AFTER - 1:
                Platform.objects.filter(pk=platform.pk).update(polled_until=reached)
    except PlatformError as problem:
        fetched.problems.append(str(problem))
        if isinstance(problem, BusyPlatformError | AccessError):
            pause_platform(platform, problem)
    fetched.problems += [tries.last_reason] if tries.last_reason else []
    Platform.objects.filter(pk=platform.pk).update(
        polled_until=reached, polled_at=database_now(), problem="".join(fetched.problems[-1:])
    )
    return fetched


def fetch_statuses() -> dict[Platform, Fetched]:
    """Take what is new at every platform that something was submitted to; what one of them answers stops no other."""
    found = {}
    for platform in Platform.objects.filter(submissions__isnull=False).distinct():
        try:
            found[platform] = fetch_from(platform)
        except OF_THE_DATABASE:
            raise
        except Exception as error:
            logger.exception("The answer of %s cannot be read", platform)
            problem = _("La réponse de la plateforme n’est pas lisible (%(kind)s).") % {"kind": type(error).__name__}
            found[platform] = Fetched(problems=[problem])
            Platform.objects.filter(pk=platform.pk).update(polled_at=database_now(), problem=problem)
    return found


def is_polling_due() -> bool:
    """True where a platform that something was submitted to was not looked at for a while, and does not rest."""
    now = database_now()
    used = Platform.objects.filter(submissions__sent_at__isnull=False)
    return used.exclude(polled_at__gt=now - POLL_EVERY).exclude(paused_until__gt=now).exists()


def make_polling_due(platform: Platform) -> None:
    """Let the next sweep of a worker ask ``platform``, however lately it was asked."""
    due = database_now() - POLL_EVERY
    Platform.objects.filter(pk=platform.pk, polled_at__gt=due).update(polled_at=due)


def look_again(platform_pk: int) -> None:
    """Have all that a platform ever listed read once more: what was taken already changes nothing."""
    Platform.objects.filter(pk=platform_pk).update(polled_until=None, polled_at=None)


def _first_look(platform: Platform) -> datetime.datetime:
    first = Submission.objects.filter(platform=platform).order_by("created_at").values_list("created_at", flat=True)
    return next(iter(first[:1]), platform.created_at) - FIRST_LOOK_BACK


def _take(platform: Platform, client: PlatformClient, flow: Flow, fetched: Fetched) -> None:
    is_ours = (
        bool(flow.tracking_id) and Submission.objects.filter(platform=platform, tracking_id=flow.tracking_id).exists()
    )
    if is_ours:
        fetched.answers += take_acknowledgement(platform, flow)
    elif flow.syntax == Submission.Syntax.CDAR and flow.flow_id:
        if PlatformMessage.objects.filter(platform=platform, flow_id=flow.flow_id).exists():
            return
        _take_message(platform, flow, client.read_file(flow.flow_id), fetched)


def _take_message(platform: Platform, flow: Flow, content: bytes, fetched: Fetched) -> None:
    """Keep a message and note what it says, in one transaction; one that cannot be read is kept all the same."""
    new: list[LifecycleStatus] = []
    try:
        with transaction.atomic():
            kept = PlatformMessage.objects.create(
                platform=platform, flow_id=flow.flow_id, content=content, sha256=hashlib.sha256(content).hexdigest()
            )
            try:
                with transaction.atomic():
                    new = _note_statuses(platform, kept, content, flow.updated_at)
            except (UnreadableEInvoice, StatusRefusedError) as problem:
                PlatformMessage.objects.filter(pk=kept.pk).update(problem=str(problem))
                fetched.problems.append(str(problem))
    except IntegrityError:  # somebody else took it at this moment
        logger.info("The message %s of %s was taken already", flow.flow_id, platform)
    fetched.statuses += new


def _note_statuses(
    platform: Platform, kept: PlatformMessage, content: bytes, listed_at: datetime.datetime | None
) -> list[LifecycleStatus]:
    new = []
    for message in sorted(read_statuses(content), key=lambda each: each.number):
        status, is_new = record_message(message, platform.name, platform=platform, listed_at=listed_at)
        kept.invoices.add(status.invoice)
        take_status(status.invoice, is_rejection=rejects(status), reason=status.reason)
        if is_new:
            new.append(status)
    return new
