"""What is typed in *Rechercher*, and what it finds."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.utils.translation import override

from invoices.content.words import index_words
from invoices.models import Invoice
from portal.space.searching import Period, Search, read_search
from tests.support.factories import make_account, make_customer, make_published_invoice

JANUARY = Search(periods=(Period(date(2026, 1, 1), date(2026, 1, 31)),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18000135", Search(words=("18000135",))),
        ("CMD-00012", Search(words=("CMD-00012",))),
        ("1 234,50 €", Search(amounts=(Decimal("1234.50"),))),
        ("1\u202f234,50\u00a0€", Search(amounts=(Decimal("1234.50"),))),
        ("1234.5", Search(amounts=(Decimal("1234.5"),))),
        ("120 euros", Search(amounts=(Decimal(120),))),
        ("07/06/2022", Search(periods=(Period(date(2022, 6, 7), date(2022, 6, 7)),))),
        ("2022-06-07", Search(periods=(Period(date(2022, 6, 7), date(2022, 6, 7)),))),
        ("du 01/01/2025 au 31/03/2025", Search(periods=(Period(date(2025, 1, 1), date(2025, 3, 31)),))),
        ("31/03/2025 - 01/01/2025", Search(periods=(Period(date(2025, 1, 1), date(2025, 3, 31)),))),
        ("juin 2025", Search(periods=(Period(date(2025, 6, 1), date(2025, 6, 30)),))),
        ("Février 2024", Search(periods=(Period(date(2024, 2, 1), date(2024, 2, 29)),))),
        ("02/2024", Search(periods=(Period(date(2024, 2, 1), date(2024, 2, 29)),))),
        ("2024-02", Search(periods=(Period(date(2024, 2, 1), date(2024, 2, 29)),))),
        ("T2 2025", Search(periods=(Period(date(2025, 4, 1), date(2025, 6, 30)),))),
        ("1er trimestre 2025", Search(periods=(Period(date(2025, 1, 1), date(2025, 3, 31)),))),
        ("août", Search(months=(8,))),
        (
            "facture de juin 2025 120,00",
            Search((Period(date(2025, 6, 1), date(2025, 6, 30)),), (), (Decimal("120.00"),)),
        ),
        ("janv 2026", JANUARY),
        ("Janv. 2026", JANUARY),
        ("January 2026", JANUARY),
        ("Jan 2026", JANUARY),
        ("enero de 2026", JANUARY),
        ("ene. 2026", JANUARY),
        ("Jänner 2026", Search(words=("Jänner", "2026"))),
        ("Januar 2026", JANUARY),
        ("01/2026", JANUARY),
        ("1/2026", JANUARY),
        ("2026-01", JANUARY),
        ("janv. 26", JANUARY),
        ("Janvier 26", JANUARY),
        ("janv.2026", JANUARY),
        ("ene. de 26", JANUARY),
        ("juin 12,34", Search(months=(6,), amounts=(Decimal("12.34"),))),
        ("juin 12 €", Search(months=(6,), amounts=(Decimal(12),))),
        ("15 janvier 2026", Search(periods=(Period(date(2026, 1, 15), date(2026, 1, 15)),))),
        ("1er janv. 26", Search(periods=(Period(date(2026, 1, 1), date(2026, 1, 1)),))),
        ("15. Jan. 2026", Search(periods=(Period(date(2026, 1, 15), date(2026, 1, 15)),))),
        ("15 de enero de 2026", Search(periods=(Period(date(2026, 1, 15), date(2026, 1, 15)),))),
        ("31 février 2026", Search((Period(date(2026, 2, 1), date(2026, 2, 28)),), words=("31",))),
        ("15/01/26", Search(periods=(Period(date(2026, 1, 15), date(2026, 1, 15)),))),
        ("15.1.26", Search(periods=(Period(date(2026, 1, 15), date(2026, 1, 15)),))),
        ("25-06-12", Search(words=("25-06-12",))),
        ("T1-2026", Search(periods=(Period(date(2026, 1, 1), date(2026, 3, 31)),))),
        ("1T 2026", Search(periods=(Period(date(2026, 1, 1), date(2026, 3, 31)),))),
        ("T1-2026-007", Search(words=("T1-2026-007",))),
        ("−1\u202f234,50\u00a0€", Search(amounts=(Decimal("1234.50"),))),
        ("-1234,5", Search(amounts=(Decimal("1234.5"),))),
        ("1.234.567,89", Search(amounts=(Decimal("1234567.89"),))),
        ("$1,234.50", Search(amounts=(Decimal("1234.50"),))),
        ("1’234.50 CHF", Search(amounts=(Decimal("1234.50"),))),
        ("EUR 1234,50", Search(amounts=(Decimal("1234.50"),))),
        ("118 518 518,52 US$", Search(amounts=(Decimal("118518518.52"),))),
        ("1 800 JPY", Search(amounts=(Decimal(1800),))),
        ("1.234", Search(words=("1.234",))),
        ("12 murs", Search(words=("12", "murs"))),
        ("n°000123", Search(words=("000123",))),
        ("№ 000123", Search(words=("000123",))),
        ("Facture N° FAC-7 du 15/01/2026", Search((Period(date(2026, 1, 15), date(2026, 1, 15)),), words=("FAC-7",))),
        ("« 000123 »", Search(words=("000123",))),
        ('"louis xv"', Search(words=("louis", "xv"))),
        ("chaise | table", Search(words=("chaise", "table"))),
        ("béton – sable", Search(words=("béton", "sable"))),
        ("chaise:* & !table", Search(words=("chaise", "table"))),
        ("\ufeffchaise\u200b\u202e", Search(words=("chaise",))),
        ("&", Search(words=("&",))),
        ("sept 2025", Search(periods=(Period(date(2025, 9, 1), date(2025, 9, 30)),))),
        ("Déc. 2025", Search(periods=(Period(date(2025, 12, 1), date(2025, 12, 31)),))),
        ("Mär. 2025", Search(periods=(Period(date(2025, 3, 1), date(2025, 3, 31)),))),
        ("DEC-2026-0001", Search(words=("DEC-2026-0001",))),
        ("jan 2026-01-002", Search(words=("jan", "2026-01-002"))),
        ("jui 2025", Search(words=("jui", "2025"))),
        ("dupont 2025", Search(words=("dupont", "2025"))),
        ("31/02/2025", Search(words=("31/02/2025",))),
        ("13/2025", Search(words=("13/2025",))),
        ("\x00", Search()),
        ("   ", Search()),
    ],
)
def test_a_search_is_read_as_people_write(text: str, expected: Search) -> None:
    assert read_search(text) == expected


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Invoice No. 7 dated 15 Jan 2026 $1,234.50"),
        ("de", "Rechnung Nr. 7 vom 15.01.2026 1.234,50 €"),
        ("es", "Factura N.º 7 del 15 ene 2026 1234,50 €"),
    ],
)
def test_what_a_page_says_of_an_invoice_is_sought_as_it_was_copied(language: str, title: str) -> None:
    day = Period(date(2026, 1, 15), date(2026, 1, 15))
    with override(language):
        assert read_search(title) == Search((day,), (), (Decimal("1234.50"),), ("7",))


def test_a_huge_search_is_cut() -> None:
    assert len(read_search("mot " * 10_000).words) == 1
    assert len(read_search(" ".join(f"m{n}" for n in range(10_000))).words) <= 8


@pytest.mark.django_db
def test_a_search_finds_by_number_reference_amount_period_and_customer_in_all_years(client: Client) -> None:
    customer = make_customer(code="000008", name="Köhler & Fils")
    client.force_login(make_account(customer), backend="customers.authentication.AccountBackend")
    make_published_invoice(customer=customer, number="18000135", issue_date=date(2022, 6, 7), total_without_vat="10.28")
    make_published_invoice(
        customer=customer, number="19000001", issue_date=date(2025, 6, 1), purchase_order_reference="CMD-É7"
    )
    make_published_invoice(
        customer=customer, number="A19000002", issue_date=date(2025, 7, 1), kind=Invoice.Kind.CREDIT_NOTE
    )
    make_published_invoice(number="18000135-OTHER", issue_date=date(2022, 6, 7))

    def found(text: str) -> list[str]:
        return [
            line.number
            for period in client.get("/factures/", {"q": text}).context["periods"]
            for line in period.invoices
        ]

    assert found("18000135") == ["18000135"]
    assert found("0135") == ["18000135"]
    assert found("cmd-É7") == ["19000001"]
    assert found("12,34") == ["18000135"]
    assert found("12") == ["18000135"]
    assert found("juin") == ["19000001", "18000135"]
    assert found("2025") == ["A19000002", "19000001"]
    assert found("avoir 2025") == ["A19000002"]
    assert found("kohler 2022") == ["18000135"]
    assert found("juin 12,34") == ["18000135"]
    assert found("19 000 001") == []
    assert found("12 €") == ["18000135"]
    assert found("rien") == []
    assert found("%") == []
    assert found("_") == []
    assert found("'; DROP TABLE invoices_invoice; --") == []


@pytest.mark.django_db
def test_what_a_search_finds_is_gathered_by_years_and_the_sums_of_years_are_not_beside_it(client: Client) -> None:
    customer = make_customer()
    client.force_login(make_account(customer), backend="customers.authentication.AccountBackend")
    for number, day in (("F-1", date(2024, 11, 3)), ("F-2", date(2025, 1, 31)), ("F-3", date(2025, 12, 1))):
        make_published_invoice(customer=customer, number=number, issue_date=day)

    page = client.get("/factures/", {"q": "F-"})

    assert [(each.first.year, [line.number for line in each.invoices]) for each in page.context["periods"]] == [
        (2025, ["F-3", "F-2"]),
        (2024, ["F-1"]),
    ]
    headings = re.findall(r"<h3[^>]*>\s*(.*?)\s*</h3>", page.content.decode(), re.S)
    assert headings == ["2025", "2024"]
    assert 'class="years"' not in page.content.decode()
    assert 'class="years"' in client.get("/factures/").content.decode()


@pytest.mark.django_db
def test_a_search_finds_by_words_of_the_lines_of_ones_own_invoices_only(client: Client) -> None:
    customer = make_customer()
    client.force_login(make_account(customer), backend="customers.authentication.AccountBackend")
    for number, name, owner in (
        ("1", "Béton prêt à l’emploi C25/30", customer),
        ("2", "Location d’une bétonnière", customer),
        ("3", "Béton prêt à l’emploi C25/30", make_customer()),
    ):
        invoice = make_published_invoice(customer=owner, number=number, issue_date=date(2025, 6, 7))
        invoice.lines.update(name=name)
        index_words([invoice])

    def found(text: str) -> set[str]:
        periods = client.get("/factures/", {"q": text}).context["periods"]
        return {line.number for period in periods for line in period.invoices}

    assert found("beton") == {"1", "2"}
    assert found("BÉTON emploi") == {"1"}
    assert found("bétonnière juin 2025") == {"2"}
    assert found("bétonnière mai") == set()
    assert found("emplois") == set()


@pytest.mark.django_db
def test_apostrophes_dashes_and_ligatures_are_found_however_they_are_typed(client: Client) -> None:
    customer = make_customer(name="Épicerie de l’Étoile‐d’Or & Fils")
    client.force_login(make_account(customer), backend="customers.authentication.AccountBackend")
    for number, name in (("FAC-1", "Bois d’œuvre"), ("FAC-2", "Hors d'oeuvre"), ("FAC-3", "Curriculum vitæ")):
        invoice = make_published_invoice(customer=customer, number=number, issue_date=date(2025, 6, 7))
        invoice.lines.update(name=name)
        index_words([invoice])

    def found(text: str) -> set[str]:
        periods = client.get("/factures/", {"q": text}).context["periods"]
        return {line.number for period in periods for line in period.invoices}

    everything = {"FAC-1", "FAC-2", "FAC-3"}
    assert found("d'oeuvre") == found("d’œuvre") == found("ŒUVRE") == {"FAC-1", "FAC-2"}
    assert found("vitae") == found("vitæ") == {"FAC-3"}
    assert found("l'etoile-d'or") == found("l’Étoile–d’or") == found("& fils") == everything
    assert found("FAC–3") == found("ＦＡＣ－３") == {"FAC-3"}
