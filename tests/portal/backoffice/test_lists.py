"""What all lists of the back-office have in common: filters above, empty states, Django's sentences in our words."""

import re
from urllib.parse import urlencode

import pytest
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags
from lxml import html

from customers.models import Account, Customer
from invoices.models import ImportBatch
from tests.support.factories import make_company, make_customer

pytestmark = pytest.mark.django_db

LISTS = (
    "customers/customer",
    "customers/contact",
    "customers/customeraccount",
    "customers/bulkaction",
    "customers/staffaccount",
    "invoices/invoice",
    "invoices/export",
    "invoices/importbatch",
    "mailing/message",
    "mailing/reply",
)


@pytest.mark.parametrize("address", LISTS)
def test_filters_stand_above_the_list_and_say_what_is_chosen(staff_client: Client, address: str) -> None:
    page = staff_client.get(f"/gestion/{address}/").content.decode()

    assert page.index('id="filtres"') < page.index('id="changelist-form"')
    assert "changelist-filter-header" not in page


@pytest.mark.parametrize(
    ("address", "sentence", "step"),
    [
        ("customers/customer", "Aucun client pour l’instant", "/gestion/invoices/importbatch/add/"),
        ("customers/contact", "Aucun contact pour l’instant", "/gestion/customers/contact/add/"),
        ("customers/customeraccount", "Aucun compte pour l’instant", "/gestion/customers/customer/"),
        ("customers/bulkaction", "Aucune action groupée pour l’instant", "/gestion/customers/customer/"),
        ("invoices/invoice", "Aucune facture pour l’instant", "/gestion/invoices/importbatch/add/"),
        ("invoices/export", "Aucune liste pour l’instant", "/gestion/export-web/factures/"),
        ("invoices/importbatch", "Aucun import pour l’instant", "/gestion/invoices/importbatch/add/"),
        ("invoices/importmapping", "Aucun format pour l’instant", "/gestion/invoices/importbatch/add/"),
        ("invoices/platform", "Aucune plateforme pour l’instant", "/gestion/invoices/platform/add/"),
        ("mailing/message", "Aucun mail pour l’instant", "/gestion/export-web/factures/"),
        ("mailing/reply", "Aucune réponse de client pour l’instant", None),
    ],
)
def test_an_empty_list_says_so_and_leads_to_what_fills_it(
    staff_client: Client, address: str, sentence: str, step: str | None
) -> None:
    page = staff_client.get(f"/gestion/{address}/").content.decode()
    empty = page.split('<div class="empty-list">')[1].split("</div>")[0]

    assert sentence in empty
    assert re.findall(r'href="([^"]+)"', empty) == ([step] if step else [])


def test_a_row_of_a_filtered_list_leads_back_to_it_as_in_djangos_own(staff_client: Client) -> None:
    customer = make_customer(invoice_copies="D", name="Durand & fils")
    asked = {"copies": "d", "q": "Durand & fils"}
    page = staff_client.get("/gestion/customers/customer/", asked)
    change = reverse("admin:customers_customer_change", args=[customer.pk])
    filters = urlencode({"_changelist_filters": urlencode(asked)})
    expected = add_preserved_filters({"opts": Customer._meta, "preserved_filters": filters}, change)

    links = {
        link for link in html.fromstring(page.content).xpath("//table[@id='result_list']//a/@href") if change in link
    }
    assert links == {expected}
    opened = staff_client.get(expected)
    assert opened.status_code == 200


def test_a_row_of_a_list_without_filters_has_a_plain_address(staff_client: Client) -> None:
    customer = make_customer()
    page = staff_client.get("/gestion/customers/customer/").content.decode()
    assert f'href="{reverse("admin:customers_customer_change", args=[customer.pk])}"' in page


def test_a_page_reads_the_companies_once(staff_client: Client) -> None:
    make_company()
    with CaptureQueriesContext(connection) as captured:
        staff_client.get("/gestion/customers/customer/")
    assert sum('FROM "invoices_company"' in query["sql"] for query in captured) == 1


def test_a_search_that_finds_nothing_leads_back_to_the_whole_list(staff_client: Client) -> None:
    make_customer(name="Durand")

    page = staff_client.get("/gestion/customers/customer/", {"q": "introuvable"}).content.decode()
    empty = page.split('<div class="empty-list">')[1].split("</div>")[0]

    assert "Rien ne correspond" in empty
    assert 'href="?"' in empty


def test_what_was_saved_is_said_in_the_words_of_the_product(staff_client: Client, staff: Account) -> None:
    customer = make_customer(name="Durand")
    card = {"customer": customer.pk, "name": "Claire Martin", "email": "claire@durand.example"}

    added = staff_client.post("/gestion/customers/contact/add/", card, follow=True)
    contact = customer.contacts.get()
    changed = staff_client.post(
        f"/gestion/customers/contact/{contact.pk}/change/", {**card, "function": "Comptable"}, follow=True
    )
    deleted = staff_client.post(f"/gestion/customers/contact/{contact.pk}/delete/", {"post": "yes"}, follow=True)

    said = [strip_tags(str(message)) for page in (added, changed, deleted) for message in page.context["messages"]]
    assert [sentence.split(" : ")[0] for sentence in said] == [
        "C’est enregistré",
        "Les modifications sont enregistrées",
        "C’est supprimé",
    ]
    assert all("Claire Martin" in sentence for sentence in said)


def test_an_action_without_ticked_lines_says_what_to_do(staff_client: Client) -> None:
    make_customer()

    page = staff_client.post("/gestion/customers/customer/", {"action": "deactivate", "index": "0"}, follow=True)

    assert [str(message) for message in page.context["messages"]] == [
        "Cochez d’abord des lignes de la liste. Rien n’a été modifié."
    ]


def test_the_window_of_a_row_is_named_in_french_whatever_the_word(staff_client: Client, staff: Account) -> None:
    batch = ImportBatch.objects.create(author=staff, files=[{"name": "clients.csv", "storage_name": "x", "size": 1}])

    page = staff_client.get(f"/gestion/invoices/importbatch/{batch.pk}/change/").content.decode()

    assert "<title>clients.csv – Import – Gestion</title>" in " ".join(page.split())
    assert re.search(r">\s*Ajouter\s*</a>", staff_client.get("/gestion/customers/customer/").content.decode())
