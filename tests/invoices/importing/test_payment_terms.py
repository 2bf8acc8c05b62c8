"""Payment terms in the column of due dates, counted from the date of the invoice by hand."""

import datetime

import pytest

from invoices.importing.payment_terms import term_of

ISSUED = datetime.date(2025, 1, 15)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("à réception", "2025-01-15"),
        ("À réception de facture", "2025-01-15"),
        ("A réception de la facture", "2025-01-15"),
        ("Payable à réception", "2025-01-15"),
        ("comptant", "2025-01-15"),
        ("Comptant à réception", "2025-01-15"),
        ("Paiement comptant", "2025-01-15"),
        ("Paiement immédiat", "2025-01-15"),
        ("Due on receipt", "2025-01-15"),
        ("30 jours", "2025-02-14"),
        ("30 jours nets", "2025-02-14"),
        ("à 30 jours", "2025-02-14"),
        ("30 j", "2025-02-14"),
        ("30J", "2025-02-14"),
        ("30 jours date de facture", "2025-02-14"),
        ("30 jours date d'émission de facture", "2025-02-14"),
        ("Virement 30 jours", "2025-02-14"),
        ("Net 30", "2025-02-14"),
        ("45 jours", "2025-03-01"),
        ("30 jours fin de mois", "2025-02-28"),
        ("30 j fin de mois", "2025-02-28"),
        ("30 JFDM", "2025-02-28"),
        ("30j FDM", "2025-02-28"),
        ("30 jours FDM", "2025-02-28"),
        ("45 jours fin de mois", "2025-03-31"),
        ("45 jours fin de mois le 10", "2025-04-10"),
        ("30 jours fin de mois le 15", "2025-03-15"),
        ("60 jours fin de mois, le 10 du mois suivant", "2025-04-10"),
        ("30 jours le 10", "2025-03-10"),
        ("fin de mois", "2025-01-31"),
        ("Fin de mois + 45 jours", "2025-03-17"),
        ("fin du mois suivant", "2025-02-28"),
        ("le 10 du mois suivant", "2025-02-10"),
        ("1 mois", "2025-02-15"),
        ("2 mois fin de mois", "2025-03-31"),
    ],
)
def test_a_term_gives_a_due_date(text: str, due: str) -> None:
    term = term_of(text)
    assert term is not None
    assert term.due(ISSUED).isoformat() == due


def test_the_end_of_a_month_that_ends_in_the_delay_is_the_next_one() -> None:
    term = term_of("30 jours fin de mois")
    assert term is not None
    assert term.due(datetime.date(2025, 1, 31)) == datetime.date(2025, 3, 31)
    assert term.due(datetime.date(2024, 12, 31)) == datetime.date(2025, 1, 31)


@pytest.mark.parametrize(
    "text", ["", "30", "selon devis", "30 % à la commande", "15/02/2025", "à la livraison", "999 jours", "7 juin 2025"]
)
def test_other_texts_are_no_terms(text: str) -> None:
    assert term_of(text) is None
