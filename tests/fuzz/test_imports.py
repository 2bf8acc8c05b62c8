"""Hostile tables all the way into the database: each row is written or refused with a sentence, and nothing breaks."""

from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from invoices.files.archives import GivenFile
from invoices.importing.directory_file import read_directory_file
from invoices.importing.payments import import_payments
from invoices.importing.run import import_erp
from tests.fuzz.drawing import CELLS, MANY, damaged
from tests.support import import_files
from tests.support.factories import make_invoice

pytestmark = pytest.mark.django_db

FLAT = (
    "N° facture;Date facture;Code client;Raison sociale;Total HT facture;Total TVA facture;Total TTC facture;"
    "Désignation;Quantité;Prix unitaire HT;Taux TVA;Montant HT ligne"
)
SOUND = "F1;01/02/2025;C1;Client;10,00;2,00;12,00;Livraison;1;10,00;20,00;10,00"
PAYMENTS = "numero;date;montant;siren"
DIRECTORY = "siren;adresse;siret;code_routage;libelle;statut"


@st.composite
def tables(draw: st.DrawFn, header: str, sound: str) -> bytes:
    """Rows under ``header``: of the ``sound`` one with some cells replaced, left out or added."""
    lines = [header]
    for _row in range(draw(st.integers(1, 4))):
        cells = [draw(CELLS) if draw(st.integers(0, 5)) == 0 else cell for cell in sound.split(";")]
        lines.append(";".join(cells[: draw(st.integers(1, 40))] + draw(st.lists(CELLS, max_size=1))))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def import_flat(data: bytes) -> None:
    """Written or refused, the whole of it."""
    import_erp([GivenFile("export.csv", data)])


def import_of_four(data: bytes) -> None:
    """The invoices of the ERP's own tables, beside sound ones of customers and lines."""
    others = {name: rows for name, rows in import_files.TABLES.items() if name != "factures"}
    import_erp(
        [
            GivenFile("factures.csv", data),
            *(GivenFile(f"{name}.csv", import_files.as_csv(rows).encode()) for name, rows in others.items()),
        ]
    )


@pytest.mark.parametrize(
    ("read", "drawn"),
    [
        pytest.param(import_flat, tables(FLAT, SOUND), id="flat"),
        pytest.param(import_of_four, damaged(import_files.as_csv(import_files.INVOICES).encode()), id="four tables"),
        pytest.param(
            lambda data: import_payments(data, "reglements.csv"), tables(PAYMENTS, "F1;01/02/2025;1"), id="payments"
        ),
        pytest.param(
            lambda data: read_directory_file(data, "annuaire.csv"),
            tables(DIRECTORY, "552100554;552100554;;;;ouvert"),
            id="directory",
        ),
    ],
)
def test_a_hostile_table_is_written_or_refused(
    read: Callable[[bytes], object], drawn: st.SearchStrategy[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    make_invoice(number="F1")

    @MANY
    @given(drawn)
    def try_one(data: bytes) -> None:
        with transaction.atomic():
            read(data)
            transaction.set_rollback(True)

    try_one()
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
