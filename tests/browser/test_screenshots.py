"""Pictures of every customer page, for people to look at (``make screenshots``); where they go: var/screenshots."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.browser.cast import set_scene
from tests.browser.conftest import PageFactory
from tests.support.factories import PASSWORD

WIDTHS = (1440, 768, 390, 360)


@pytest.mark.screenshots
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_customer_page_has_its_picture(open_page: PageFactory, sign_in: Any, scheme: str, width: int) -> None:
    folder = Path(os.environ.get("SCREENSHOTS", settings.BASE_DIR / "var" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    scene = set_scene()
    page = open_page(width=width, scheme=scheme)
    taken = []

    def take(name: str, address: str | None = None) -> None:
        if address is not None:
            page.goto(address)
        page.evaluate("document.fonts.ready")
        target = folder / f"{name}-{width}-{scheme}.png"
        page.screenshot(path=target, full_page=True)
        taken.append(target)

    take("connexion", "/connexion/")
    page.get_by_label("Identifiant").fill("nobody@example.com")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    take("connexion-refusee")
    take("oubli", "/connexion/oubli/")
    take("lien-perime", "/connexion/lien/abc/")
    take("verification", "/verification/")
    page.get_by_label("Numéro de la facture").fill("1")
    page.get_by_label("Empreinte").fill("0" * 16)
    page.get_by_role("button", name="Vérifier").click()
    take("verification-non-conforme")
    page.get_by_label("Numéro de la facture").fill(scene.invoice.number)
    scene.invoice.refresh_from_db()
    assert scene.invoice.document
    page.get_by_label("Empreinte").fill(scene.invoice.document.sha256)
    page.get_by_role("button", name="Vérifier").click()
    take("verification-authentique")
    for name in ("mentions-legales", "accessibilite", "donnees-personnelles"):
        take(name, f"/{name}/")
    take("introuvable", "/rien/")
    sign_in(page, scene.account)
    take("factures", "/factures/?annee=2025")
    take("recherche", "/factures/?q=juin")
    take("recherche-vide", "/factures/?q=rien+du+tout")
    take("facture", f"/factures/{scene.invoice.pk}/")
    take("compte", "/compte/")
    take("mails", "/compte/mails/")
    take("mot-de-passe", "/compte/mot-de-passe/")
    assert all(target.stat().st_size > 1000 for target in taken)
