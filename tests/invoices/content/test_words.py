"""Full-text search by the words of the lines: accents and case, beginnings, scripts, and no one else's."""

from collections.abc import Iterable
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from invoices.content.words import index_what_was_missed, index_words, says, words_in
from invoices.models import Invoice, InvoiceWords
from tests.support.factories import make_company, make_customer, make_invoice, make_published_invoice


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Béton prêt à l’emploi C25/30", ["beton", "pret", "a", "l", "emploi", "c25", "30"]),
        ("ŒUVRE STRASSE straße", ["œuvre", "strasse"]),
        ("ﬁltre № 7 – ﬁltre", ["filtre", "no", "7"]),
        ("音楽教室 カノ", ["音", "楽", "教", "室", "カ", "ノ"]),
        ("خدمات الطباعة", ["خدمات", "الطباعة"]),
        ("_a__b_ 'x' & y:* <z>", ["a", "b", "x", "y", "z"]),
        ("", []),
        ("x" * 300, ["x" * 40]),
    ],
)
def test_words_are_cut_and_folded(text: str, words: list[str]) -> None:
    assert words_in(text) == words


def invoice_saying(
    customer: Customer, name: str, *, details: dict[str, str] | None = None, code: str = "A1"
) -> Invoice:
    """A published invoice of one line, in the index."""
    invoice = make_published_invoice(customer=customer)
    invoice.lines.update(name=name, item_code=code, details=details or {})
    index_words([Invoice.objects.get(pk=invoice.pk)])
    return invoice


def found(word: str, customers: Iterable[Customer]) -> set[Invoice]:
    return set(Invoice.objects.filter(says(word, [customer.pk for customer in customers])))


@pytest.mark.django_db
class TestSearch:
    """With the database."""

    @pytest.mark.parametrize(
        "word",
        ["béton", "BETON", "bét", "prêt", "c25", "C25/30", "emploi", "l’emploi", "cim", "fibre", "lot", "ref-88"],
    )
    def test_a_line_is_found_by_its_words_and_their_beginnings(self, word: str) -> None:
        customer = make_customer()
        told = {"description": "Ciment CEM II, fibré", "note": "Lot 12"}
        invoice = invoice_saying(customer, "Béton prêt à l’emploi C25/30", details=told, code="REF-88")
        invoice_saying(customer, "Sable")

        assert found(word, [customer]) == {invoice}

    @pytest.mark.parametrize("word", ["éton", "bétonnière", "'", "*", '"', "%", "_", "z:*", "béton*)", "", "NOT béton"])
    def test_ends_of_words_and_signs_of_query_languages_find_nothing(self, word: str) -> None:
        customer = make_customer()
        invoice = invoice_saying(customer, "Béton prêt à l’emploi")

        assert found(word, [customer]) == ({invoice} if words_in(word) == ["beton"] else set())

    @pytest.mark.parametrize(
        ("name", "word"), [("音楽教室の月謝", "教室"), ("خدمات الطباعة", "خدم"), ("Ремонт", "РЕМ")]
    )
    def test_other_scripts_are_found(self, name: str, word: str) -> None:
        customer = make_customer()
        invoice = invoice_saying(customer, name)

        assert found(word, [customer]) == {invoice}

    def test_only_ones_own_invoices_are_found(self) -> None:
        first, second = (make_customer() for _number in range(2))
        mine, other = (invoice_saying(customer, "Béton") for customer in (first, second))

        assert found("béton", [first]) == {mine}
        assert found("béton", [first, second]) == {mine, other}
        assert found("béton", []) == set()
        assert found(f"{second.pk}_beton", [first]) == set()

    def test_an_account_of_very_many_customers_is_served(self) -> None:
        customer = make_customer()
        invoice = invoice_saying(customer, "Béton")
        many = [Customer(pk=customer.pk + number) for number in range(2000)]

        assert found("béton", many) == {invoice}

    def test_a_batch_costs_one_statement(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        customer, company = make_customer(), make_company()
        for _number in range(5):
            make_published_invoice(customer=customer, company=company)
        invoices = list(Invoice.objects.prefetch_related("lines"))
        with django_assert_num_queries(1):
            assert index_words(invoices) == 5
        assert index_words(invoices) == 5
        assert InvoiceWords.objects.count() == 5

    def test_an_invoice_that_is_gone_is_forgotten(self) -> None:
        customer = make_customer()
        invoice = make_invoice(customer=customer)
        index_words([invoice])
        assert found("prestation", [customer]) == {invoice}

        invoice.delete()

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM invoices_invoicewords")
            assert cursor.fetchone() == (0,)
        assert found("prestation", [customer]) == set()

    def test_the_worker_sees_to_what_a_program_of_before_published(self) -> None:
        customer = make_customer()
        invoice = make_published_invoice(customer=customer)
        make_invoice(customer=customer)

        assert (index_what_was_missed(), index_what_was_missed()) == (1, 0)
        assert found("prestation", [customer]) == {invoice}

    def test_what_was_published_before_is_filled_in_in_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        customer, company = make_customer(), make_company()
        published = {make_published_invoice(customer=customer, company=company) for _number in range(5)}
        make_invoice(customer=customer, company=company)
        make_published_invoice(customer=customer, company=company, with_line=False)
        fill = import_module("invoices.migrations.0028_words_of_published")
        monkeypatch.setattr(fill, "AT_ONCE", 2)

        for _once_more in range(2):
            fill.write_words(apps, None)
            assert found("prestation", [customer]) == published
            assert InvoiceWords.objects.count() == 5


@pytest.mark.django_db
def test_lines_without_a_word_are_looked_through_once() -> None:
    invoice = make_published_invoice()
    invoice.lines.update(name="***", item_code="")
    InvoiceWords.objects.all().delete()

    assert index_what_was_missed() == 1
    assert index_what_was_missed() == 0
