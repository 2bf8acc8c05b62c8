"""Lines in any order, and troubles that show late: what is good is imported whichever way it is read."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoices.files.archives import GivenFile
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from invoices.importing.tables import invoices
from invoices.importing.tables import reader as table_reading
from invoices.importing.tables.reader import TableReader
from invoices.models import Invoice, InvoiceLine
from tests.support.factories import PDF_BYTES, make_company
from tests.support.import_files import CUSTOMERS, INVOICES, LINES, Rows, as_csv, changed, with_column

pytestmark = pytest.mark.django_db

NUMBER = 60


def _heads() -> Rows:
    amounts = {"total_ht": "30,00", "total_tva": "6,00", "total_ttc": "36,00"}
    return [{**INVOICES[1], **amounts, "numero": f"F{n:03}"} for n in range(NUMBER)]


def _lines() -> Rows:
    line = {**LINES[3], "quantite": "", "prix_unitaire_ht": ""}
    return [
        {**line, "numero": f"F{n:03}", "article": f"A{k}", "designation": f"Article {k}", "total_ht": f"{k},00"}
        for n in range(NUMBER)
        for k in (5, 10, 15)
    ]


def _import(heads: Rows, lines: Rows, *, dry_run: bool = False, after: str = "") -> ImportReport:
    files = {"clients": as_csv(CUSTOMERS), "factures": as_csv(heads), "lignes": as_csv(lines) + after}
    return import_erp([GivenFile(f"{name}.csv", text.encode()) for name, text in files.items()], dry_run=dry_run)


def _written() -> list[tuple[Any, ...]]:
    lines = InvoiceLine.objects.order_by("invoice__number", "position")
    return list(
        lines.values_list(
            "invoice__number", "position", "name", "net_amount", "invoice__content_hash", "invoice__version"
        )
    )


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invoices are written long before the last line is read."""
    monkeypatch.setattr(invoices, "BATCH", 10)
    monkeypatch.setattr(table_reading, "_PARTS_AT_ONCE", 7)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often all lines were read before anything was written."""
    found: list[str] = []
    read_lines = TableReader.read_lines

    def noting(reader: TableReader) -> None:
        found.append("all first")
        read_lines(reader)

    monkeypatch.setattr(TableReader, "read_lines", noting)
    return found


def test_lines_that_stand_invoice_by_invoice_are_read_once_and_written_meanwhile(readings: list[str]) -> None:
    with CaptureQueriesContext(connection) as statements:
        assert _import(_heads(), _lines()).created == {"customers": 2, "contacts": 0, "invoices": 60, "lines": 180}

    assert readings == []
    lookups = [
        each for each in statements.captured_queries if "content_hash" in each["sql"] and "SELECT" in each["sql"]
    ]
    assert len(lookups) == 6  # one for each ten invoices: they are compared while the next are read


def test_invoices_may_stand_in_another_order_than_their_lines(readings: list[str]) -> None:
    _import(_heads(), _lines())
    expected = _written()
    Invoice.objects.all().delete()

    assert _import(_heads()[::-1], _lines()).created["lines"] == 180
    assert _written() == expected
    assert readings == []


def _first_comes_back(lines: Rows) -> Rows:
    return [*lines[:2], *lines[3:], lines[2]]


def _by_article(lines: Rows) -> Rows:
    return sorted(lines, key=lambda line: int(line["article"][1:]))


def _in_no_order(lines: Rows) -> Rows:
    # Of an invoice, the lines' own order is the file's.
    numbers = [line["numero"] for line in lines]
    Random(7).shuffle(numbers)
    waiting = {number: iter([line for line in lines if line["numero"] == number]) for number in set(numbers)}
    return [next(waiting[number]) for number in numbers]


@pytest.mark.parametrize("place", [5, 15, 25, 59])
def test_an_invoice_that_comes_again_under_another_name_of_its_company_is_written_once(place: int) -> None:
    company = make_company()
    of_company = [{**head, "societe": company.name} for head in _heads()]
    of_company.insert(place, {**of_company[4], "societe": company.siren})
    lines = [{**line, "societe": company.name} for line in _lines()]
    lines[3 * place : 3 * place] = [{**line, "societe": company.siren} for line in lines[12:15]]

    report = _import(of_company, lines)

    if place < 10:  # in one batch
        assert [each["column"] for each in report.as_json()["rejected"]] == ["numero"]
    else:
        assert (report.is_clean, report.unchanged["invoices"]) == (True, 1)
    assert report.created["invoices"] == NUMBER
    assert len(_written()) == 3 * NUMBER


@pytest.mark.parametrize("arranged", [_first_comes_back, _by_article, _in_no_order])
def test_lines_in_any_other_order_give_the_same_invoices(arranged: Callable[[Rows], Rows], readings: list[str]) -> None:
    _import(_heads(), _lines())
    expected = _written()
    Invoice.objects.all().delete()

    report = _import(_heads(), arranged(_lines()))

    assert report.is_clean
    assert (report.created["invoices"], report.created["lines"]) == (60, 180)
    assert _written() == expected
    assert readings == ["all first"]


def test_changed_invoices_in_any_other_order_are_one_version_further() -> None:
    _import(_heads(), _lines())
    lines = [{**line, "designation": line["designation"] + " bis"} for line in _lines()]

    assert _import(_heads(), _first_comes_back(lines)).updated["invoices"] == 60

    assert {(name, version) for _, _, name, _, _, version in _written()} == {
        (f"Article {k} bis", 2) for k in (5, 10, 15)
    }


LAST = 3 * NUMBER - 1
TROUBLES: dict[str, tuple[Rows, Rows, str, int]] = {
    "a wrong cell": (_heads(), changed(_lines(), LAST, taux_tva="abc"), "", 59),
    "a line too many": (_heads(), [*_lines(), {**_lines()[0], "numero": "F999"}], "", 60),
    "a sum that does not hold": (_heads(), _lines()[:-1], "", 59),
    "an invoice without a line": (_heads(), _lines()[:-3], "", 59),
    "an invoice twice": ([*_heads(), {**_heads()[0], "reference": "BC 9"}], _lines(), "", 59),
    "a customer that is nobody": (changed(_heads(), NUMBER - 1, code_client="C9"), _lines(), "", 59),
    "a quote that is never closed": (_heads(), _lines(), '"F000";"A', 0),
    "a wrong cell of an invoice that is written": (_heads(), [*_lines(), {**_lines()[0], "taux_tva": "abc"}], "", 59),
    "a sum, then a wrong cell": (
        _heads(), changed(changed(_lines(), 0, total_ht="6,00"), LAST, taux_tva="abc"), "", 58
    ),
    "a sum, then a line that comes back": (_heads(), _first_comes_back(changed(_lines(), 4, total_ht="11,00")), "", 59),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_trouble_at_the_very_end_costs_its_own_invoice_and_is_reported_as_by_a_check(trouble: str) -> None:
    heads, lines, after, good = TROUBLES[trouble]
    checked = _import(heads, lines, dry_run=True, after=after).as_json()

    report = _import(heads, lines, after=after)

    told = report.as_json()
    for report_of in (told, checked):
        del report_of["journal"]["gaps"], report_of["journal"]["has_more_gaps"]  # looked for among what was written
    assert told == checked
    assert not report.is_clean
    assert report.created["invoices"] == Invoice.objects.count() == good
    assert InvoiceLine.objects.count() == 3 * good


def test_several_troubles_are_reported_at_once_wherever_they_are() -> None:
    lines = changed(changed(_lines(), 1, taux_tva="abc"), LAST, remise="120")

    rejected = _import(_heads(), lines).as_json()["rejected"]

    assert [(each["line"], each["column"]) for each in rejected] == [(3, "taux_tva"), (LAST + 2, "remise")]


def test_invoices_that_came_with_their_pdf_need_no_lines_beside_others(tmp_path: Path, readings: list[str]) -> None:
    names = ["f0.pdf" if n % 20 == 0 else "" for n in range(NUMBER)]
    (tmp_path / "f0.pdf").write_bytes(PDF_BYTES)
    (tmp_path / "clients.csv").write_text(as_csv(CUSTOMERS))
    (tmp_path / "factures.csv").write_text(as_csv(with_column(_heads(), "pdf", *names)))
    (tmp_path / "lignes.csv").write_text(as_csv([line for line in _lines() if int(line["numero"][1:]) % 20]))

    report = import_erp([tmp_path])

    assert report.as_json()["rejected"] == []
    assert (report.created["invoices"], report.created["lines"]) == (60, 171)
    assert Invoice.objects.filter(origin=Invoice.Origin.PDF).count() == 3
    assert readings == []


def test_progress_is_shown_of_what_is_in_hand() -> None:
    heads = [{**_heads()[0], "numero": f"F{n}"} for n in range(1001)]
    lines = [{**LINES[3], "numero": f"F{n}", "total_ht": "30,00", "quantite": ""} for n in range(1001)]
    told: list[tuple[str, int]] = []
    files = {"clients": CUSTOMERS, "factures": heads, "lignes": lines}

    report = import_erp(
        [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in files.items()],
        progress=lambda stage, done: told.append((stage, done)),
    )

    assert report.is_clean
    assert told == [("lecture", 1000), ("factures", 1000)]
