"""What follows the import of a watched folder: nothing, a list, or an export once everything is ready."""

import uuid
from dataclasses import replace
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.exports import create_export, last_export_day
from invoices.exporting.run.tasks import start_export_in_workers
from invoices.importing.folders import Follow
from invoices.importing.report import ImportReport
from invoices.models import Company, Export, ExportItem, SavedSelection
from invoices.money import write_count
from mailing.identity import default_identity
from mailing.outbox import Draft, write_messages

IMPORT: Final = "import"
LIST: Final = "list"
EXPORT: Final = "export"
_MOST_NAMED: Final = 50


class NoSuchSelectionError(Exception):
    """No saved selection has this name; the message is a French sentence."""


def following(then: str, *, selection: str = "", mail_to: str = "") -> Follow | None:
    """What is done after an import: None, or what makes the list of its invoices and, for «export», starts it.

    The choices are those of the saved ``selection``, the period is that of the imported invoices. An export that
    cannot take every line is not started: one mail to ``mail_to`` (the issuer's address where empty) names what waits.
    Raises NoSuchSelectionError.
    """
    if then == IMPORT:
        return None
    saved = SavedSelection.objects.filter(name=selection).first() if selection else None
    if selection and saved is None:
        raise NoSuchSelectionError(_("Aucune sélection enregistrée ne s’appelle « %(name)s ».") % {"name": selection})

    def follow(report: ImportReport) -> None:
        criteria = Criteria.from_json(saved.criteria) if saved else Criteria()
        criteria = replace(criteria, period=Period.FIXED, start=report.first_day, end=report.last_day)
        export = create_export(
            criteria=criteria.resolve_period(timezone.localdate(), last_export_day()),
            author_name=_("dossier surveillé"),
            selection=saved,
        )
        if then != EXPORT:
            return
        waiting = export.items.exclude(state=ExportItem.State.READY)
        if waiting.exists() or report.rejections:
            _write_mail(export, report, mail_to)
        elif export.items.exists():
            start_export_in_workers(export=export)

    return follow


def _write_mail(export: Export, report: ImportReport, mail_to: str) -> None:
    """One mail that names what waits."""
    company = Company.objects.order_by("-is_default", "pk").first()
    recipient = mail_to or (company.email if company else "")
    if not recipient:
        return
    identity = default_identity()
    waiting = export.items.exclude(state=ExportItem.State.READY).select_related("invoice__customer")
    lines = [
        f"- {item.invoice.number} ({item.invoice.customer}) : {item.get_reason_display()}"
        for item in waiting[:_MOST_NAMED]
    ]
    lines += [f"- {each.file}, ligne {each.line} : {each.reason}" for each in report.rejected[:_MOST_NAMED]]
    head = _("L’export n° %(number)s est prêt en liste et n’est pas parti : %(waiting)s.") % {
        "number": export.number,
        "waiting": write_count(waiting.count() + report.rejections, "pièce attend", "pièces attendent"),
    }
    draft = Draft(
        key=f"folder:{uuid.uuid4().hex}",
        kind="folder",
        recipient=recipient,
        sender=identity.address,
        sender_name=identity.name,
        reply_to=identity.reply_to,
        subject=_("Export n° %(number)s : des factures attendent") % {"number": export.number},
        text="\n".join([head, "", *lines, ""]),
    )
    write_messages([draft])
