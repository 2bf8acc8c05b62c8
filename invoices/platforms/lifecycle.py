"""The statuses of the life cycle of an e-invoice: recorded by hand or from CDAR files, shown to staff and customers.

Source: XP Z12-012 of AFNOR: 200 Déposée to 213 Rejetée, 501 Irrecevable.
"""

import datetime
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.files.archives import GivenFile, RefusedFile, expand
from invoices.formats.cdar import StatusMessage, read_statuses
from invoices.formats.refusals import UnreadableEInvoice
from invoices.models import Invoice, LifecycleStatus, Platform
from invoices.money import to_cents
from invoices.platforms.received_amounts import repeats, total_received, why_not_received
from invoices.platforms.story_order import REJECTIONS, settle

logger = logging.getLogger(__name__)
Code = LifecycleStatus.Code

# Messages say no zone: overseas, a platform that writes local time is up to three hours ahead of Paris.
_AHEAD: Final = datetime.timedelta(hours=4)


class StatusRefusedError(ValueError):
    """The status cannot be recorded; the message is a French sentence."""


def record_status(
    *,
    invoice: Invoice,
    code: str,
    at: datetime.datetime | None = None,
    reason: str = "",
    source: str = "",
    author_name: str = "",
    listed_at: datetime.datetime | None = None,
    received: Decimal | None = None,
) -> tuple[LifecycleStatus, bool]:
    """Note that ``invoice`` reached the status ``code`` at that (aware) time, now where none is given.

    ``listed_at``: the platform's own moment of the message, which orders those of the same second. ``received``: what a
    payment brought, in the invoice's currency. What contradicts the other statuses is said in its ``finding``.
    Returns the status and whether it is new: the same code at the same time is recorded once. Raises
    :class:`StatusRefusedError` for an unknown code, a time to come, and a status that needs a reason without one.
    """
    now = timezone.now()
    _check_status(code, at or now, reason, now)
    with transaction.atomic():
        _hold(invoice)
        status, is_new = LifecycleStatus.objects.get_or_create(
            invoice=invoice,
            code=code,
            at=at or now,
            defaults={
                "reason": reason.strip(),
                "source": source[:200],
                "author_name": author_name[:254],
                "listed_at": listed_at,
                "received": received,
                "amount_finding": repeats(invoice, at or now, received),
            },
        )
        is_listed_now = listed_at is not None and status.listed_at is None  # it was read from a file before
        if is_listed_now:
            LifecycleStatus.objects.filter(pk=status.pk).update(listed_at=listed_at)
        if is_new or is_listed_now:
            settle(invoice, is_double=_is_double)
            status.refresh_from_db(fields=["listed_at", "ranked_at", "is_contradicted", "order_finding"])
    return status, is_new


def _check_status(code: str, at: datetime.datetime, reason: str, now: datetime.datetime) -> None:
    """Raise :class:`StatusRefusedError` for what no invoice can reach, whatever its other statuses."""
    if code not in Code.values:
        raise StatusRefusedError(_("Le statut « %(code)s » n’est pas connu.") % {"code": code[:20]})
    if code in LifecycleStatus.NEED_A_REASON and not reason.strip():
        raise StatusRefusedError(_("Le statut « %(label)s » demande un motif.") % {"label": Code(code).label})
    if at > now + _AHEAD:
        raise StatusRefusedError(_("Un statut ne peut pas être daté du %(date)s.") % {"date": f"{at:%d/%m/%Y}"})


def _hold(invoice: Invoice) -> None:
    """One at a time until the end of the transaction: what a status contradicts is said of all that are there."""
    Invoice.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=invoice.pk)


_SAYS_DOUBLE: Final = r"(^|; )DOUBLON([^A-Z_]|$)"
_OF_A_SECOND_DELIVERY: Final = Q(code=Code.REJECTED, reason__iregex=_SAYS_DOUBLE)
"""213 Rejetée with the reason code DOUBLON: the platform has the invoice already, and refuses the second copy only."""

