"""Verbs on exports: the list made, corrected, started, paused, cancelled, retried."""

import datetime
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import batched
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Account, Customer
from invoices.exporting.criteria import Criteria
from invoices.exporting.selection import find_candidates, judge_chosen, judge_customers, judge_invoices
from invoices.models import Company, Delivery, Export, ExportCustomer, ExportItem, Invoice, SavedSelection
from invoices.store.probing import check_store
from mailing.composition import template_versions
from mailing.identity import default_identity
from mailing.outbox import divert_pending, failed_among, retry
from mailing.trail.actions import Action
from mailing.trail.recording import record

logger = logging.getLogger(__name__)

# Customers of a list that are judged again by one statement.
CUSTOMERS_AT_ONCE = 500
State = Export.State
ItemState = ExportItem.State


class NothingToDoError(Exception):
    """The verb does not apply to the state of the export; the message is a French sentence for people."""


def last_export_day() -> datetime.date | None:
    """The day of the last export that was started, None before the first."""
    started = Export.objects.exclude(started_at=None).aggregate(last=Max("started_at"))["last"]
    return timezone.localdate(started) if started else None


@transaction.atomic
def create_export(
    *,
    criteria: Criteria,
    author: Account | None = None,
    author_name: str = "",
    selection: SavedSelection | None = None,
) -> Export:
    """Make the list to export: one line per candidate, ready or left out with its reason.

    The lines are written by one statement whatever their number.
    """
    export = _create_with_next_number(
        criteria=criteria.to_json(),
        author=author,
        author_name=author_name or (author.get_full_name() if author else ""),
        selection=selection,
        mail_only_reason=criteria.mail_only_reason,
    )
    if criteria.mail_only_reason:
        logger.warning(
            "Export %s leaves by mail only, by %s: %s", export.number, export.author_name, criteria.mail_only_reason
        )
    ExportCustomer.objects.bulk_create(
        (
            ExportCustomer(export=export, customer_id=pk, reason=verdict.reason, recipients=verdict.recipients)
            for pk, verdict in judge_customers(criteria).items()
        ),
        batch_size=500,
    )
    _insert_items(export, criteria)
    return export


def _create_with_next_number(**fields: Any) -> Export:
    """An export under the number after the last one: numbers have no gap and no double.

    Two lists made at once meet at the number, which is unique: the second waits until the first is kept, then takes
    the next number.
    """
    while True:
        number = _last_number() + 1
        try:
            with transaction.atomic():
                return Export.objects.create(number=number, **fields)
        except IntegrityError:
            if _last_number() < number:
                raise


def _last_number() -> int:
    return Export.objects.aggregate(last=Max("number"))["last"] or 0


def _insert_items(export: Export, criteria: Criteria) -> None:
    """``INSERT … SELECT``: the database copies its own rows, nothing travels."""
    columns = {
        "export_id": Value(export.pk),
        "error": Value(""),
        "note": Value(""),
        "mails": Value(0),
        "credentials": Value(0),
        "attempts": Value(0),
        "claimed_by": Value(""),
    }
    rows = (
        judge_invoices(find_candidates(criteria), export, criteria)
        .order_by("issue_date", "number")
        .annotate(**{f"item_{name}": value for name, value in columns.items()})
        .values_list("pk", "item_state", "item_reason", *(f"item_{name}" for name in columns))
    )
    sql, parameters = rows.query.sql_with_params()
    names = ["invoice_id", "state", "reason", *columns]
    quoted = ", ".join(connection.ops.quote_name(name) for name in names)
    table = connection.ops.quote_name(ExportItem._meta.db_table)
    with connection.cursor() as cursor:
        # Names of columns and the compiled query: nothing here comes from people.
        cursor.execute(f"INSERT INTO {table} ({quoted}) {sql}", parameters)


def check_store_for(export: Export) -> None:
    """Ask the store, before the run, whether it takes the documents of the ready lines.

    Raises :class:`~invoices.store.probing.StoreUnavailableError`. Documents that came from the ERP are stored already.
    """
    received = (Invoice.Origin.FACTURX, Invoice.Origin.PDF)
    to_render = ExportItem.objects.filter(export=export).ready().exclude(invoice__origin__in=received).count()
    if to_render:
        check_store(documents=to_render)


