"""One form in two tabs: neither writes over what the other one saved, and each says so."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from customers.models import Account, Contact, Customer
from invoices.exporting.criteria import Criteria, Period, Scope
from invoices.exporting.exports import create_export, set_excluded
from invoices.models import Company, ExportItem, SavedSelection, SelectionSchedule
from tests.support.back_office import SCREEN, list_url, words
from tests.support.factories import make_company, make_contact, make_customer, make_invoice, make_staff

pytestmark = pytest.mark.django_db

CONTROL = re.compile(r"<(input|select|textarea)\b([^>]*)>(?:(.*?)</\1>)?", re.S)


@pytest.fixture
def staff() -> Account:
    return make_staff(name="Claire Martin")


def attribute(text: str, name: str) -> str | None:
    found = re.search(rf'(?:^|\s){name}(?:="([^"]*)")?(?=\s|$|/)', text)
    return html.unescape(found[1] or "") if found else None


def fields_of(answer: Any) -> dict[str, list[str]]:
    """What a browser sends of the page of ``answer`` where nothing is touched, every form of it together."""
    sent: dict[str, list[str]] = {}
    for kind, attributes, inside in re.findall(CONTROL, answer.content.decode()):
        name, typ = attribute(attributes, "name"), attribute(attributes, "type")
        given = attribute(attributes, "value")
        values = [("on" if typ in ("checkbox", "radio") else "") if given is None else given]
        if kind == "textarea":
            values = [html.unescape(inside).removeprefix("\n").removeprefix("\r\n")]
        elif kind == "select":
            chosen = re.findall(r'<option value="([^"]*)" selected', inside)
            values = [html.unescape(each) for each in chosen]
        elif typ in ("checkbox", "radio") and attribute(attributes, "checked") is None:
            continue
        if name and typ not in ("submit", "file", "search"):
            sent.setdefault(name, []).extend(values)
    return sent


def card_of(customer: Customer) -> str:
    return f"/gestion/customers/customer/{customer.pk}/change/"


def test_what_was_saved_in_another_tab_remains_where_this_one_left_it_alone(staff_client: Client) -> None:
    customer = make_customer(phone="01 00 00 00 00", city="Lyon", country="FR")
    contact = make_contact(customer, name="Luc Petit", function="Gérant")
    opened = fields_of(staff_client.get(card_of(customer)))
    Customer.objects.filter(pk=customer.pk).update(phone="02 22 22 22 22", is_public_body=True, kind="individual")
    Contact.objects.filter(pk=contact.pk).update(function="Comptable")

    answer = staff_client.post(
        card_of(customer), opened | {"city": "Lille", "contacts-0-name": "Luc Grand"}, follow=True
    )

    customer.refresh_from_db()
    contact.refresh_from_db()
    assert (customer.city, customer.phone, customer.kind, customer.is_public_body) == (
        "Lille",
        "02 22 22 22 22",
        "individual",
        True,
    )
    assert (contact.name, contact.function) == ("Luc Grand", "Comptable")
    said = words(answer)
    assert "Modifié entre-temps par ailleurs, et gardé ainsi : " in said
    assert "Téléphone" in said
    assert "Fonction" in said


def test_a_field_changed_in_both_tabs_is_asked_about_once(staff_client: Client) -> None:
    customer = make_customer(phone="01 00 00 00 00")
    opened = fields_of(staff_client.get(card_of(customer))) | {"phone": "03 33 33 33 33"}
    Customer.objects.filter(pk=customer.pk).update(phone="02 22 22 22 22")

    asked = staff_client.post(card_of(customer), opened)

    assert "Devenu entre-temps « 02 22 22 22 22 ». Enregistrez de nouveau pour garder votre saisie." in words(asked)
    assert 'value="03 33 33 33 33"' in asked.content.decode()
    customer.refresh_from_db()
    assert customer.phone == "02 22 22 22 22"

    staff_client.post(card_of(customer), fields_of(asked))
    customer.refresh_from_db()
    assert customer.phone == "03 33 33 33 33"


def test_the_same_change_in_both_tabs_needs_no_question(staff_client: Client) -> None:
    customer = make_customer(phone="01 00 00 00 00")
    opened = fields_of(staff_client.get(card_of(customer))) | {"phone": "02 22 22 22 22"}
    Customer.objects.filter(pk=customer.pk).update(phone="02 22 22 22 22")

    assert staff_client.post(card_of(customer), opened).status_code == 302


@pytest.mark.parametrize("spoilt", ["", "[]", "{", '{"phone": 3, "x": []}'])
def test_spoilt_marks_end_in_no_error(staff_client: Client, spoilt: str) -> None:
    customer = make_customer(phone="01 00 00 00 00")
    opened = fields_of(staff_client.get(card_of(customer)))

    assert staff_client.post(card_of(customer), opened | {"vu": spoilt}).status_code in (200, 302)


def test_what_a_form_of_every_kind_of_field_sends_is_no_change(staff_client: Client) -> None:
    company = make_company(payment_terms="30 jours", legal_notice="Une ligne\nUne autre", languages=["en"])
    staff = make_staff("autre@aquila.example")
    staff.groups.set(Group.objects.all()[:2])
    pages = (
        f"/gestion/invoices/company/{company.pk}/change/",
        f"/gestion/customers/staffaccount/{staff.pk}/change/",
        f"/gestion/auth/group/{Group.objects.all()[0].pk}/change/",
    )

    for page in pages:
        answer = staff_client.post(page, fields_of(staff_client.get(page)), follow=True)
        assert answer.redirect_chain, words(answer)
        assert "entre-temps" not in words(answer)


def test_ticks_of_two_companies_settings_are_both_kept(staff_client: Client) -> None:
    company = make_company(facturx_for_all=False, vat_on_debits=False, languages=[])
    page = f"/gestion/invoices/company/{company.pk}/change/"
    opened = fields_of(staff_client.get(page))
    Company.objects.filter(pk=company.pk).update(vat_on_debits=True, languages=["en", "de"])

    staff_client.post(page, opened | {"facturx_for_all": "on"})

    company.refresh_from_db()
    assert (company.facturx_for_all, company.vat_on_debits, company.languages) == (True, True, ["en", "de"])


def test_a_saved_selection_and_its_calendar_keep_what_another_tab_saved(staff_client: Client) -> None:
    kept = Criteria(period=Period.PREVIOUS_MONTH, notify=True)
    selection = SavedSelection.objects.create(name="Mensuel", criteria=kept.to_json())
    address = f"{SCREEN}?selection={selection.pk}"
    opened = fields_of(staff_client.get(address))
    selection.criteria = Criteria(period=Period.PREVIOUS_MONTH, notify=True, attach_pdf=True).to_json()
    selection.save()

    staff_client.post(SCREEN, opened | {"generate_credentials": "on", "action": "save"})

    selection.refresh_from_db()
    merged = Criteria.from_json(selection.criteria)
    assert (merged.generate_credentials, merged.attach_pdf, merged.notify) == (True, True, True)

    page = f"{SCREEN}calendrier/{selection.pk}/"
    staff_client.post(page, fields_of(staff_client.get(page)))
    opened = fields_of(staff_client.get(page)) | {"hour": ["9"]}
    SelectionSchedule.objects.update(hour=7)
    asked = staff_client.post(page, opened)
    assert "Devenu entre-temps" in words(asked)
    assert SelectionSchedule.objects.get().hour == 7


# ─── The list to export ──────────────────────────────────────────────────────────────────────────────────────────────
def test_a_tick_in_one_tab_is_not_put_back_by_another(staff_client: Client) -> None:
    for _number in range(3):
        make_invoice(customer=make_customer())
    export = create_export(criteria=Criteria(generate_credentials=True, notify=True, scope=Scope.ALL))
    first, second, third = export.items.order_by("pk")
    opened = fields_of(staff_client.get(list_url(export)))
    set_excluded(export=export, items=[first.pk], excluded=True)

    ticked = [key for key in opened["ticked"] if key != str(second.pk)]
    staff_client.post(list_url(export, "coches/"), opened | {"ticked": ticked})

    states = dict(export.items.values_list("pk", "state"))
    assert states == {first.pk: "excluded", second.pk: "excluded", third.pk: "ready"}


def test_a_list_that_changed_since_the_page_was_opened_asks_before_it_leaves(staff_client: Client) -> None:
    for _number in range(3):
        make_invoice(customer=make_customer())
    export = create_export(criteria=Criteria(generate_credentials=True, notify=True, scope=Scope.ALL))
    set_excluded(export=export, items=[export.items.order_by("pk")[0].pk], excluded=True)

    asked = staff_client.post(list_url(export, "exporter/"), {"ready": "3"})

    assert "votre page montrait 3 factures prêtes, il y en a maintenant 2." in words(asked)
    assert "Exporter 2 factures" in words(asked)
    export.refresh_from_db()
    assert export.state == "draft"
    staff_client.post(list_url(export, "exporter/"), {"ready": "2", "confirm": "yes"})
    export.refresh_from_db()
    assert export.state != "draft"
    assert ExportItem.objects.filter(state="excluded").count() == 1


def test_a_value_that_the_form_refuses_meanwhile_is_said_and_not_kept_unseen(staff_client: Client) -> None:
    company = make_company(email="compta@aquila.example")
    card = f"/gestion/invoices/company/{company.pk}/change/"
    opened = fields_of(staff_client.get(card))
    Company.objects.filter(pk=company.pk).update(email="pas une adresse")

    answer = staff_client.post(card, opened | {"phone": "01 02 03 04 05"})

    assert "Devenu entre-temps « pas une adresse »." in words(answer)
    assert Company.objects.get().email == "pas une adresse"


@pytest.mark.parametrize("marks", ["[" * 100_000, "null", '{"phone": ["a"]}', "\x00", "1e999"])
def test_marks_that_no_page_wrote_are_no_error(staff_client: Client, marks: str) -> None:
    customer = make_customer(city="Lyon")
    opened = fields_of(staff_client.get(card_of(customer)))

    answer = staff_client.post(card_of(customer), opened | {"vu": marks, "city": "Lille"})

    assert answer.status_code in (200, 302, 422)
