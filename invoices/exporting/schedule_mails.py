"""The mails about runs of a calendar: what waits, what has left, what was missed and made up for."""

import datetime
import hashlib
from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.models import Account
from invoices.exporting.counts import ExportCounts, count_items
from invoices.models import Export, ExportItem, ScheduledRun
from invoices.money import write_count
from mailing.identity import default_identity
from mailing.outbox import Draft, write_messages

KIND: Final = "schedule"
# A run that comes later than this was missed, and says so.
LATE: Final = datetime.timedelta(hours=1)

Outcome = ScheduledRun.Outcome


def write_moment(moment: datetime.datetime) -> str:
    """``2026-11-02 05:00 UTC`` as «02/11/2026 à 6 h», in the time zone of the portal."""
    local = timezone.localtime(moment)
    return _("%(day)s à %(hour)d h") % {"day": date_format(local, "d/m/Y"), "hour": local.hour}


def announce_run(run: ScheduledRun, dues: Sequence[datetime.datetime], doubt: str = "") -> None:
    """Write what a run came to: a list that waits (for an answer to ``doubt``), nothing to export, or an error."""
    name = run.schedule.selection.name
    if run.outcome == Outcome.FAILED:
        subject = _("« %(name)s » : le passage a échoué") % {"name": name}
        lines = [
            _("Le passage prévu le %(when)s a échoué ; l’erreur est dans le journal du serveur.")
            % {"when": write_moment(run.due_at)},
            _("Faites la liste à la main, ou prévenez l’administrateur : %(url)s")
            % {"url": _url("export-web/factures/")},
        ]
    elif run.export is None:
        subject = _("« %(name)s » : rien à exporter") % {"name": name}
        lines = [_("Aucune facture de cette sélection n’attend d’être exportée.")]
    else:
        figures = count_items(run.export)
        words = (
            _("Liste n° %(number)s à confirmer : %(figures)s")
            if doubt
            else _("Liste n° %(number)s à vérifier : %(figures)s")
        )
        subject = words % {"number": run.export.number, "figures": _write_figures(figures)}
        lines = [
            _("La liste « %(name)s » est préparée, rien n’est parti : %(figures)s.")
            % {"name": name, "figures": _write_figures(figures)},
            *([doubt, _("Pour partir quand même : « Exporter » sur la liste, puis confirmer.")] if doubt else []),
            *_reasons(figures),
            _("Ouvrir la liste : %(url)s") % {"url": _list_url(run.export)},
        ]
    _write(run, "run", subject, [*lines, *_late(run, dues)])


def announce_end(run: ScheduledRun) -> None:
    """Write what became of the export that a run started, once it has ended."""
    export = run.export
    if export is None:
        return
    figures = count_items(export)
    published = write_count(figures.published, _("facture publiée"), _("factures publiées"))
    failed = write_count(figures.failed, _("en échec"), _("en échec"))
    ended = _("annulé") if export.state == Export.State.CANCELLED else _("terminé")
    subject = _("Export n° %(number)s %(ended)s : %(published)s") % {
        "number": export.number,
        "ended": ended,
        "published": f"{published}, {failed}" if figures.failed else published,
    }
    mails = write_count(figures.mails, _("mail écrit"), _("mails écrits"))
    made = write_count(figures.credentials, _("identifiant généré"), _("identifiants générés"))
    lines = [
        _("« %(name)s » : tout était prêt, l’export est parti de lui-même.") % {"name": run.schedule.selection.name},
        f"{published}, {failed}, {mails}, {made}.",
        _("Bordereau : %(url)s") % {"url": f"{_list_url(export)}bordereau/"},
    ]
    _write(run, "ended", subject, [*lines, *_late(run, [run.due_at])])


def _write_figures(figures: ExportCounts) -> str:
    ready = write_count(figures.ready, _("facture prête"), _("factures prêtes"))
    return _("%(ready)s, %(to_fix)d à corriger") % {"ready": ready, "to_fix": figures.to_fix}


def _reasons(figures: ExportCounts) -> list[str]:
    return [f"- {count} : {ExportItem.Reason(reason).label}" for reason, count in figures.left_out.items()]


def _late(run: ScheduledRun, dues: Sequence[datetime.datetime]) -> list[str]:
    """What is said of a run that did not come in time."""
    if run.covers > 1:
        named = ", ".join(write_moment(due) for due in dues) if len(dues) == run.covers else ""
        words = _("Passages manqués, rattrapés en un seul : %(count)d") % {"count": run.covers}
        return ["", f"{words} ({named})." if named else f"{words}."]
    if run.ran_at - run.due_at > LATE:
        return [
            "",
            _("Ce passage, prévu le %(due)s, a été manqué (le serveur ne tournait pas) et rattrapé le %(ran)s.")
            % {"due": write_moment(run.due_at), "ran": date_format(timezone.localtime(run.ran_at), "d/m/Y H:i")},
        ]
    return []


def _write(run: ScheduledRun, what: str, subject: str, lines: Sequence[str]) -> None:
    identity = default_identity()
    wanted: list[str] = run.schedule.addresses
    # Who no longer works here is not notified.
    gone = {
        login.lower()
        for login in Account.objects.filter(is_active=False, login__in=wanted).values_list("login", flat=True)
    }
    calendar = _("Calendrier : %(url)s") % {"url": _url("export-web/factures/calendrier/")}
    write_messages(
        Draft(
            key=f"{KIND}:{what}:{run.pk}:{hashlib.sha256(address.lower().encode()).hexdigest()[:32]}",
            kind=KIND,
            recipient=address,
            sender=identity.address or settings.DEFAULT_FROM_EMAIL,
            sender_name=identity.name,
            reply_to=identity.reply_to,
            subject=subject,
            text="\n".join([*lines, "", calendar, ""]),
        )
        for address in wanted
        if address.lower() not in gone
    )


def _list_url(export: Export) -> str:
    return _url(f"export-web/factures/export/{export.number}/")


def _url(path: str) -> str:
    return f"{settings.PORTAL_URL}/gestion/{path}"