@transaction.atomic
def start_export(*, export: Export) -> Export:
    """Mark the list as running, with the versions of the messages it starts with.

    Two people who press at once start it once. Its invoices are its own from now on: other lists leave them to it, and
    it leaves to them what they have started to publish. Raises NothingToDoError where it is not a list or a paused run.
    """
    # All lists that are open: of two that are started at once, the second sees what the first has taken.
    is_open = Q(state__in=(State.DRAFT, *Export.UNDER_WAY)) | Q(pk=export.pk)
    opened = {row.pk: row for row in Export.objects.filter(is_open).order_by("pk").select_for_update()}
    if (locked := opened.get(export.pk)) is None:
        raise Export.DoesNotExist
    if locked.state not in (State.DRAFT, State.PAUSED):
        raise NothingToDoError(
            _("L’export n° %(number)s est déjà « %(state)s ».")
            % {"number": locked.number, "state": locked.get_state_display()}
        )
    if locked.started_at is None:
        locked.started_at = timezone.now()
        locked.template_versions = template_versions()
    locked.state = State.RUNNING
    locked.finished_at = locked.kept_figures = None
    locked.save(update_fields=["state", "started_at", "finished_at", "kept_figures", "template_versions"])
    _take_invoices(locked)
    record(Action.EXPORT_BEGUN, locked, details={"number": locked.number, "lines": locked.items.ready().count()})
    return locked


def _take_invoices(export: Export) -> None:
    lines = ExportItem.objects.filter(export=export)
    released = lines.filter(state=ItemState.LEFT_OUT, reason=ExportItem.Reason.IN_ANOTHER_LIST)
    if released.exists():
        _judge_again(export, released, Criteria.from_json(export.criteria))
    others = ExportItem.objects.exclude(export=export)
    set_aside = {"state": ItemState.LEFT_OUT, "reason": ExportItem.Reason.IN_ANOTHER_LIST}
    taken = others.filter(state__in=(ItemState.READY, ItemState.CLAIMED), export__state__in=Export.UNDER_WAY)
    lines.ready().filter(invoice__in=taken.values("invoice")).update(**set_aside)
    waiting = others.ready().filter(export__state=State.DRAFT)
    waiting.filter(invoice__in=lines.ready().values("invoice")).update(**set_aside)


def release_invoices(*, export: Export) -> None:
    """Judge again the lines of other lists that left their invoices to ``export``, which has ended."""
    lines = ExportItem.objects.filter(
        state=ItemState.LEFT_OUT,
        reason=ExportItem.Reason.IN_ANOTHER_LIST,
        invoice__in=ExportItem.objects.filter(export=export).values("invoice"),
    ).exclude(export=export)
    if concerned := set(lines.order_by().values_list("export", flat=True)):
        _judge_released(lines, concerned)


@transaction.atomic
def _judge_released(lines: "QuerySet[ExportItem]", exports: set[int]) -> None:
    for other in Export.objects.filter(pk__in=exports).order_by("pk").select_for_update():
        own = lines.filter(export=other)
        if other.state in (State.DONE, State.CANCELLED):
            own = own.filter(invoice__published_at__isnull=False)
        _judge_again(other, own, Criteria.from_json(other.criteria))
        if other.kept_figures is not None:
            other.kept_figures = None
            other.save(update_fields=["kept_figures"])


@transaction.atomic
def pause_export(*, export: Export) -> None:
    """Stop after the lines in hand; :func:`start_export` goes on."""
    Export.objects.filter(pk=export.pk, state=State.RUNNING).update(state=State.PAUSED)


@transaction.atomic
def cancel_export(*, export: Export) -> None:
    """Stop for good: lines already published stay published, the others wait for another list."""
    has_ended = Export.objects.filter(pk=export.pk, state__in=(State.DRAFT, State.RUNNING, State.PAUSED)).update(
        state=State.CANCELLED, finished_at=timezone.now()
    )
    if has_ended:
        record(Action.EXPORT_CANCELLED, export, details={"number": export.number})
    release_invoices(export=export)


@transaction.atomic
def retry_failures(*, export: Export) -> int:
    """Make the failed lines ready again, and nothing else; returns how many. The run is then started again."""
    # Whoever ends the run at this moment waits here and then finds lines left, or has ended it before.
    Export.objects.select_for_update().get(pk=export.pk)
    count = ExportItem.objects.filter(export=export, state=ItemState.FAILED).update(
        state=ItemState.READY, error="", finished_at=None, attempts=0
    )
    if count:
        Export.objects.filter(pk=export.pk, state__in=(State.DONE, State.CANCELLED)).update(state=State.PAUSED)
    return count


