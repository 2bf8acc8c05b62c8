"""The lines of a list as a page shows them: bounded queries, whatever the length of the list."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Q, QuerySet, Sum, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from invoices.exporting.criteria import Criteria
from invoices.exporting.kept import kept_sums
from invoices.exporting.reasons import ReasonRow, row_of
from invoices.exporting.selection import WRITTEN_TO, RecipientStatus
from invoices.models import Delivery, Export, ExportCustomer, ExportItem
from invoices.platforms.answers import words_of_submissions
from mailing.destinations import count_destinations
from mailing.outbox import MessageState, states_of

# Messages of deliveries are looked up by so many lines at a time.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Badge:
    """The state of a line: a word, and the state whose colour it has."""

    word: str | Promise
    css: str


def badge_of(item: ExportItem) -> Badge:
    """«prête», «à corriger», «écartée»…: whether a line that is left out is to be corrected depends on its reason."""
    row = row_of(item.reason)
    if row is None:
        return Badge(ExportItem.State(item.state).label, item.state)
    return Badge(_("à corriger"), item.state) if row.is_to_fix else Badge(_("écartée"), "set_aside")


def reason_of(item: ExportItem) -> str:
    """Why ``item`` is left out, as a clause; empty where it is not."""
    # Django's get_…_display hashes, and so translates, every label of the field for each row.
    return str(ExportItem.Reason(item.reason).label) if item.reason else ""


@dataclass(frozen=True, slots=True)
class ListLine:
    """A line and who receives it (rows of ``ExportCustomer.recipients``)."""

    item: ExportItem
    recipients: list[dict[str, Any]]
    other_list: int | None = None
    """The number of another list that holds the invoice and may publish it, or has published it."""

    @property
    def sentence(self) -> str:
        """Why it is left out, with the number of the list that has its invoice; or that another one holds it too."""
        words = reason_of(self.item)
        if self.other_list is None or self.item.state not in (ExportItem.State.READY, ExportItem.State.LEFT_OUT):
            return words
        number = {"number": self.other_list}
        if self.item.reason == ExportItem.Reason.IN_ANOTHER_LIST:
            return _("déjà prise par la liste n° %(number)s") % number
        if self.item.reason == ExportItem.Reason.ALREADY_EXPORTED:
            return _("déjà exportée par la liste n° %(number)s") % number
        return words or _("aussi dans la liste n° %(number)s, pas encore partie") % number

    @property
    def badge(self) -> Badge:
        """The state of the line."""
        return badge_of(self.item)

    @property
    def row(self) -> ReasonRow | None:
        """Why it is left out, None where it is not."""
        return row_of(self.item.reason)

    @property
    def is_new(self) -> bool:
        """False where the invoice has left by another list: there is nothing to preview."""
        return self.item.reason != ExportItem.Reason.ALREADY_EXPORTED

    @property
    def shown_recipients(self) -> list[tuple[str, str]]:
        """Each address with what is to be known of it; nothing is still to be made for a line that has left."""
        has_left = self.item.state == ExportItem.State.PUBLISHED or not self.is_new
        return [
            (found["address"], "" if has_left else str(RecipientStatus(found["status"]).label))
            for found in self.recipients
        ]


@dataclass(frozen=True, slots=True)
class MailStatus:
    """A mail of a line: to whom, which message, and where it is (None: the message is gone)."""

    address: str
    message: Any
    sending: int
    state: MessageState | None


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """A line after the run, with the mails that announced it."""

    item: ExportItem
    mails: list[MailStatus]
    submission: str = ""
    """What became of it at the company's platform: «acceptée», «rejetée : …», nothing where it did not go there."""

    @property
    def badge(self) -> Badge:
        """The state of the line."""
        return badge_of(self.item)

    @property
    def reason(self) -> str:
        """Why it was left out; empty where it was not."""
        return reason_of(self.item)


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """Sum of the invoices of one currency."""

    currency: str
    count: int
    total: Decimal


def filter_items(
    export: Export, *, state: str = "", reasons: Collection[str] = (), wanted: Q | None = None
) -> QuerySet[ExportItem, Any]:
    """The primary keys of the lines of ``export`` in their order (date, number), for :func:`load_items`.

    By state, reasons, and what else is ``wanted``. Keys alone, so that a page of 100,000 lines sorts no rows.
    """
    found = ExportItem.objects.filter(export=export)
    if state:
        found = found.filter(state=state)
    if reasons:
        found = found.filter(reason__in=reasons)
    if wanted is not None:
        found = found.filter(wanted)
    return found.order_by("pk").values_list("pk", flat=True)


def load_items(keys: Iterable[int]) -> list[ExportItem]:
    """The lines ``keys`` with their invoices, customers, checks and documents, in their order; one query."""
    rows = ExportItem.objects.filter(pk__in=list(keys)).select_related(
        "invoice__customer", "invoice__content_check", "document"
    )
    return list(rows.order_by("pk"))


