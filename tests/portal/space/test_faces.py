"""Each company its face: with several, nothing of one shows on a page of another."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from customers.links import Purpose
from customers.mails import draft_credentials_mail, draft_link_mail
from customers.models import Account
from invoices.exporting.run.mails import find_identity, identity_of
from invoices.models import Company
from mailing.composition import load_template
from portal.backoffice.companies.form import CompanyForm
from tests.support.factories import make_account, make_company, make_customer, make_published_invoice

pytestmark = pytest.mark.django_db

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0h10v10z"/></svg>'


@pytest.fixture
def shop() -> Company:
    company = make_company(name="Harmonie Disques", colour="#7a1f3d", phone="01 11 11 11 11", is_default=True)
    company.logo.save("shop.svg", ContentFile(SVG))
    return company


@pytest.fixture
def merchant(shop: Company) -> Company:
    return make_company(
        siren="999997620",
        name="Matériaux du Forez",
        colour="#20603d",
        phone="02 22 22 22 22",
        legal_page="Page du Forez",
    )


@pytest.fixture
def reader(shop: Company, merchant: Company) -> Account:
    """A customer of both; the merchant billed last."""
    customer = make_customer(code="C1", name="Perrin & Fils")
    account = make_account(customer, login="compta@perrin.example")
    make_published_invoice(company=shop, customer=customer, number="DISQUE-1", issue_date="2026-03-01")
    make_published_invoice(company=merchant, customer=customer, number="FORGE-2", issue_date="2026-09-01")
    return account


def page_of(client: Client, path: str, **more: Any) -> str:
    answer = client.get(path, **more)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_customer_of_two_sees_the_one_that_billed_last_and_changes(
    client: Client, reader: Account, shop: Company
) -> None:
    client.force_login(reader)
    shown = page_of(client, "/factures/")
    assert ("FORGE-2" in shown, "DISQUE-1" in shown) == (True, False)
    assert ("02 22 22 22 22" in shown, "01 11 11 11 11" in shown) == (True, False)
    assert "apparence.css?c=20603d" in shown

    assert client.post("/societe/", {"company": shop.pk}).status_code == 302
    shown = page_of(client, "/factures/")
    assert ("FORGE-2" in shown, "DISQUE-1" in shown) == (False, True)
    assert f"/logo?societe={shop.pk}" in shown
    assert "Page du Forez" not in page_of(client, "/mentions-legales/")


def test_the_page_of_an_invoice_has_the_face_of_who_issued_it(client: Client, reader: Account, shop: Company) -> None:
    client.force_login(reader)
    invoice = shop.invoices.get()
    shown = page_of(client, f"/factures/{invoice.pk}/")
    assert ("01 11 11 11 11" in shown, "02 22 22 22 22" in shown) == (True, False)
    assert "DISQUE-1" in page_of(client, "/factures/")


def test_under_its_own_name_a_company_shows_itself_alone(
    client: Client, reader: Account, merchant: Company, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "factures.forez.example"]
    merchant.host = "factures.forez.example"
    merchant.save()
    assert "Matériaux du Forez" in page_of(client, "/connexion/", headers={"host": "factures.forez.example"})
    assert "Matériaux du Forez" not in page_of(client, "/connexion/")
    assert client.get("/connexion/", headers={"host": "evil.example"}).status_code == 400  # its page has a face too
    client.force_login(reader)
    shown = page_of(client, "/factures/", headers={"host": "factures.forez.example"})
    assert ("FORGE-2" in shown, "DISQUE-1" in shown, "Harmonie" in shown) == (True, False, False)
    assert "Page du Forez" in page_of(client, "/mentions-legales/", headers={"host": "factures.forez.example"})


def test_a_search_and_the_archive_stay_with_the_company(client: Client, reader: Account) -> None:
    client.force_login(reader)
    assert "DISQUE-1" not in page_of(client, "/factures/?q=DISQUE").replace('value="DISQUE"', "")
    rows = b"".join(client.get("/factures/liste.csv?annee=2026")).decode()
    assert ("FORGE-2" in rows, "DISQUE-1" in rows) == (True, False)


def test_a_page_goes_on_with_its_company_when_another_tab_has_changed_to_another(
    client: Client, reader: Account, shop: Company, merchant: Company
) -> None:
    """Years, months, pages, downloads, searches and the way back from an invoice are those of the page they are on."""
    client.force_login(reader)
    old_tab = page_of(client, "/factures/")
    invoice = merchant.invoices.get()
    way_back = client.get(f"/factures/{invoice.pk}/").context["back"]["query"]
    links = [unescape(link) for link in re.findall(r'href="(?:/factures/[a-z.]*)?(\?[^"]+annee=[^"]*)"', old_tab)]
    assert len(links) >= 3  # its year, the archive, the list as a file
    assert re.search(rf'<form class="search.*?name="societe" value="{merchant.pk}"', old_tab, re.DOTALL)

    for query in (*links, f"?{way_back}", f"?q=2&societe={merchant.pk}"):
        client.post("/societe/", {"company": shop.pk})
        rows = b"".join(client.get(f"/factures/liste.csv{query}")).decode()
        assert ("FORGE-2" in rows, "DISQUE-1" in rows) == (True, False), query
    client.post("/societe/", {"company": shop.pk})
    shown = page_of(client, f"/factures/?{way_back}")
    assert ("FORGE-2" in shown, "02 22 22 22 22" in shown, "DISQUE-1" in shown) == (True, True, False)
    for unknown in ("999999", "x", "1e3"):
        assert client.get("/factures/", {"societe": unknown}).status_code == 404


def test_no_one_changes_to_a_company_that_does_not_bill_him(client: Client, reader: Account, shop: Company) -> None:
    other = make_company(siren="999999931", name="Ailleurs")
    client.force_login(reader)
    for company in (str(other.pk), "x", ""):
        assert client.post("/societe/", {"company": company}).status_code == 404


def test_mails_about_the_account_come_from_who_bills_it(reader: Account, merchant: Company, settings: Any) -> None:
    settings.PORTAL_URL = "https://portail.example:8443"
    merchant.host, merchant.sender_email = "factures.forez.example", "compta@forez.example"
    merchant.save()
    assert find_identity(reader.pk).company == find_identity(None).company.replace("Harmonie Disques", merchant.name)
    for draft in (
        draft_credentials_mail(account=reader, template=load_template("credentials"), sending="1"),
        draft_link_mail(account=reader, purpose=Purpose.SIGN_IN, sending="1"),
    ):
        assert draft.sender == "compta@forez.example"
        assert "https://factures.forez.example:8443/connexion/" in draft.text
        assert "portail.example" not in draft.text
    assert identity_of(merchant).host == "factures.forez.example"


@pytest.mark.parametrize(
    ("typed", "kept", "refused"),
    [
        (" Factures.FOREZ.example. ", "factures.forez.example", ""),
        ("", "", ""),
        ("https://factures.forez.example/", "", "nom d’hôte seul"),
        ("portail.example", "", "du portail lui-même"),
        ("ailleurs.example", "", "ALLOWED_HOSTS"),
    ],
)
def test_a_host_is_one_under_which_the_portal_answers(
    typed: str, kept: str, refused: str, shop: Company, settings: Any
) -> None:
    settings.PORTAL_URL, settings.ALLOWED_HOSTS = "https://portail.example", ["portail.example", ".forez.example"]
    form = CompanyForm({"name": "x", "host": typed}, instance=shop)
    form.fields = {"host": Company._meta.get_field("host").formfield()}  # type: ignore[dict-item]
    form.full_clean()
    assert refused in str(form.errors.get("host", ""))
    assert bool(refused) == bool(form.errors.get("host"))
    if not refused:
        assert form.cleaned_data["host"] == kept