_OF_THE_INVOICE: Final = LifecycleStatus.objects.exclude(_OF_A_SECOND_DELIVERY).filter(is_contradicted=False)

CONTRADICTED: Final = Exists(LifecycleStatus.objects.filter(invoice=OuterRef("pk"), is_contradicted=True))
"""Of invoices: a message contradicts the others, and a person must ask who wrote it."""


WHAT_TO_DO: Final = {
    Code.DISPUTED: gettext_lazy("L’acheteur conteste : répondez-lui, ou corrigez par un avoir."),
    Code.SUSPENDED: gettext_lazy("L’acheteur attend une pièce : envoyez-la-lui, puis saisissez 209 Complétée."),
    Code.REFUSED: gettext_lazy("L’acheteur refuse la facture : annulez-la par un avoir, puis facturez à nouveau."),
    Code.REJECTED: gettext_lazy(
        "La plateforme n’a pas pris la facture : corrigez ce que dit le motif, puis remettez-la."
    ),
    Code.INADMISSIBLE: gettext_lazy(
        "Le fichier n’a pas pu être traité : corrigez ce que dit le motif, puis remettez-le."
    ),
}
"""The statuses that a person must look at, each with what follows from it."""


def rejects(status: LifecycleStatus) -> bool:
    """True where the platform did not take the invoice: 501, and 213 but of a second delivery or of what was taken."""
    return status.code in REJECTIONS and not _is_double(status) and not status.is_contradicted


def _is_double(status: LifecycleStatus) -> bool:
    return status.code == Code.REJECTED and re.search(_SAYS_DOUBLE, status.reason, re.IGNORECASE) is not None


LAST_STATUS: Final = Subquery(_OF_THE_INVOICE.filter(invoice=OuterRef("pk")).values("code")[:1])
"""Of invoices: the code of the last status or null, for ``annotate`` and ``filter``; see :func:`last_status`."""


def last_status(invoice: Invoice) -> LifecycleStatus | None:
    """The status that ``invoice`` has reached, in the order that :class:`LifecycleStatus` gives. One statement.

    The refusal of a second delivery stays in the history and never replaces the status of the first.
    """
    return _OF_THE_INVOICE.filter(invoice=invoice).first()


def status_word(code: str | None) -> str:
    """«Déposée» for 200: what customers read; nothing for None and for codes of other times."""
    return str(Code(code).label).partition(" ")[2] if code in Code.values else ""


# CDAR files.


@dataclass(slots=True)
class StatusReport:
    """What an import of statuses did; ``rejected`` holds file, invoice number (or nothing) and a French reason."""

    statuses: list[LifecycleStatus] = field(default_factory=list)  # the new ones
    unchanged: int = 0
    rejected: list[dict[str, str]] = field(default_factory=list)

    @property
    def recorded(self) -> int:
        """How many statuses are new."""
        return len(self.statuses)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        findings = [
            {"number": status.invoice.number, "code": status.code, "finding": status.finding}
            for status in self.statuses
            if status.finding
        ]
        return {
            "recorded": self.recorded,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "findings": findings,
        }


def import_statuses(
    paths: Iterable[Path | GivenFile],
    *,
    author_name: str = "",
    on_file: Callable[[str], None] = lambda name: None,
) -> StatusReport:
    """Record the statuses of the CDAR files in ``paths`` (files, folders, ZIP archives).

    A message is recorded whole or not at all; a second time it changes nothing. Files that are no XML are passed over
    in folders and refused where they were named.
    """
    given = list(paths)
    named = {path.name for path in given if isinstance(path, Path) and path.is_file()} | {
        item.name for item in given if isinstance(item, GivenFile)
    }
    report = StatusReport()
    for file in expand(given):
        if isinstance(file, RefusedFile):
            report.rejected.append({"file": file.name, "number": "", "reason": file.reason})
            continue
        if file.name not in named and not file.name.lower().endswith(".xml"):
            continue
        on_file(file.name)
        _import_file(file, report, author_name)
    return report


