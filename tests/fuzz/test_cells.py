"""Hostile cells and tables: each parser of the import gives a value or refuses with a sentence; it never breaks."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.en16931.countries import country_code
from invoices.en16931.units import unit_code
from invoices.en16931.vat import category_of_words
from invoices.files.tables import Table, UnreadableTable
from invoices.importing.mapping.names import candidates
from invoices.importing.mapping.proposal import propose
from invoices.importing.mapping.values import DateOrder, rate_in, read_number
from invoices.importing.payment_terms import term_of
from invoices.importing.tables.cells import amount_text, date_text, number_text, optional_date_text, whole_postcode
from invoices.importing.tables.columns import UnknownHeader, recognise
from invoices.importing.tables.customer_words import copies_text, customer_kind
from invoices.importing.tables.customers import email_text
from invoices.importing.tables.invoice_rows import business_process, currency_text, due_date_text, type_code
from invoices.importing.tables.line_rows import category_text, line_rate_text
from invoices.importing.values import BadValue, addresses_in, are_ambiguous, bare_code, currency_of_amounts, parse_flag
from tests.fuzz.drawing import CELLS, MANY

PARSERS: list[Callable[[str], Any]] = [
    amount_text, number_text, date_text, optional_date_text, due_date_text, line_rate_text, category_text, type_code,
    currency_text, business_process, customer_kind, copies_text, email_text, parse_flag, bare_code, country_code,
    unit_code,
    category_of_words, term_of, candidates,
]  # fmt: skip
OTHERS: dict[str, Callable[[str], Any]] = {
    "addresses_in": addresses_in,
    "are_ambiguous": lambda text: are_ambiguous([text, "1,000"]),
    "currency_of_amounts": lambda text: currency_of_amounts("", [text]),
    "postcode": lambda text: whole_postcode(text, "FR"),
    "read_number": lambda text: read_number(text, ","),
    "rate_in": lambda text: rate_in(text, "."),
    "DateOrder": DateOrder(None).read,
}


@pytest.mark.parametrize(
    "parse",
    [pytest.param(each, id=each.__name__) for each in PARSERS]
    + [pytest.param(each, id=name) for name, each in OTHERS.items()],
)
def test_a_cell_is_read_or_refused(parse: Callable[[str], Any]) -> None:
    @MANY
    @given(CELLS)
    def is_read_or_refused(text: str) -> None:
        with contextlib.suppress(BadValue):
            parse(text)

    is_read_or_refused()


HEADERS = st.sampled_from(
    (
        *(
            "numero",
            "date",
            "code_client",
            "total_ht",
            "total_tva",
            "total_ttc",
            "Client",
            "N°",
            "Qté",
            "PU",
            "HT",
            "TVA",
        ),
        *("TTC", "Désignation", "Total", "Tiers", "Statut", "x"),
    )
)
ROWS = st.lists(st.lists(CELLS, max_size=8), max_size=6)


def test_a_table_is_recognised_or_refused() -> None:
    @MANY
    @given(st.lists(HEADERS, max_size=8), ROWS, st.sampled_from(";,\t|"))
    def is_recognised_or_refused(header: list[str], rows: list[list[str]], separator: str) -> None:
        text = "\n".join(separator.join(row) for row in (header, *rows))
        table = Table("table.csv", text.encode("utf-8", "surrogatepass"))
        for read in (recognise, propose):
            with contextlib.suppress(UnknownHeader, UnreadableTable):
                read(table)

    is_recognised_or_refused()
