"""Why a line of a list is left out: one table, which the list, its counts, its pages and its corrections read.

A row is either a condition of the invoice, which the database decides, or a judgement of its customer, which is made
once per customer in Python. The first row that applies gives the reason. The sentence of each is its label in
:class:`~invoices.models.ExportItem.Reason`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Final

from django.db.models import Case, F, Q, Value, When

from customers.models import DEMATERIALISED
from customers.recipients import CustomerRecipients
from invoices.exporting.criteria import Criteria, Scope
from invoices.models import Company, DirectoryLookup, Export, ExportItem, Invoice
from invoices.platforms.channel import MUST_USE_PLATFORM

Reason = ExportItem.Reason


class Correction(StrEnum):
    """What can be done about a reason from the line itself."""

    DEMATERIALISE = "dematerialise"
    ADDRESS = "address"
    CONTACT = "contact"
    ACTIVATE = "activate"
    CREDENTIALS = "credentials"
    REPLACE = "replace"
    LOOK_UP = "look_up"
    CHOOSE = "choose"


class Link(StrEnum):
    """The page where a reason is corrected, or understood."""

    INVOICE = "invoice"
    COMPANY = "company"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What a judgement of a customer goes by."""

    criteria: Criteria
    addressees: CustomerRecipients
    is_every_address_bad: bool

    @property
    def active(self) -> int:
        """How many recipients have an account that is active."""
        return sum(found.account is not None and found.account.is_active for found in self.addressees.recipients)

    @property
    def disabled(self) -> int:
        """How many recipients have an account that is not active."""
        return sum(found.account is not None and not found.account.is_active for found in self.addressees.recipients)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """A reason with what decides it (exactly one of ``condition`` and ``judge``) and what follows from it.

    ``correction`` corrects it from the line, ``link`` names the page to open. ``is_to_fix``: staff can and should
    correct it; the others are left out for good. ``shows_findings``: the findings of the e-invoice are in the line.
    ``among`` is what neighbouring conditions have in common and is long to ask: the database is asked once for all.
    """

    reason: Reason
    condition: Callable[[Criteria, Export | None], Q] | None = None
    among: Q | None = None
    judge: Callable[[CustomerFacts], bool] | None = None
    correction: Correction | None = None
    link: Link | None = None
    is_to_fix: bool = True
    shows_findings: bool = False

    def sql(self, criteria: Criteria, export: Export | None) -> Q:
        """The condition, or the judgement as it is kept in the alias ``row`` (``ExportCustomer``)."""
        return self.condition(criteria, export) if self.condition is not None else Q(row__reason=str(self.reason))


def _platform_required(criteria: Criteria, _export: Export | None) -> Q:
    """Of invoices that the law sends through a platform, those that would leave by mail only: none is named."""
    if criteria.mail_only_reason:
        return Q(pk__in=[])
    return Q(published_at__isnull=True, company__platform_name="")


def _answered(outcome: DirectoryLookup.Outcome) -> Q:
    """Of invoices that go through a platform, those to a customer of whom the directory said so, asked or as a file."""
    return Q(
        published_at__isnull=True,
        customer__directory_lookup__outcome=outcome,
        customer__directory_lookup__siren=F("customer__siren"),
    )


# A check that is stale keeps nothing back: the export checks what it is about to write.
_NOT_COMPLIANT: Final = Q(
    published_at__isnull=True,
    check_state=Invoice.CheckState.INVALID,
    company__allow_plain_pdf=False,
    checked_at__gte=F("updated_at"),
    customer__updated_at__lte=F("checked_at"),
    company__updated_at__lte=F("checked_at"),
)


def _in_another_list(_criteria: Criteria, export: Export | None) -> Q:
    """Invoices that a run under way (another one than ``export``) is about to publish."""
    others = Export.objects.filter(state__in=Export.UNDER_WAY)
    if export is not None:
        others = others.exclude(pk=export.pk)
    keys = list(others.values_list("pk", flat=True))
    if not keys:
        return Q(pk__in=[])
    taken = ExportItem.objects.filter(export__in=keys, state__in=(ExportItem.State.READY, ExportItem.State.CLAIMED))
    return Q(pk__in=taken.values("invoice"))


def _company_incomplete(_criteria: Criteria, _export: Export | None) -> Q:
    """Rows of tables, which «Paramétrage société» completes: e-invoices and PDFs state their issuer themselves."""
    incomplete = [company.pk for company in Company.objects.incomplete()]
    return Q(published_at__isnull=True, origin=Invoice.Origin.CSV, company__in=incomplete)