def _import_file(file: GivenFile, report: StatusReport, author_name: str) -> None:
    number = ""
    recorded: list[LifecycleStatus] = []
    unchanged = 0
    try:
        with transaction.atomic():
            # In one order everywhere: two that import at once wait for each other.
            for message in sorted(read_statuses(file.read()), key=lambda each: each.number):
                number = message.number
                status, is_new = record_message(message, author_name)
                if is_new:
                    recorded.append(status)
                else:
                    unchanged += 1
    except (UnreadableEInvoice, StatusRefusedError) as refusal:
        report.rejected.append({"file": file.name, "number": number, "reason": str(refusal)})
        return
    except OSError:
        report.rejected.append({"file": file.name, "number": "", "reason": _("Ce fichier ne peut pas être ouvert.")})
        return
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # one file stops none of the next
        logger.exception("The statuses of %s cannot be read", file.name)
        reason = _("Erreur inattendue (%(kind)s), notée dans le journal du serveur.") % {"kind": type(error).__name__}
        report.rejected.append({"file": file.name, "number": number, "reason": reason})
        return
    report.statuses += recorded
    report.unchanged += unchanged


@transaction.atomic
def record_message(
    message: StatusMessage,
    author_name: str,
    *,
    platform: Platform | None = None,
    listed_at: datetime.datetime | None = None,
) -> tuple[LifecycleStatus, bool]:
    """Note what one message says of one invoice; see :func:`record_status` for what is taken, returned and raised.

    ``platform``: who listed it. A message of an invoice that does not go through it is refused, and so are amounts
    that cannot have been paid for the invoice.
    """
    invoice = _invoice_of(message, platform)
    is_paid = message.code == Code.PAID
    if is_paid:
        _hold(invoice)
    # Our own status comes back from the platform: it is there, with the other payments of its day.
    is_known = invoice.statuses.filter(code=message.code, at=message.at).exists() if is_paid else True
    if not is_known and (refusal := why_not_received(invoice, message.at, message.received)):
        raise StatusRefusedError(refusal)
    received = total_received(invoice, message.received) if is_paid else None
    return record_status(
        invoice=invoice,
        received=received if received is None else to_cents(received),
        code=message.code,
        at=message.at,
        # The rules want a reason code; a message without one says at least where it came from.
        reason=message.reason or (_("motif non précisé") if message.code in LifecycleStatus.NEED_A_REASON else ""),
        source=message.message_id or "CDAR",
        author_name=author_name,
        listed_at=listed_at,
    )


def _invoice_of(message: StatusMessage, platform: Platform | None) -> Invoice:
    """The invoice that a message speaks of: seller and number, and the date where it is given."""
    found = Invoice.objects.filter(number=message.number)
    if message.seller_siren:
        found = found.filter(company__siren=message.seller_siren)
    if message.issue_date is not None:
        found = found.filter(issue_date=message.issue_date)
    invoices = list(found[:2])
    if len(invoices) == 1 and (platform is None or _goes_through(invoices[0], platform)):
        return invoices[0]
    seller = _("du SIREN %(siren)s") % {"siren": message.seller_siren} if message.seller_siren else ""
    date = f" du {message.issue_date:%d/%m/%Y}" if message.issue_date else ""
    what = f"{message.number[:40]}{date} {seller}".strip()
    if len(invoices) == 1:
        raise StatusRefusedError(
            _("La facture %(what)s ne passe pas par %(platform)s.") % {"what": what, "platform": platform}
        )
    if invoices:
        raise StatusRefusedError(_("Plusieurs factures portent le numéro %(what)s.") % {"what": what})
    raise StatusRefusedError(_("La facture %(what)s n’est pas connue.") % {"what": what})


def _goes_through(invoice: Invoice, platform: Platform) -> bool:
    """Whether ``platform`` may speak of ``invoice``: its company is connected to it, or it was submitted there."""
    return invoice.company.platform_id == platform.pk or invoice.submissions.filter(platform=platform).exists()
