"""The report of an export («bordereau d'export»): what was asked, what became of each line; as values, CSV and PDF."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.exporting.choices import describe_criteria
from invoices.exporting.counts import ExportCounts, count_items
from invoices.exporting.criteria import Criteria
from invoices.exporting.criteria_text import write_date
from invoices.exporting.items import (
    CurrencyTotal,
    ItemOutcome,
    filter_items,
    iterate_outcomes,
    load_items,
    sum_by_currency,
    with_mails,
)
from invoices.exporting.kept import count_messages, templates_of
from invoices.exporting.progress import run_duration
from invoices.exporting.reasons import select_to_fix
from invoices.files.csv_tables import Column, CsvTable
from invoices.models import Company, Delivery, Export, ExportItem, Invoice, Platform
from invoices.money import show_amount
from invoices.platforms.answers import count_submissions
from invoices.platforms.submission import awaiting_submission
from invoices.printing import print_page
from invoices.printing.fonts import printable
from mailing.outbox import count_states

# A PDF of more lines would not be read, and keep every other printing waiting for more than some seconds: the CSV
# holds every line whatever their number.
PDF_LINES = 500
# Of what a line says in one cell: reasons of mail servers and hundreds of addresses are whole in the CSV.
PDF_CELL = 400


@dataclass(frozen=True, slots=True)
class Bordereau:
    """The head of the report: everything but the lines."""

    export: Export
    figures: ExportCounts
    choices: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    sums: list[CurrencyTotal]
    # state of mails → (its French word, count)
    mails: dict[str, tuple[str, int]]
    failed_mails: int
    duration: str
    # State of the submissions to a platform → count; and how many invoices could be submitted now.
    submissions: list[tuple[str, int]]
    to_submit: int

    @property
    def left_out(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """«À corriger», then «Écartées», each with its reasons in French and their counts."""
        groups = ((_("À corriger"), True), (_("Écartées"), False))
        return [
            (
                word,
                [
                    (str(ExportItem.Reason(reason).label), count)
                    for reason, count in select_to_fix(self.figures.left_out, is_to_fix=is_to_fix).items()
                ],
            )
            for word, is_to_fix in groups
        ]

    @property
    def failures(self) -> int:
        """What *Réessayer les échecs* would touch: failed lines, and mails that did not arrive."""
        return self.figures.failed + self.failed_mails


def read_bordereau(export: Export) -> Bordereau:
    """The head of the report of ``export``, in a bounded number of queries."""
    mails = Delivery.objects.filter(item__export=export).order_by().values_list("message", flat=True)
    counts = count_states(mails, count_messages(export))
    return Bordereau(
        export=export,
        figures=count_items(export),
        choices=describe_criteria(Criteria.from_json(export.criteria)),
        versions=_versions(export),
        sums=sum_by_currency(export, ExportItem.State.PUBLISHED),
        mails=counts,
        failed_mails=sum(counts[state][1] for state in ("deferred", "rejected", "bounced") if state in counts),
        duration=run_duration(export),
        submissions=count_submissions(export),
        to_submit=awaiting_submission(export).count() if Platform.objects.exists() else 0,
    )


def _versions(export: Export) -> list[tuple[str, str]]:
    """The messages and PDF templates that the run used, as people name them."""
    names = {
        "credentials": _("Envoi des identifiants"),
        "invoice": _("Facture disponible"),
        "invoices": _("Plusieurs factures disponibles"),
    }
    versions = [
        (names.get(key, key), _("version %(number)s") % {"number": number})
        for key, number in export.template_versions.items()
    ]
    labels = dict(Company.PdfTemplate.choices)
    used = templates_of(export)
    return [*versions, *((_("Modèle de facture"), str(labels.get(name, name))) for name in used)]


def outcome_words(line: ItemOutcome) -> str:
    """What became of a line: «publiée», «écartée : déjà exportée», «à corriger : …», «en échec : …»."""
    item = line.item
    if item.reason:
        return f"{line.badge.word}\u00a0: {line.reason}"
    if item.state == ExportItem.State.FAILED:
        return _("en échec : %(error)s") % {"error": item.error}
    words = str(line.badge.word)
    notes = [item.note, _("plateforme : %(said)s") % {"said": line.submission} if line.submission else ""]
    said = " ; ".join(filter(None, notes))
    return f"{words} ({said})" if said else words


def mail_words(line: ItemOutcome) -> str:
    """The mails of a line: «a@b.fr envoyée ; c@d.fr différée (motif)»."""
    parts = []
    for mail in line.mails:
        if mail.state is None:
            parts.append(mail.address)
            continue
        reason = (
            f" ({mail.state.reason})" if mail.state.reason and mail.state.state not in ("accepted", "written") else ""
        )
        parts.append(f"{mail.address} {mail.state.label}{reason}")
    return " ; ".join(parts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


REPORT_COLUMNS: tuple[Column[ItemOutcome], ...] = (
    Column(gettext_lazy("Export"), lambda line: line.item.export.number),
    Column(gettext_lazy("Facture"), lambda line: _one_line(line.item.invoice.number)),
    Column(gettext_lazy("Date"), lambda line: line.item.invoice.issue_date),
    Column(gettext_lazy("Code client"), lambda line: _one_line(line.item.invoice.customer.code)),
    Column(gettext_lazy("Client"), lambda line: _one_line(line.item.invoice.customer.name)),
    Column(gettext_lazy("Montant TTC"), lambda line: line.item.invoice.total_with_vat),
    Column(gettext_lazy("Devise"), lambda line: line.item.invoice.currency),
    Column(gettext_lazy("État"), lambda line: line.badge.word),
    Column(gettext_lazy("Résultat"), lambda line: _one_line(outcome_words(line))),
    Column(gettext_lazy("Mails"), lambda line: _one_line(mail_words(line))),
    Column(gettext_lazy("Empreinte SHA-256"), lambda line: line.item.document.sha256 if line.item.document else ""),
    Column(gettext_lazy("Terminée le"), lambda line: line.item.finished_at),
)


def write_csv(export: Export) -> Iterator[str]:
    """The lines of the report as French spreadsheets read them, one at a time."""
    return CsvTable(REPORT_COLUMNS).lines(iterate_outcomes(export))


PRINTED_COLUMNS: tuple[Column[ItemOutcome], ...] = (
    Column(gettext_lazy("Facture"), lambda line: line.item.invoice.number),
    Column(gettext_lazy("Date"), lambda line: write_date(line.item.invoice.issue_date)),
    Column(gettext_lazy("Client"), lambda line: line.item.invoice.customer),
    Column(gettext_lazy("Montant TTC"), lambda line: _amount(line.item.invoice), is_amount=True),
    Column(gettext_lazy("Résultat"), outcome_words, most=PDF_CELL),
    Column(gettext_lazy("Mails"), mail_words, most=PDF_CELL),
)


def _amount(invoice: Invoice) -> str:
    return show_amount(invoice.total_with_vat, invoice.currency)


def write_pdf(export: Export) -> bytes:
    """The report on paper; beyond PDF_LINES lines it says so, after the failures, which are always there."""
    head = read_bordereau(export)
    total = head.figures.candidates
    if total <= PDF_LINES:
        lines = list(iterate_outcomes(export))
    else:
        failed = filter_items(export, state=ExportItem.State.FAILED)[:PDF_LINES]
        lines = with_mails(load_items(failed))
        lines += list(islice((one for one in iterate_outcomes(export) if not one.item.error), PDF_LINES - len(lines)))
    html = render_to_string(
        "pdf/bordereau.html",
        {
            "head": head,
            "export": export,
            "company": Company.objects.filter(is_default=True).first(),
            "columns": PRINTED_COLUMNS,
            "lines": [[(column, column.shown(line)) for column in PRINTED_COLUMNS] for line in lines],
            "hidden": total - len(lines),
        },
    )
    return print_page(printable(html), _style())


@cache
def _style() -> str:
    folder = Path(__file__).resolve().parents[2] / "templates" / "pdf"
    return (folder / "bordereau.css").read_text(encoding="utf-8")


def exports_of(invoice: Invoice) -> list[ItemOutcome]:
    """Every list that holds ``invoice``, the latest first, with the mails that announced it; in three queries."""
    items = ExportItem.objects.filter(invoice=invoice).select_related("export", "document", "invoice__customer")
    return with_mails(list(items.order_by("-pk")))
