"""The dashboard answers three questions at a glance: what waits, what went wrong, is everything running?

Every figure leads to its list. The number of queries does not depend on the number of rows.
"""

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Min, Q
from django.db.models.functions import TruncMonth
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.models import DEMATERIALISED, Account, Customer
from invoices.exporting.counts import count_many
from invoices.models import Export, ImportBatch, Invoice
from invoices.platforms.handover import count_awaiting_handover, hands_over
from mailing import outbox
from mailing.breaker import Rest
from mailing.correspondence import count_open
from mailing.failed_addresses import count_failed_addresses
from mailing.forecasts import SlowedForecast, describe_rest_end, slowed_at
from mailing.oauth import current_failure
from mailing.quarantine.tries import count_set_aside
from portal.backoffice.charts import Bar, Chart, column_chart, row_chart
from portal.backoffice.exports.changelist import outcome_of
from portal.backoffice.first_steps.steps import Guide, read_guide
from portal.backoffice.invoices.changelist import TO_HAND_OVER
from portal.backoffice.ui.worker import MAILER, WORKER, find_silence

MONTHS = 12
LATEST_EXPORTS = 5
ENDED_MONTHS_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Figure:
    """A count, what it counts (singular and plural, with a comma between), where it leads, and how grave it is."""

    count: int
    forms: str
    url: str
    note: str = ""
    level: str = ""  # "fix" or "wrong" where somebody should act

    @property
    def word(self) -> str:
        """What is counted, in the number that French wants: the plural begins at two."""
        return self.forms.split(",")[self.count >= 2]


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One of the last exports: what it holds or has done, in the words of the list."""

    export: Export
    url: str
    outcome: str
    has_failures: bool


@dataclass(slots=True)
class Dashboard:
    """What the signed-in person may know."""

    waiting: list[Figure] = field(default_factory=list)
    wrong: list[Figure] = field(default_factory=list)
    exports: list[ExportLine] | None = None
    silent: list[str] = field(default_factory=list)
    paused: tuple[datetime.datetime, str] | None = None
    rest: Rest | None = None
    resumption: str = ""  # when the rest passes, where that is known
    slowed: tuple[SlowedForecast, ...] = ()
    sign_in_failure: tuple[datetime.datetime, str] | None = None
    charts: list[Chart] = field(default_factory=list)
    guide: Guide | None = None  # the first steps, while one of them is open


def build_dashboard(user: Any, now: datetime.datetime) -> Dashboard:
    """The dashboard of ``user`` at ``now``: each figure needs the right to see its list."""
    board = Dashboard()
    guide = read_guide(user)
    board.guide = guide if guide is not None and guide.next is not None else None
    if user.has_perm("invoices.view_invoice"):
        board.waiting.append(_invoices_waiting())
        if hands_over():
            board.waiting.append(_handovers_waiting())
    if user.has_perm("invoices.import_invoices"):
        _add_imports(board)
    if user.has_perm("mailing.view_message"):
        _add_mails(board, now)
    if user.has_perm("mailing.view_reply"):
        _add_replies(board, user)
    if user.has_perm("customers.view_customer"):
        board.wrong.append(
            Figure(
                Customer.objects.dematerialised().without_address().count(),
                _("client en D sans adresse,clients en D sans adresse"),
                f"{reverse('admin:customers_customer_changelist')}?copies=d&adresse=sans",
                level="fix",
            )
        )
    if user.has_perm("customers.view_customeraccount"):
        board.waiting.append(
            Figure(
                Account.objects.never_connected().filter(is_active=True).count(),
                _("compte jamais utilisé,comptes jamais utilisés"),
                f"{reverse('admin:customers_customeraccount_changelist')}?etat=jamais",
            )
        )
    if user.has_perm("quarantine.view_setaside") and (aside := count_set_aside()):
        forms = _("élément mis de côté,éléments mis de côté")
        url = f"{reverse('admin:quarantine_setaside_changelist')}?etat=cote"
        board.wrong.append(Figure(aside, forms, url, level="wrong"))
    if user.has_perm("invoices.view_export"):
        board.exports = _latest_exports()
        board.charts.insert(0, _published_per_month(now))
    # Before the first export and the first mail they would be two empty frames.
    board.charts = [chart for chart in board.charts if chart.total]
    board.silent = _silent_processes(now)
    return board


def _url(name: str, *args: Any, fallback: str = "admin:index") -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return reverse(fallback)


def _invoices_waiting() -> Figure:
    found = (
        Invoice.objects.pending()
        .filter(customer__invoice_copies=DEMATERIALISED)
        .aggregate(count=Count("pk"), since=Min("imported_at"))
    )
    note = ""
    if found["since"]:
        note = _("la plus ancienne depuis le %(day)s") % {
            "day": date_format(timezone.localtime(found["since"]), "d/m/Y")
        }
    return Figure(
        found["count"],
        _("facture en attente d’export,factures en attente d’export"),
        _url("admin:export_web", fallback="admin:index"),
        note,
    )


def _handovers_waiting() -> Figure:
    return Figure(
        count_awaiting_handover(),
        _("facture à remettre à la plateforme,factures à remettre à la plateforme"),
        f"{reverse('admin:invoices_invoice_changelist')}?etat={TO_HAND_OVER}",
        _("depuis le bordereau de leur export"),
        level="fix",
    )


def _add_imports(board: Dashboard) -> None:
    counts = ImportBatch.objects.aggregate(
        underway=Count("pk", filter=Q(state__in=ImportBatch.UNDERWAY)),
        checked=Count("pk", filter=Q(state=ImportBatch.State.CHECKED)),
    )
    imports_url = reverse("admin:invoices_importbatch_changelist")
    if counts["underway"]:
        states = ",".join(ImportBatch.UNDERWAY)
        forms = _("import en cours,imports en cours")
        board.waiting.append(Figure(counts["underway"], forms, f"{imports_url}?state__in={states}"))
    if counts["checked"]:
        forms = _("import à confirmer,imports à confirmer")
        board.waiting.append(Figure(counts["checked"], forms, f"{imports_url}?state__exact=checked"))


def _add_mails(board: Dashboard, now: datetime.datetime) -> None:
    counts = outbox.summary(now)
    outbox_url = reverse("admin:mailing_message_changelist")
    board.waiting.append(
        Figure(
            counts["queued"] + counts["sending"],
            _("mail en file,mails en file"),
            f"{outbox_url}?state__in=queued,sending",
        )
    )
    board.waiting.append(
        Figure(counts["deferred"], _("mail différé,mails différés"), f"{outbox_url}?state__exact=deferred", level="fix")
    )
    failed = counts["rejected"] + counts["bounced"]
    board.wrong.append(
        Figure(
            failed,
            _("mail rejeté ou revenu,mails rejetés ou revenus"),
            f"{outbox_url}?state__in=rejected,bounced",
            level="wrong",
        )
    )
    board.wrong.append(
        Figure(
            count_failed_addresses(),
            _("adresse en erreur,adresses en erreur"),
            _url("admin:failed_addresses", fallback="admin:mailing_failedaddress_changelist"),
            level="wrong",
        )
    )
    board.paused, board.rest = outbox.why_nothing_leaves()
    board.resumption = describe_rest_end(now) if board.rest else ""
    board.slowed = slowed_at(now)
    board.sign_in_failure = current_failure()
    board.charts.append(_mails_by_state(counts))


def _mails_by_state(counts: dict[str, int]) -> Chart:
    states = (
        ("accepted", _("envoyés")),
        *([("written", _("écrits en fichier"))] if counts["written"] else []),
        ("queued", _("en file")),
        ("deferred", _("différés")),
        ("rejected", _("rejetés")),
        ("bounced", _("revenus")),
        ("cancelled", _("abandonnés")),
    )
    title = _("Mails par état (environ)") if outbox.is_estimated() else _("Mails par état")
    return row_chart("mails", title, [Bar(label, counts[state], f"bar--{state}") for state, label in states])


def _add_replies(board: Dashboard, user: Any) -> None:
    counts = count_open(user.pk)
    note = ""
    if counts.mine:
        note = _("dont %(count)d confiées à vous") if counts.mine >= 2 else _("dont %(count)d confiée à vous")
        note %= {"count": counts.mine}
    board.waiting.append(
        Figure(
            counts.total,
            _("réponse de client à traiter,réponses de clients à traiter"),
            reverse("admin:mailing_reply_changelist"),
            note,
            level="fix",
        )
    )


def _latest_exports() -> list[ExportLine]:
    exports = list(Export.objects.order_by("-number")[:LATEST_EXPORTS])
    counts = count_many(exports)
    return [
        ExportLine(
            export,
            _url("admin:export_web_list", export.number, fallback="admin:index"),
            outcome_of(counts[export.pk]),
            has_failures=bool(counts[export.pk].failed),
        )
        for export in exports
    ]


def _published_per_month(now: datetime.datetime) -> Chart:
    today = timezone.localdate(now)
    months = [_months_before(today, back) for back in range(MONTHS - 1, -1, -1)]
    counts = _count_published(months)
    return column_chart(
        "factures",
        _("Factures exportées par mois"),
        [
            Bar(date_format(month, "N y" if month.month == 1 or month == months[0] else "N"), counts.get(month, 0))
            for month in months
        ],
    )


def _count_published(months: list[datetime.date]) -> dict[datetime.date, int]:
    """Invoices published in each of ``months`` (first days, in order); those of months that have ended are cached.

    An invoice is published once and for all: a month that has ended is counted once a day, not at each page.
    """
    keys = {month: f"published:{month:%Y-%m}" for month in months[:-1]}
    cached = cache.get_many(keys.values())
    counts = {month: cached[key] for month, key in keys.items() if key in cached}
    uncounted = [month for month in months if month not in counts]
    since = timezone.make_aware(datetime.datetime.combine(uncounted[0], datetime.time()))
    rows = (
        Invoice.objects.published()
        .filter(published_at__gte=since)
        .order_by()
        .annotate(month=TruncMonth("published_at"))
        .values_list("month")
        .annotate(Count("published_at"))
    )
    counts |= {timezone.localdate(month): count for month, count in rows}
    cache.set_many({keys[month]: counts.get(month, 0) for month in uncounted[:-1]}, ENDED_MONTHS_SECONDS)
    return counts


def _months_before(day: datetime.date, count: int) -> datetime.date:
    """The first day of the month ``count`` months before that of ``day``."""
    months = day.year * 12 + day.month - 1 - count
    return datetime.date(months // 12, months % 12 + 1, 1)


def _silent_processes(now: datetime.datetime) -> list[str]:
    """Sentences on the processes that have given no sign of life for a minute."""
    sentences = []
    for role, what in (
        (WORKER, _("Le processus qui exporte (run_worker)")),
        (MAILER, _("Le processus qui envoie les mails (send_queued_mail --loop)")),
    ):
        silence = find_silence(role, now)
        if silence is None:
            continue
        if silence.since is None:
            sentences.append(_("%(what)s n’a jamais donné signe de vie.") % {"what": what})
        else:
            sentences.append(
                _("%(what)s n’a plus donné signe de vie depuis le %(when)s.")
                % {"what": what, "when": date_format(timezone.localtime(silence.since), "d/m/Y H:i")}
            )
    return sentences
