"""The back-office as accounting staff meet it: two widths, with and without JavaScript, light and dark."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from playwright.sync_api import Dialog, Page, Route, expect

from customers.models import Account, Contact, Customer
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export
from invoices.models import ImportBatch
from mailing.models import Message, MessageTemplate
from tests.browser.backoffice_scene import BackOfficeScene, set_backoffice_scene
from tests.browser.conftest import LOOKED_AT, PageFactory, each_width, scrolls_sideways, share_of
from tests.support.factories import make_contact, make_customer, make_invoice

BOTH_WAYS = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
Axe = Callable[[Page], list[str]]
SignIn = Callable[[Page, Any], None]


@pytest.fixture
def backoffice() -> BackOfficeScene:
    return set_backoffice_scene()


def hindrances(page: Page, axe: Axe) -> Iterator[str]:
    """What hinders on the page at either width."""
    for width in each_width(page):
        # The empty head of a hidden column is Django's own; axe counts it among the minor ones.
        yield from (f"{width}: {each}" for each in axe(page) if "empty-table-header" not in each)
        if scrolls_sideways(page):
            yield f"{width}: scrolls sideways"


@BOTH_WAYS
@pytest.mark.parametrize("width", LOOKED_AT)
def test_a_customer_is_flagged_d_gets_credentials_and_they_are_sent(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, width: int, javascript: bool
) -> None:
    customer = Customer.objects.get(code="000100")
    Account.objects.filter(accesses__customer=customer).delete()
    page = open_page(width=width, javascript=javascript)
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/customers/customer/{customer.pk}/change/")

    page.get_by_role("tab" if javascript else "link", name="Édition", exact=True).click()
    page.get_by_label("Nombre de factures à éditer").fill("d")
    page.get_by_role("button", name="Enregistrer et continuer").click()
    customer.refresh_from_db()
    assert customer.invoice_copies == "D"

    page.goto(f"/gestion/customers/customer/{customer.pk}/change/#web")
    page.get_by_role("button", name="Créer les identifiants", exact=True).click()
    expect(page.get_by_text(f"Identifiants créés : {customer.email}.")).to_be_visible()
    page.get_by_role("button", name="Montrer").click()
    expect(page.get_by_role("heading", name="Mot de passe provisoire")).to_be_visible()
    page.get_by_role("link", name="Revenir à la fiche").click()
    page.get_by_role("button", name="Envoyer les identifiants").click()
    expect(page.get_by_text("Mail d’identifiants écrit dans la boîte d’envoi")).to_be_visible()
    assert Message.objects.filter(recipient=customer.email, state="queued").exists()

    page.get_by_label("Compte désactivé").check()
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text(f"Compte désactivé : {customer.email}.")).to_be_visible()
    assert not Account.objects.get(login=customer.email).is_active


def test_the_return_key_in_a_field_of_the_card_saves_the_card_and_does_nothing_else(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene
) -> None:
    page = open_page(javascript=False)
    sign_in(page, backoffice.staff)
    before = Account.objects.count()
    page.goto(f"/gestion/customers/customer/{backoffice.customer.pk}/change/")

    page.get_by_label("Raison sociale").fill("Garage Petit & fils")
    page.get_by_label("Raison sociale").press("Enter")

    expect(page.locator(".messagelist")).to_contain_text("Garage Petit & fils")
    assert Account.objects.count() == before


@BOTH_WAYS
def test_a_contact_is_added_on_the_card(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, javascript: bool
) -> None:
    page = open_page(javascript=javascript)
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/customers/customer/{backoffice.customer.pk}/change/#contacts")

    row = page.locator("#contacts-2")
    row.locator("input[name$=-name]").fill("Anne Petit")
    row.locator("input[name$=-email]").fill("anne@petit.example")
    page.get_by_role("button", name="Enregistrer", exact=True).click()

    expect(page.locator(".messagelist")).to_be_visible()
    assert Contact.objects.filter(customer=backoffice.customer, email="anne@petit.example").exists()


def test_what_was_typed_is_not_lost_by_a_link_or_the_button_of_another_tab(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene
) -> None:
    page = open_page()
    sign_in(page, backoffice.staff)
    customer = Customer.objects.get(code="000100")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(f"/gestion/customers/customer/{customer.pk}/change/")
    page.get_by_label("Téléphone").fill("01 02 03 04 05")

    page.get_by_role("tab", name="WEB").click()
    page.get_by_role("button", name="Envoyer les identifiants").first.click()

    page.get_by_role("tab", name="Entête").click()
    expect(page.get_by_label("Téléphone")).to_have_value("01 02 03 04 05")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.get_by_text("01 02 03 04 05")).to_have_count(0)
    customer.refresh_from_db()
    assert customer.phone == "01 02 03 04 05"
    assert asked == ["beforeunload"]


def test_tabs_follow_the_arrow_keys(open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene) -> None:
    page = open_page()
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/customers/customer/{backoffice.customer.pk}/change/")

    page.get_by_role("tab", name="Entête").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Contacts")).to_be_focused()
    expect(page.get_by_role("tab", name="Contacts")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_label("Raison sociale")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Factures")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Entête")).to_be_focused()
    expect(page.get_by_label("Raison sociale")).to_be_visible()


def test_an_error_opens_the_tab_that_it_is_in(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene
) -> None:
    page = open_page()
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/customers/customer/{backoffice.customer.pk}/change/")
    page.get_by_role("tab", name="Édition").click()
    page.get_by_label("Nombre de factures à éditer").fill("X")
    page.get_by_role("tab", name="Entête").click()

    page.get_by_role("button", name="Enregistrer", exact=True).click()

    expect(page.get_by_role("tab", name="Édition")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("listitem").filter(has_text="Saisissez D (démat) ou un nombre").last).to_be_visible()


@BOTH_WAYS
def test_accounts_are_relaunched_from_their_list(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, javascript: bool
) -> None:
    page = open_page(javascript=javascript)
    sign_in(page, backoffice.staff)
    page.goto("/gestion/customers/customeraccount/?etat=jamais&q=papier")

    boxes = page.locator("input.action-select")
    for index in range(boxes.count()):
        boxes.nth(index).check()
    page.locator("select[name=action]").select_option("relaunch")
    page.get_by_role("button", name="Exécuter").click()
    expect(page.get_by_text("6 comptes recevront un nouveau mot de passe provisoire")).to_be_visible()
    page.get_by_role("button", name="Renvoyer les identifiants").click()

    expect(page.get_by_text("6 comptes traités")).to_be_visible()


def test_a_message_is_edited_with_its_preview_beside_it(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene
) -> None:
    page = open_page()
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/mailing/messagetemplate/{backoffice.template.pk}/change/")
    preview = page.frame_locator("iframe[name=preview]")

    page.get_by_label("Texte").fill("Bonjour #NOM_CLIENT,\n\nvoici votre facture ")
    page.get_by_role("button", name="#REFFACTURE").click()
    page.get_by_label("Sur la facture n°").fill(backoffice.scene.invoice.number)
    mail = preview.frame_locator("iframe")
    expect(mail.get_by_text(f"voici votre facture {backoffice.scene.invoice.number}")).to_be_visible()
    page.get_by_label("Texte").fill("#REFFACTUR")
    expect(preview.get_by_text("#REFFACTUR : vouliez-vous dire #REFFACTURE ?")).to_be_visible()
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.locator(".errorlist").get_by_text("#REFFACTUR : vouliez-vous dire")).to_be_visible()
    page.get_by_label("Texte").fill("Votre facture #REFFACTURE est là.")
    page.get_by_role("button", name="Enregistrer", exact=True).click()

    expect(page.locator(".messagelist")).to_be_visible()
    assert MessageTemplate.objects.get(key="invoice").body == "Votre facture #REFFACTURE est là."


@BOTH_WAYS
def test_the_return_key_in_the_subject_of_a_message_saves_it(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, javascript: bool
) -> None:
    page = open_page(javascript=javascript)
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/mailing/messagetemplate/{backoffice.template.pk}/change/")

    page.get_by_label("Objet").fill("Facture #REFFACTURE à votre disposition")
    page.get_by_label("Objet").press("Enter")

    expect(page.locator(".messagelist")).to_be_visible()
    assert MessageTemplate.objects.get(pk=backoffice.template.pk).subject == "Facture #REFFACTURE à votre disposition"


def test_a_message_is_edited_previewed_and_tried_without_javascript(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene
) -> None:
    page = open_page(javascript=False)
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/mailing/messagetemplate/{backoffice.template.pk}/change/")

    page.get_by_label("Texte").fill("Facture #REFFACTURE")
    page.get_by_role("button", name="Aperçu").click()
    expect(page.frame_locator("iframe[name=preview]").get_by_text("Facture").first).to_be_visible()
    page.get_by_role("button", name="M’envoyer un essai").click()
    expect(page.frame_locator("iframe[name=preview]").get_by_text("Essai écrit dans la boîte d’envoi")).to_be_visible()
    page.locator("summary", has_text="Version 1").click()
    page.get_by_role("button", name="Restaurer ce texte").click()

    expect(page.get_by_text("Texte de la version 1 remis")).to_be_visible()


@BOTH_WAYS
@pytest.mark.parametrize("width", LOOKED_AT)
def test_a_wrong_address_is_corrected_and_what_was_lost_leaves_again(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, width: int, javascript: bool
) -> None:
    page = open_page(width=width, javascript=javascript)
    sign_in(page, backoffice.staff)
    page.goto("/gestion/courrier/adresses-en-erreur/")

    page.get_by_label("Nouvelle adresse").fill("nulle part")
    page.get_by_role("button", name="Enregistrer et renvoyer").click()
    expect(page.get_by_text("n’est pas une adresse électronique")).to_be_visible()
    expect(page.get_by_label("Nouvelle adresse")).to_have_value("nulle part")
    page.get_by_label("Nouvelle adresse").fill("juste@client.example")
    page.get_by_role("button", name="Enregistrer et renvoyer").click()

    expect(page.get_by_text("1 mail renvoyé.")).to_be_visible()
    expect(page.get_by_text("Aucune adresse en erreur.")).to_be_visible()
    assert Message.objects.filter(recipient="juste@client.example", state="queued").exists()


@BOTH_WAYS
def test_files_are_given_checked_and_confirmed(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, javascript: bool
) -> None:
    page = open_page(javascript=javascript)
    sign_in(page, backoffice.staff)
    page.goto("/gestion/invoices/importbatch/add/")

    page.get_by_label("Fichiers de l’ERP").set_input_files(
        {"name": "clients.csv", "mimeType": "text/csv", "buffer": b"code;raison_sociale\n000900;Nouveau Client\n"}
    )
    page.get_by_role("button", name="Contrôler les fichiers").click()
    expect(page.get_by_text("rien n’est encore écrit")).to_be_visible()
    page.get_by_role("button", name="Confirmer l’import").click()

    expect(page.get_by_text("Importé le")).to_be_visible()
    assert Customer.objects.get(code="000900").name == "Nouveau Client"


@BOTH_WAYS
def test_staff_look_as_the_customer_and_come_back(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, javascript: bool
) -> None:
    page = open_page(javascript=javascript)
    sign_in(page, backoffice.staff)
    page.goto(f"/gestion/customers/customer/{backoffice.customer.pk}/change/#web")

    page.get_by_role("button", name="Voir comme le client").click()
    expect(page.get_by_text("en lecture seule")).to_be_visible()
    page.get_by_role("button", name="Revenir à la gestion").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("000042 Garage Petit SARL")


@pytest.mark.parametrize("width", LOOKED_AT)
def test_long_names_and_large_amounts_stay_within_their_page(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, width: int
) -> None:
    name = "Établissements Van-den-Bossche-Grandjean & Fils, Négoce international de quincaillerie générale"
    customer = make_customer(name=name)
    make_contact(customer, name="Jean-Christophe-Emmanuel Delaporte-Beaumarchais", function="Responsable des achats")
    make_invoice(customer=customer, number="FA-2026-LYON-00000000039-BIS")
    create_export(criteria=Criteria(), author=backoffice.staff)
    batch = ImportBatch.objects.create(
        author=backoffice.staff,
        state=ImportBatch.State.IMPORTED,
        files=[{"name": f"{'export_des_factures_' * 4}.csv", "storage_name": "imports/none", "size": 1}],
    )
    page = open_page(width=width)
    sign_in(page, backoffice.staff)

    for address in (
        "/gestion/customers/contact/",
        f"/gestion/customers/customer/{customer.pk}/change/#contacts",
        f"/gestion/customers/customer/{customer.pk}/change/#factures",
        "/gestion/export-web/factures/export/",
        f"/gestion/invoices/importbatch/{batch.pk}/change/",
    ):
        page.goto(address)
        assert not scrolls_sideways(page), address
        # Nor is a table cut at the edge of its card.
        assert page.evaluate(CUT_TABLES) == [], address


CUT_TABLES = """
[...document.querySelectorAll('#content table')].filter(table => table.offsetParent)
  .map(table => table.closest('.results, .scroll, .tabular'))
  .filter(box => box && box.scrollWidth > box.clientWidth + 1).map(box => box.innerText.slice(0, 80))
