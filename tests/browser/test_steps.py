"""The pages between two others, as people meet them: a code, a link, a session that ended, a missing document."""

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.links import Purpose, make_token
from customers.models import Account
from tests.browser.conftest import LOOKED_AT, PageFactory, scrolls_sideways
from tests.support.factories import PASSWORD, make_account, make_company, make_customer, make_published_invoice

Axe = Callable[[Page], list[str]]
Look = Callable[[str], None]

LOGIN = "un.identifiant.de.compte.partage@sous-domaine.etablissements-montgolfier.example"


@pytest.fixture
def account() -> Account:
    make_company(phone="04 72 00 00 00")
    return make_account(make_customer(name="Société" + "interminable" * 5), login=LOGIN, name="Nathalie Martin")


@pytest.fixture
def page(open_page: PageFactory) -> Page:
    return open_page()


@pytest.fixture
def look(page: Page, axe: Axe) -> Any:
    """Looks at the page that is open, whose heading is given: axe at two widths, and text at twice its size."""
    found: dict[tuple[str, int], list[str]] = {}

    def look_at(heading: str) -> None:
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        for width in (*LOOKED_AT, 360, 320):
            page.set_viewport_size({"width": width, "height": 900})
            violations = axe(page) if width in LOOKED_AT else []
            for size in ("200%", "100%"):
                page.evaluate("size => {document.documentElement.style.fontSize = size}", size)
                violations += [f"wider than its window, text at {size}"] * scrolls_sideways(page)
            if violations:
                found[heading, width] = violations
        page.set_viewport_size({"width": LOOKED_AT[0], "height": 900})

    yield look_at
    assert found == {}


def sign_in(page: Page) -> None:
    """Sign in at the page of the sign-in, where it is open already or not."""
    if "/connexion/" not in page.url:
        page.goto("/connexion/")
    page.get_by_label("Identifiant").fill(LOGIN)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()


def test_nothing_hinders_on_the_way_of_a_link(page: Page, look: Look, account: Account) -> None:
    page.goto("/connexion/oubli/")
    page.get_by_label("Identifiant").fill(LOGIN)
    page.get_by_role("button", name="Recevoir le lien").click()
    expect(page.get_by_text("un mail vient de partir")).to_be_visible()
    look("Mot de passe oublié")
    page.goto(f"/connexion/lien/{make_token(account, Purpose.SIGN_IN)}/")
    look("Connexion")
    page.goto(f"/connexion/nouveau-mot-de-passe/{make_token(account, Purpose.PASSWORD)}/")
    look("Choisir un nouveau mot de passe")


def test_nothing_hinders_on_the_way_of_a_first_sign_in_and_in_an_empty_space(
    page: Page, look: Look, account: Account
) -> None:
    account.must_change_password = True
    account.save()
    sign_in(page)
    look("Choisir votre mot de passe")
    page.get_by_label("Nouveau mot de passe").fill("tortue-verte-77-lampe")
    page.get_by_label("Le même, une seconde fois").fill("tortue-verte-77-lampe")
    page.get_by_role("button", name="Enregistrer").click()
    page.goto("/factures/")
    expect(page.get_by_text("Votre première facture arrivera ici.")).to_be_visible()
    look("Vos factures")


def test_nothing_hinders_on_the_way_of_a_second_factor(page: Page, look: Look, account: Account) -> None:
    sign_in(page)
    page.wait_for_url("**/factures/")
    page.goto("/compte/second-facteur/")
    look("Double authentification")
    key = page.locator(".hint .figures").inner_text().replace(" ", "").replace("\xa0", "")
    page.get_by_label("Code").fill(pyotp.TOTP(key).at(timezone.now()))
    page.get_by_role("button", name="Activer").click()
    look("Codes de secours")
    code = page.locator("main .figures").first.inner_text()
    page.get_by_role("link", name="C’est noté, continuer").click()
    page.goto("/compte/second-facteur/")
    look("Double authentification")
    page.get_by_role("button", name="Se déconnecter").click()
    sign_in(page)
    look("Double authentification")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_url("**/factures/")


def test_nothing_hinders_where_a_session_ended_or_a_document_is_missing(
    page: Page, look: Look, account: Account
) -> None:
    invoice = make_published_invoice(customer=account.customers.get())
    make_published_invoice(customer=account.customers.get())
    assert invoice.document
    default_storage.delete(invoice.document.storage_name)
    sign_in(page)
    page.wait_for_url("**/factures/")
    page.get_by_role("button", name="Télécharger les factures cochées").click()
    look("Aucune facture cochée")
    page.goto(f"/factures/{invoice.pk}/pdf/")
    look("Document indisponible")
    for address in ("/compte/", "/compte/mot-de-passe/"):  # what was sent is kept, and what is never kept
        page.goto(address)
        page.context.clear_cookies(name="sessionid")
        page.get_by_role("button", name="Enregistrer").click()
        page.wait_for_url("**/connexion/**")
        sign_in(page)
        look("Votre session avait pris fin")


def test_nothing_hinders_where_two_companies_bill(page: Page, look: Look, account: Account) -> None:
    other = make_company(siren="443061841", name="Établissements Montgolfier et Compagnie, négociants en matériaux")
    for company in (make_company(), other):
        invoice = make_published_invoice(company=company, customer=account.customers.get())
    sign_in(page)
    page.wait_for_url("**/factures/")
    expect(page.get_by_text("Factures de", exact=True)).to_be_visible()
    look("Vos factures")
    page.goto(f"/factures/{invoice.pk}/")
    look(f"Facture N° {invoice.number}")
