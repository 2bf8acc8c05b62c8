"""Tables of products and of people in ``tests/data/headers/tables.txt``: their columns, and the amounts they give."""

from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from customers.models import Customer
from invoices.files.tables import Table
from invoices.importing.mapping.proposal import propose
from invoices.importing.run import import_erp
from invoices.models import Invoice
from tests.support.factories import make_company

_FILE: Final = Path(__file__).resolve().parents[2] / "data" / "headers" / "tables.txt"


class _Case(NamedTuple):
    name: str
    text: str
    fields: list[str]
    invoices: dict[str, tuple[Decimal, ...]]


def _cases() -> list[_Case]:
    found = []
    for block in _FILE.read_text().strip().split("\n\n")[1:]:
        name, *lines = block.split("\n")
        stated = next((line[2:] for line in lines if line.startswith("= ")), "")
        invoices: dict[str, tuple[Decimal, ...]] = {}
        for each in filter(None, stated.split("; ")):
            number, net, vat, gross = each.rsplit(" ", 3)
            invoices[number] = (Decimal(net), Decimal(vat), Decimal(gross))
        fields = next(line[2:] for line in lines if line.startswith("> ")).split(" ")
        text = "\n".join(line for line in lines if not line.startswith(("> ", "= "))) + "\n"
        found.append(_Case(name.removeprefix("# "), text, fields, invoices))
    return found


CASES: Final = _cases()
IMPORTED: Final = [case for case in CASES if case.invoices]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_column_is_proposed_to_be_what_it_is(case: _Case) -> None:
    proposal = propose(Table("table.csv", case.text.encode()))
    assert proposal is not None
    wrong = [
        f"{column.name} is {column.shown_field or '-'}, not {allowed}"
        for column, allowed in zip(proposal.columns, case.fields, strict=True)
        if (column.shown_field or "-") not in allowed.split("/")
    ]
    assert not wrong


@pytest.mark.django_db
@pytest.mark.parametrize("case", IMPORTED, ids=[case.name for case in IMPORTED])
def test_the_amounts_are_those_of_the_table_and_the_second_time_nothing_changes(tmp_path: Path, case: _Case) -> None:
    make_company()
    for code, name, vat in (
        ("C0001", "Dupont SARL", "FR03552081317"), ("C0002", "Boulangerie Martin", ""), ("C0003", "Müller GmbH", ""),
    ):  # fmt: skip
        Customer.objects.create(code=code, name=name, siren=vat[4:], vat_identifier=vat)
    (tmp_path / "ventes.csv").write_text(case.text)
    report = import_erp([tmp_path])
    assert report.is_clean, [each.reason for each in report.rejected]
    rows = Invoice.objects.values_list("number", "total_without_vat", "total_vat", "total_with_vat")
    assert {number: amounts for number, *amounts in rows} == {
        number: list(amounts) for number, amounts in case.invoices.items()
    }
    assert not any(import_erp([tmp_path]).updated.values())