REASONS: Final = (
    ReasonRow(
        reason=Reason.NOT_DEMATERIALISED,
        condition=lambda _criteria, _export: ~Q(customer__invoice_copies=DEMATERIALISED),
        correction=Correction.DEMATERIALISE,
        is_to_fix=False,
    ),
    ReasonRow(
        reason=Reason.ALREADY_EXPORTED,
        condition=lambda _criteria, _export: Q(published_at__isnull=False),
        is_to_fix=False,
    ),
    ReasonRow(
        reason=Reason.IN_ANOTHER_LIST,
        condition=_in_another_list,
        is_to_fix=False,
    ),
    ReasonRow(
        reason=Reason.COMPANY_INCOMPLETE,
        condition=_company_incomplete,
        link=Link.COMPANY,
    ),
    ReasonRow(
        reason=Reason.NO_CONTACT,
        judge=lambda facts: facts.criteria.contacts.require_contact and not facts.addressees.has_contact,
        correction=Correction.CONTACT,
    ),
    ReasonRow(
        reason=Reason.NO_ADDRESS,
        judge=lambda facts: not facts.addressees.recipients,
        correction=Correction.ADDRESS,
    ),
    ReasonRow(
        reason=Reason.ACCOUNT_DISABLED,
        judge=lambda facts: facts.disabled == len(facts.addressees.recipients),
        correction=Correction.ACTIVATE,
    ),
    ReasonRow(
        reason=Reason.NO_CREDENTIALS,
        judge=lambda facts: (
            facts.criteria.scope == Scope.WITH_CREDENTIALS
            and not facts.criteria.generate_credentials
            and not facts.active
        ),
        correction=Correction.CREDENTIALS,
    ),
    ReasonRow(
        reason=Reason.BAD_ADDRESS,
        judge=lambda facts: facts.is_every_address_bad,
        correction=Correction.REPLACE,
    ),
    ReasonRow(
        reason=Reason.NOT_COMPLIANT,
        condition=lambda _criteria, _export: _NOT_COMPLIANT,
        link=Link.INVOICE,
        shows_findings=True,
    ),
    ReasonRow(
        reason=Reason.PLATFORM_REQUIRED,
        among=MUST_USE_PLATFORM,
        condition=_platform_required,
        link=Link.INVOICE,
    ),
    ReasonRow(
        reason=Reason.NOT_IN_DIRECTORY,
        among=MUST_USE_PLATFORM,
        condition=lambda _criteria, _export: _answered(DirectoryLookup.Outcome.NOT_FOUND),
        correction=Correction.LOOK_UP,
        link=Link.CUSTOMER,
    ),
    ReasonRow(
        reason=Reason.CLOSED_IN_DIRECTORY,
        among=MUST_USE_PLATFORM,
        condition=lambda _criteria, _export: _answered(DirectoryLookup.Outcome.CLOSED),
        correction=Correction.LOOK_UP,
        link=Link.CUSTOMER,
    ),
    ReasonRow(
        reason=Reason.ADDRESS_TO_CHOOSE,
        among=MUST_USE_PLATFORM,
        condition=lambda _criteria, _export: (
            _answered(DirectoryLookup.Outcome.SEVERAL) & Q(customer__electronic_address="")
        ),
        correction=Correction.CHOOSE,
        link=Link.CUSTOMER,
    ),
    ReasonRow(
        reason=Reason.OTHER_PLATFORM,
        among=MUST_USE_PLATFORM,
        condition=lambda _criteria, _export: _answered(DirectoryLookup.Outcome.OTHER_PLATFORM),
        correction=Correction.CHOOSE,
        link=Link.CUSTOMER,
    ),
)

ROWS: Final = {row.reason: row for row in REASONS}
_RANKS: Final = {str(row.reason): rank for rank, row in enumerate(REASONS)}


def row_of(reason: str) -> ReasonRow | None:
    """The row of a reason as it is stored; None for a line that is not left out."""
    return ROWS[Reason(reason)] if reason else None


def reason_of_invoice(criteria: Criteria) -> Case:
    """SQL of the first reason that is the invoice's own (a value of Reason); empty where there is none."""
    return _case([row for row in REASONS if row.condition is not None], criteria, None)


def reason_of_published(criteria: Criteria) -> Case:
    """The same for invoices that have left, which no reason after :attr:`Reason.ALREADY_EXPORTED` is asked of."""
    tried = list(REASONS[: _RANKS[str(Reason.ALREADY_EXPORTED)] + 1])
    return _case(tried, criteria, None)


def reason_of_line(criteria: Criteria, export: Export) -> Case:
    """SQL of the first reason of all for a line of ``export``; the judgements of customers are in the alias ``row``."""
    return _case(REASONS, criteria, export)


def _case(rows: Iterable[ReasonRow], criteria: Criteria, export: Export | None) -> Case:
    case: Case | Value = Value("")
    # From the last row to the first: what a group of rows does not decide is left to those that follow it.
    groups = [(among, list(some)) for among, some in groupby(rows, key=attrgetter("among"))]
    for among, some in reversed(groups):
        whens = (When(row.sql(criteria, export), then=Value(str(row.reason))) for row in some)
        inner = Case(*whens, default=case)
        case = inner if among is None else Case(When(among, then=inner), default=case)
    return Case(default=case) if isinstance(case, Value) else case


def reason_of_customer(facts: CustomerFacts) -> str:
    """The first reason that is the customer's, empty where there is none."""
    return next((str(row.reason) for row in REASONS if row.judge is not None and row.judge(facts)), "")


def first_reason(*reasons: str) -> str:
    """The one of ``reasons`` that is tried before the others; empty ones count for nothing."""
    return min(filter(None, reasons), key=_RANKS.__getitem__, default="")


def order_reasons(counts: dict[str, int]) -> dict[str, int]:
    """The counts of the reasons that occur, in the order in which they are tried."""
    return {reason: counts[reason] for reason in _RANKS if counts.get(reason)}


def reasons_to_fix(*, is_to_fix: bool) -> list[str]:
    """The reasons that staff can and should correct, or the others."""
    return [str(row.reason) for row in REASONS if row.is_to_fix is is_to_fix]


def select_to_fix(counts: dict[str, int], *, is_to_fix: bool = True) -> dict[str, int]:
    """Of counts by reason, those that staff can and should correct («à corriger»), or the others («écartées»)."""
    return {reason: count for reason, count in counts.items() if ROWS[Reason(reason)].is_to_fix is is_to_fix}