@transaction.atomic
def retry_failed_mails(*, export: Export, by: str) -> int:
    """Queue again the mails of ``export`` that did not arrive (deferred, rejected, bounced); returns how many."""
    mails = Delivery.objects.filter(item__export=export).order_by().values_list("message", flat=True).distinct()
    return retry(failed_among(mails), by)


@transaction.atomic
def set_excluded(*, export: Export, items: "Iterable[int] | QuerySet[Any, int]", excluded: bool) -> int:
    """Untick lines of a list that has not left (or tick them again); returns how many changed.

    ``items`` are primary keys, or a query of them: then any number of lines costs one statement.
    """
    # Whoever starts the run waits here, or has started it before: no line is unticked under the hands of a worker.
    if Export.objects.select_for_update().get(pk=export.pk).state != State.DRAFT:
        return 0
    keys = items if isinstance(items, QuerySet) else list(items)
    before, after = (ItemState.READY, ItemState.EXCLUDED) if excluded else (ItemState.EXCLUDED, ItemState.READY)
    return ExportItem.objects.filter(export=export, pk__in=keys, state=before).update(state=after)


@transaction.atomic
def recheck_customers(*, export: Export, customers: Collection[int]) -> int:
    """Judge customers of the list again after a correction; returns how many of their lines are ready.

    Only lines that have not left move, so a list can be corrected without being made again.
    """
    criteria = Criteria.from_json(export.criteria)
    ready = 0
    for some in batched(customers, CUSTOMERS_AT_ONCE):
        verdicts = judge_chosen(Customer.objects.filter(pk__in=some), criteria)
        ExportCustomer.objects.bulk_create(
            (
                ExportCustomer(export=export, customer_id=pk, reason=verdict.reason, recipients=verdict.recipients)
                for pk, verdict in verdicts.items()
            ),
            update_conflicts=True,
            unique_fields=["export", "customer"],
            update_fields=["reason", "recipients"],
        )
        lines = ExportItem.objects.filter(export=export, invoice__customer__in=some)
        _judge_again(export, lines, criteria)
        ready += lines.ready().count()
    return ready


def recheck_customer(*, export: Export, customer_id: int) -> int:
    """Judge one customer of the list again; returns how many of his lines are ready."""
    return recheck_customers(export=export, customers=[customer_id])


def recheck_open_lists(customers: Collection[int]) -> None:
    """Judge ``customers`` again in every list that has not left, after their cards, contacts or accounts changed."""
    lines = ExportItem.objects.filter(invoice__customer__in=customers, export__state__in=(State.DRAFT, State.PAUSED))
    found: dict[int, list[int]] = defaultdict(list)
    for key, customer in lines.order_by().values_list("export_id", "invoice__customer_id").distinct():
        found[key].append(customer)
    for export in Export.objects.filter(pk__in=found).order_by("pk"):
        recheck_customers(export=export, customers=found[export.pk])


def recheck_lists_of(customer: Customer) -> None:
    """Judge ``customer`` again in every list that has not left: called after a change of the card."""
    recheck_open_lists([customer.pk])


def follow_rehearsal() -> None:
    """Divert the mails that wait where the default company is in a rehearsal: called after its settings changed."""
    if address := default_identity().rehearsal_address:
        divert_pending(address)


@transaction.atomic
def recheck_company(*, company: Company) -> None:
    """Judge the lines of ``company`` again in every list that has not left, after a change of its settings."""
    for export in Export.objects.filter(state__in=(State.DRAFT, State.PAUSED)).order_by("pk"):
        lines = ExportItem.objects.filter(export=export, invoice__company=company)
        _judge_again(export, lines, Criteria.from_json(export.criteria))


def _judge_again(export: Export, lines: "QuerySet[ExportItem]", criteria: Criteria) -> None:
    waiting = lines.filter(state__in=(ItemState.READY, ItemState.LEFT_OUT))
    judged: Any = judge_invoices(Invoice.objects.filter(pk=OuterRef("invoice")), export, criteria)
    waiting.update(state=Subquery(judged.values("item_state")[:1]), reason=Subquery(judged.values("item_reason")[:1]))