def sum_by_currency(export: Export, state: str = "") -> list[CurrencyTotal]:
    """Count and sum of the list's invoices per currency, those in ``state`` where one is given; one query at most."""
    if (kept := kept_sums(export, state)) is not None:
        return [CurrencyTotal(currency, count, total) for currency, (count, total) in kept.items()]
    items = ExportItem.objects.filter(export=export)
    if state:
        items = items.filter(state=state)
    rows = (
        items.order_by("invoice__currency")
        .values_list("invoice__currency")
        .annotate(Count("pk"), Sum("invoice__total_with_vat"))
    )
    return [CurrencyTotal(currency, count, total or Decimal("0.00")) for currency, count, total in rows]


def count_recipients(export: Export, state: ExportItem.State = ExportItem.State.READY) -> dict[str, int]:
    """How many addresses the lines of ``export`` in ``state`` write to, by where their mails go."""
    if not Criteria.from_json(export.criteria).notify:
        return {}
    concerned = ExportItem.objects.filter(export=export, state=state).values("invoice__customer")
    rows = ExportCustomer.objects.filter(export=export, customer__in=concerned).values_list("recipients", flat=True)
    return count_destinations(
        found["address"] for row in rows.iterator(chunk_size=2000) for found in row if found["status"] in WRITTEN_TO
    )


def with_recipients(export: Export, items: list[ExportItem]) -> list[ListLine]:
    """``items`` with their recipients and the other list that holds their invoice, by two queries."""
    rows = dict(
        ExportCustomer.objects.filter(
            export=export, customer__in={item.invoice.customer_id for item in items}
        ).values_list("customer", "recipients")
    )
    states = ExportItem.State
    elsewhere = (
        ExportItem.objects.filter(
            invoice__in=[item.invoice_id for item in items], state__in=(states.READY, states.CLAIMED, states.PUBLISHED)
        )
        .exclude(export=export)
        .exclude(export__state=Export.State.CANCELLED, state=states.READY)
    )
    # In rising order: the list that is under way, and the one that has published, come last and stay.
    ranks = Case(When(state=states.PUBLISHED, then=2), When(export__state__in=Export.UNDER_WAY, then=1), default=0)
    others = dict(elsewhere.order_by(ranks, "-export__number").values_list("invoice", "export__number"))
    return [ListLine(item, rows.get(item.invoice.customer_id, []), others.get(item.invoice_id)) for item in items]


def iterate_lines(export: Export, keys: Any) -> Iterator[ListLine]:
    """The lines ``keys`` (as :func:`filter_items` gives them) with their recipients, in their order, in flat memory."""
    last = 0
    while items := load_items(keys.filter(pk__gt=last)[:CHUNK]):
        yield from with_recipients(export, items)
        last = items[-1].pk


def with_mails(items: list[ExportItem]) -> list[ItemOutcome]:
    """``items`` with the mails that announced them, their states and their submissions; three queries per thousand."""
    submissions = words_of_submissions([item.invoice_id for item in items])
    deliveries: dict[int, list[Delivery]] = {}
    for delivery in Delivery.objects.filter(item__in=[item.pk for item in items]).order_by("sending", "pk"):
        deliveries.setdefault(delivery.item_id, []).append(delivery)
    states = states_of({delivery.message_id for found in deliveries.values() for delivery in found})
    return [
        ItemOutcome(
            item,
            [
                MailStatus(delivery.address, delivery.message_id, delivery.sending, states.get(delivery.message_id))
                for delivery in deliveries.get(item.pk, [])
            ],
            submissions.get(item.invoice_id, ""),
        )
        for item in items
    ]


def mails_of(invoices: list[Any]) -> dict[Any, list[MailStatus]]:
    """The mails that announced each of ``invoices`` (primary keys), by two queries."""
    deliveries = list(
        Delivery.objects.filter(item__invoice__in=invoices).select_related("item").order_by("sending", "pk")
    )
    states = states_of({delivery.message_id for delivery in deliveries})
    found: dict[Any, list[MailStatus]] = {}
    for delivery in deliveries:
        status = MailStatus(delivery.address, delivery.message_id, delivery.sending, states.get(delivery.message_id))
        found.setdefault(delivery.item.invoice_id, []).append(status)
    return found


def iterate_outcomes(export: Export) -> Iterator[ItemOutcome]:
    """Every line of ``export`` with its mails, in the order of the list, in flat memory."""
    last = 0
    while items := load_items(filter_items(export).filter(pk__gt=last)[:CHUNK]):
        for item in items:
            item.export = export
        yield from with_mails(items)
        last = items[-1].pk
