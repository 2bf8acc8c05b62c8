"""Paramétrage société: the look of an invoice before it is saved, as people try it."""

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from invoices.models import Company
from tests.browser.backoffice_scene import BackOfficeScene, set_backoffice_scene
from tests.browser.conftest import PageFactory

LOOK = "/gestion/invoices/company/{}/change/#apparence"


@pytest.fixture
def backoffice() -> BackOfficeScene:
    return set_backoffice_scene()


def source(page: Page, selector: str) -> str:
    return str(page.locator(selector).get_attribute("src"))


def test_the_pictures_follow_what_is_typed_and_the_save_button_saves(
    open_page: PageFactory, sign_in: Any, backoffice: BackOfficeScene, tmp_path: Path
) -> None:
    company = backoffice.scene.company
    page = open_page()
    sign_in(page, backoffice.staff)
    page.goto(LOOK.format(company.pk))
    saved = source(page, ".look__page img")
    assert "/apercu/?modele=classic" in saved

    page.get_by_label("Couleur").fill("#8a1c2b")
    expect(page.locator(".look__page img")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    typed = source(page, ".look__page img")
    page.get_by_label("moderne").check()
    assert source(page, ".look__page img") not in (saved, typed)
    assert source(page, ".look__page img") == source(page, "[data-preview-of=modern]")
    page.get_by_label("Sur la facture n°").fill(backoffice.scene.invoice.number)
    page.get_by_label("Sur la facture n°").press("Enter")
    expect(page.locator(".look figcaption")).to_contain_text(backoffice.scene.invoice.number)
    page.get_by_label("Sur la facture n°").fill("rien")
    expect(page.locator(".look__problems")).to_have_text("Aucune facture de cette société ne porte le numéro « rien ».")
    page.get_by_label("Sur la facture n°").fill("")
    expect(page.locator(".look__problems")).to_have_text("")
    logo = tmp_path / "logo.png"
    Image.new("RGB", (300, 100), "#0055ff").save(logo)
    before = source(page, ".look__page img")
    page.locator("input[name=logo]").set_input_files(logo)
    expect(page.locator(".look__page img")).not_to_have_attribute("src", before)
    assert Company.objects.get(pk=company.pk).pdf_template == "classic"
    page.get_by_role("button", name="Enregistrer", exact=True).click()

    expect(page.locator(".messagelist")).to_be_visible()
    kept = Company.objects.get(pk=company.pk)
    assert (kept.colour, kept.pdf_template, bool(kept.logo)) == ("#8a1c2b", "modern", True)


def test_without_javascript_the_pdf_of_what_is_typed_opens_beside_and_the_return_key_saves(
    open_page: PageFactory, sign_in: Any, backoffice: BackOfficeScene
) -> None:
    company = backoffice.scene.company
    page = open_page(javascript=False)
    sign_in(page, backoffice.staff)
    page.goto(LOOK.format(company.pk))
    expect(page.locator(".look__page img")).to_have_js_property("naturalWidth", 1240)

    page.get_by_label("SIREN").fill("123")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Aperçu en PDF").click()
    expect(opened.value.get_by_role("heading", name="Aperçu impossible")).to_be_visible()
    expect(opened.value.get_by_text("SIREN : « 123 » n’est pas un SIREN")).to_be_visible()
    opened.value.close()
    page.get_by_label("SIREN").fill(company.siren)
    page.get_by_label("Raison sociale").fill("Aquila Neuve")
    with page.context.expect_event("response", lambda answer: answer.url.endswith("/apercu/")) as answered:
        page.get_by_role("button", name="Aperçu en PDF").click()
    assert answered.value.headers["content-type"] == "application/pdf"
    assert Company.objects.get(pk=company.pk).name != "Aquila Neuve"
    page.get_by_label("Raison sociale").press("Enter")

    expect(page.locator(".messagelist")).to_contain_text("Aquila Neuve")
    assert Company.objects.get(pk=company.pk).name == "Aquila Neuve"
