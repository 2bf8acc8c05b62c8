"""Export WEB › Factures: the tab *Export*, which is the list and its ticks."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from customers.recipients import ContactRules
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.items import badge_of, reason_of
from invoices.models import Export, ExportItem, Invoice
from tests.support.back_office import SCREEN, list_url, words
from tests.support.factories import make_contact, make_customer, make_invoice

pytestmark = pytest.mark.django_db

State, Reason = ExportItem.State, ExportItem.Reason
FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)


def line_of(export: Export, invoice: Invoice) -> ExportItem:
    return ExportItem.objects.get(export=export, invoice=invoice)


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)


@pytest.mark.parametrize("reason", ["", *Reason.values])
@pytest.mark.parametrize("state", State.values)
def test_a_line_says_its_state_and_reason_in_the_words_of_their_choices(state: str, reason: str) -> None:
    item = ExportItem(state=state, reason=reason)
    assert reason_of(item) == item.get_reason_display()
    if not reason:
        assert badge_of(item).word == item.get_state_display()


# ─── Export: the list ────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_list_shows_each_line_with_its_recipients_as_they_will_be_used(staff_client: Client) -> None:
    customer = make_customer(email="siege@client.example")
    make_contact(customer, email="compta@client.example", is_main=True)
    ready = make_invoice(customer=customer, number="F-1", total_without_vat="1000.00")
    make_invoice(customer=make_customer(invoice_copies="2"), number="F-2")
    export = create_export(criteria=Criteria(generate_credentials=True, contacts=ContactRules(use_contacts=True)))

    page = words(staff_client.get(list_url(export), {"etat": "toutes"}))

    assert "1 facture prête 1 200,00 €" in page
    assert f"F-1 07/06/2025 {ready.customer} 1 200,00 € compta@client.example compte à créer prête" in page
    assert "siege@client.example" not in page
    assert "0 à corriger · 1 écartée" in page
    assert "écartée pas en D (démat) Passer en D" in page
    assert "Exporter 1 facture" in page


def test_a_list_opens_on_what_is_about_to_leave_and_then_on_all_of_it(staff_client: Client) -> None:
    make_invoice(customer=make_customer(), number="F-1")
    make_invoice(customer=make_customer(invoice_copies="2"), number="F-2")
    export = create_export(criteria=Criteria(generate_credentials=True))

    def shown(query: str = "") -> list[str]:
        page = staff_client.get(f"{list_url(export)}{query}")
        return [line.line.item.invoice.number for line in page.context["lines"]]

    page = staff_client.get(list_url(export))
    assert [(choice.label, choice.url, choice.is_current) for choice in page.context["states"]] == [
        ("toutes", "?etat=toutes", False),
        ("prêtes", "?etat=ready", True),
        ("écartées", "?etat=set_aside", False),
    ]
    assert (shown(), shown("?etat=toutes"), shown("?q=F-2")) == (["F-1"], ["F-1", "F-2"], ["F-2"])

    # What the one button unticked, the other takes back: both are there without a filter.
    page = staff_client.post(list_url(export, "coches/toutes/"), {"cocher": "non"}, follow=True)
    assert "Cocher 1 ligne" in words(page)
    assert shown() == ["F-1", "F-2"]


def test_the_list_is_filtered_by_state_reason_and_name(staff_client: Client) -> None:
    make_invoice(number="PRETE-1", customer=make_customer(name="Établissements Durand"))
    make_invoice(number="PAPIER-1", customer=make_customer(invoice_copies="1"))
    make_invoice(number="SANS-1", customer=make_customer(email=""))
    export = create_export(criteria=FULL)

    def numbers(query: str) -> list[str]:
        return re.findall(r"[A-Z]+-1", words(staff_client.get(list_url(export, query))))

    assert numbers("?etat=ready") == ["PRETE-1"]
    assert numbers("?etat=left_out") == ["SANS-1"]
    assert numbers("?etat=set_aside") == ["PAPIER-1"]
    assert numbers("?motif=not_dematerialised") == ["PAPIER-1"]
    assert numbers("?etat=left_out&motif=no_address") == ["SANS-1"]
    assert numbers("?q=durand") == ["PRETE-1"]
    assert numbers("?q=sans-") == ["SANS-1"]
    assert numbers("?etat=absurde&page=douze") == ["PAPIER-1", "PRETE-1", "SANS-1"]


def test_the_list_costs_the_same_queries_at_20_and_500_lines(staff_client: Client) -> None:
    customers = [make_customer() for _number in range(20)]
    invoices = [make_invoice(customer=customer, with_line=False) for customer in customers]
    small = create_export(criteria=FULL)
    template = invoices[0]
    Invoice.objects.bulk_create(
        Invoice(
            company=template.company,
            customer=customers[number % 20],
            number=f"B{number:05}",
            issue_date=template.issue_date,
            total_without_vat=1,
            total_vat=0,
            total_with_vat=1,
            amount_due=1,
            content_hash="0" * 64,
        )
        for number in range(480)
    )
    large = create_export(criteria=FULL)
    assert large.items.count() == 500
    staff_client.get(list_url(small))  # what is read once per process

    for what in ("", "?etat=ready", "bordereau/"):
        assert queries(staff_client, list_url(large, what)) == queries(staff_client, list_url(small, what))
    assert queries(staff_client, list_url(large, "?page=10")) <= queries(staff_client, list_url(small))
    assert queries(staff_client, f"{SCREEN}export/") < 40


def test_lines_are_unticked_and_ticked_again(staff_client: Client) -> None:
    make_invoice()
    make_invoice()
    export = create_export(criteria=FULL)
    first, second = export.items.order_by("pk")

    ticked = {"shown": [first.pk, second.pk], "ticked": [first.pk]}
    answer = staff_client.post(list_url(export, "coches/"), ticked, follow=True)
    assert "1 ligne décochée, 0 ligne cochée." in words(answer)
    assert [item.state for item in export.items.order_by("pk")] == [State.READY, State.EXCLUDED]
    page = words(staff_client.get(list_url(export)))
    assert "1 facture prête 120,00 € 0 à corriger · 1 décochée" in page

    response = staff_client.post(
        list_url(export, "coches/?etat=excluded"), {"shown": [second.pk], "ticked": [second.pk]}
    )
    assert response["Location"] == list_url(export, "?etat=excluded")
    assert {item.state for item in export.items.all()} == {State.READY}


def test_ticks_of_another_list_or_of_one_that_has_left_change_nothing(staff_client: Client) -> None:
    make_invoice()
    export, other = create_export(criteria=FULL), create_export(criteria=FULL)
    foreign = other.items.get()

    staff_client.post(list_url(export, "coches/"), {"shown": [foreign.pk, "x"], "ticked": []})
    foreign.refresh_from_db()
    assert foreign.state == State.READY

    start_export(export=other)
    response = staff_client.post(list_url(other, "coches/"), {"shown": [foreign.pk], "ticked": []}, follow=True)
    foreign.refresh_from_db()
    assert foreign.state == State.READY
    assert "La liste est déjà partie" in words(response)


def told() -> list[str]:
    """What the history says of actions on all lines, with ordinary spaces."""
    messages = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    return [message.replace("\u00a0", " ") for message in messages if "," not in message]


def test_all_lines_of_the_list_are_unticked_and_ticked_again_in_one_statement_each(staff_client: Client) -> None:
    for _number in range(60):  # more than a page
        make_invoice(with_line=False)
    make_invoice(customer=make_customer(invoice_copies="1"))
    export = create_export(criteria=FULL)
    page = words(staff_client.get(list_url(export)))
    assert "Toute la liste Décocher 60 lignes" in page
    assert "Cocher 0" not in page

    with CaptureQueriesContext(connection) as captured:
        answer = staff_client.post(list_url(export, "coches/toutes/"), {"cocher": "non"})
    assert sum(query["sql"].startswith('UPDATE "invoices_exportitem"') for query in captured) == 1
    assert answer["Location"] == list_url(export)
    page = words(staff_client.get(list_url(export)))
    assert "60 lignes décochées." in page
    assert "0 à corriger · 1 écartée · 60 décochées" in page
    staff_client.post(list_url(export, "coches/toutes/"), {"cocher": "oui"})

    assert export.items.ready().count() == 60
    assert told() == ["60 lignes décochées.", "60 lignes cochées."]


def test_all_lines_of_a_filter_are_unticked_and_the_others_stay(staff_client: Client) -> None:
    durand = make_customer(name="Durand")
    made = [make_invoice(customer=durand) for _number in range(3)]
    kept = make_invoice(customer=make_customer(name="Petit"))
    export = create_export(criteria=FULL)
    staff_client.post(list_url(export, "coches/"), {"shown": [line_of(export, made[0]).pk], "ticked": []})
    page = words(staff_client.get(list_url(export, "?q=durand")))
    assert "Toutes les lignes de ce filtre Cocher 1 ligne Décocher 2 lignes" in page

    staff_client.post(list_url(export, "coches/toutes/?q=durand"), {"cocher": "non"})

    assert {line_of(export, invoice).state for invoice in made} == {State.EXCLUDED}
    assert line_of(export, kept).state == State.READY
    assert told() == ["2 lignes décochées (recherche « durand »)."]


def test_a_word_that_most_lines_have_is_counted_no_further_than_one_leafs(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.backoffice.exports.list_filters.MOST_FOUND", 2)
    durand = make_customer(name="Durand")
    made = [make_invoice(customer=durand) for _number in range(3)]
    export = create_export(criteria=FULL)
    page = words(staff_client.get(list_url(export, "?q=durand")))
    assert "Plus de 2 lignes trouvées" in page
    assert "Décocher toutes les lignes trouvées" in page

    staff_client.post(list_url(export, "coches/toutes/?q=durand"), {"cocher": "non"})

    assert {line_of(export, invoice).state for invoice in made} == {State.EXCLUDED}


def test_unticking_all_that_is_ready_goes_on_showing_the_same_lines(staff_client: Client) -> None:
    make_invoice()
    export = create_export(criteria=FULL)

    answer = staff_client.post(list_url(export, "coches/toutes/?etat=ready&page=3"), {"cocher": "non"})

    assert answer["Location"] == list_url(export, "?etat=excluded")


def test_nothing_is_unticked_of_a_list_that_has_left_and_it_is_said(staff_client: Client) -> None:
    invoice = make_invoice()
    export = create_export(criteria=FULL)
    start_export(export=export)

    page = words(staff_client.post(list_url(export, "coches/toutes/"), {"cocher": "non"}, follow=True))

    assert "La liste est déjà partie" in page
    assert "Décocher" not in page
    assert line_of(export, invoice).state == State.READY


def test_a_reason_to_correct_offers_no_ticks(staff_client: Client) -> None:
    make_invoice()
    make_invoice(customer=make_customer(email=""))
    export = create_export(criteria=FULL)

    page = words(staff_client.get(list_url(export, "?etat=left_out&motif=no_address")))

    assert "Décocher" not in page


def test_each_cell_of_the_list_and_of_its_report_has_its_header(staff_client: Client) -> None:
    make_invoice(customer=make_customer(), number="F-1")
    waiting = create_export(criteria=FULL)
    left = create_export(criteria=FULL)
    Export.objects.filter(pk=left.pk).update(state=Export.State.DONE)

    for url in (list_url(waiting), list_url(left), reverse("admin:export_web_bordereau", args=[left.number])):
        table = html.fromstring(staff_client.get(url).content).xpath("//table[contains(@class, 'lines')]")[0]
        rows = table.xpath(".//tr")
        assert len(rows) == 2
        assert len(rows[0].xpath("th|td")) == len(rows[1].xpath("th|td")), url