"""


@pytest.mark.parametrize("width", LOOKED_AT)
def test_nothing_on_the_pages_of_the_back_office_hinders(
    open_page: PageFactory, sign_in: SignIn, axe: Axe, backoffice: BackOfficeScene, width: int
) -> None:
    page = open_page(width=width)
    sign_in(page, backoffice.staff)
    found = []
    for name, address in share_of(backoffice.addresses().items(), width):
        page.goto("about:blank")
        page.goto(address)
        found += [f"{name}: {each}" for each in hindrances(page, axe)]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", LOOKED_AT)
def test_nothing_hinders_on_questions_mistakes_and_errors(
    open_page: PageFactory, sign_in: SignIn, axe: Axe, backoffice: BackOfficeScene, width: int
) -> None:
    page = open_page(width=width)
    sign_in(page, backoffice.staff)
    found: list[str] = []

    def look(name: str, shown: str) -> None:
        expect(page.locator("body")).to_contain_text(shown)
        found.extend(f"{name}: {each}" for each in hindrances(page, axe))

    customer = f"/gestion/customers/customer/{backoffice.customer.pk}"

    def ask_on_many() -> None:
        page.goto("/gestion/customers/customeraccount/?etat=jamais")
        page.locator("input.action-select").first.check()
        page.locator("select[name=action]").select_option("relaunch")
        page.get_by_role("button", name="Exécuter").click()

    def ask_for_a_reset() -> None:
        page.goto(f"{customer}/change/#web")
        page.get_by_role("button", name="Réinitialiser").click()

    def save_an_empty_card() -> None:
        page.goto("/gestion/customers/customer/add/")
        page.get_by_role("button", name="Enregistrer", exact=True).click()

    def import_nothing() -> None:
        page.goto("/gestion/invoices/importbatch/add/")
        page.get_by_role("button", name="Contrôler les fichiers").click()

    def type_no_address() -> None:
        page.goto("/gestion/courrier/adresses-en-erreur/")
        page.get_by_label("Nouvelle adresse").fill("nulle part")
        page.get_by_role("button", name="Enregistrer et renvoyer").click()

    bare = f"/gestion/customers/customer/{Customer.objects.get(code='000200').pk}"
    steps: list[tuple[str, str, Callable[[], Any]]] = [
        ("refusal of a removal", "ne peut être supprimé", lambda: page.goto(f"{customer}/delete/")),
        ("question of a removal", "supprimer", lambda: page.goto(f"{bare}/delete/")),
        ("question of an action on many", "nouveau mot de passe provisoire", ask_on_many),
        ("question of a reset", "mot de passe", ask_for_a_reset),
        ("card with mistakes", "obligatoire", save_an_empty_card),
        ("import without a file", "Choisissez au moins un fichier.", import_nothing),
        ("what is no address", "n’est pas une adresse électronique", type_no_address),
        ("404", "introuvable", lambda: page.goto("/gestion/rien/")),
    ]
    for name, shown, go in share_of(steps, width):
        go()
        look(name, shown)

    # Errors that no address brings about: their own templates, with the server's styles.
    def answer(route: Route) -> None:
        name = route.request.url.rpartition("=")[2]
        route.fulfill(body=render_to_string(name), content_type="text/html")

    page.route("**/erreur/?page=*", answer)
    errors = (
        ("400.html", "Revenir"),
        ("403.html", "Accès refusé"),
        ("403_csrf.html", "Revenir"),
        ("429.html", "Trop"),
        ("500.html", "erreur"),
    )
    for template, shown in share_of(errors, width):
        page.goto(f"/erreur/?page={template}")
        look(template, shown)

    assert not found, "\n".join(found)


@pytest.mark.screenshots
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", LOOKED_AT)
def test_every_page_of_the_back_office_has_its_picture(
    open_page: PageFactory, sign_in: SignIn, backoffice: BackOfficeScene, width: int, scheme: str
) -> None:
    folder = Path(os.environ.get("SCREENSHOTS", settings.BASE_DIR / "var" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    page = open_page(width=width, scheme=scheme)
    sign_in(page, backoffice.staff)
    for name, address in backoffice.addresses().items():
        page.goto("about:blank")
        page.goto(address)
        page.evaluate("document.fonts.ready")
        target = folder / f"gestion-{name}-{width}-{scheme}.png"
        page.screenshot(path=target, full_page=True)
        assert target.stat().st_size > 1000
