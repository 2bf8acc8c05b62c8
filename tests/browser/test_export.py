"""Export WEB › Factures as accounting staff go through it, with JavaScript and without."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.bulk_actions import run_bulk_action
from customers.models import Account, BulkAction
from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Export, ExportItem, Invoice, SavedSelection
from mailing.failed_addresses import mark_address_failed
from mailing.heartbeats import record_heartbeat
from mailing.models import Message
from tests.browser.conftest import LOOKED_AT, PageFactory, each_width, share_of
from tests.support.factories import make_account, make_company, make_customer, make_invoice, make_staff

SCREEN = "/gestion/export-web/factures/"


@dataclass(frozen=True, slots=True)
class BackOfficeScene:
    """A member of the accounts department, and three invoices: one ready, one on paper, one without an address."""

    staff: Account
    ready: Invoice
    paper: Invoice
    mute: Invoice


@pytest.fixture(autouse=True)
def tasks_in_the_database(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that is asked for waits for a worker; the test is the worker, line by line."""
    monkeypatch.setattr("invoices.exporting.run.worker.FIRST_CLAIM", 1)
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


@pytest.fixture
def backoffice(predefined_messages: None) -> BackOfficeScene:
    make_company(name="Aquila Fournitures", colour="#0b6e4f")
    record_heartbeat("machine:1", "export")
    return BackOfficeScene(
        staff=make_staff(name="Nathalie Blanc"),
        ready=make_invoice(number="F-1", customer=make_customer(name="Boulangerie Martin", email="a@martin.example")),
        paper=make_invoice(number="F-2", customer=make_customer(name="Papeterie Roy", invoice_copies="2")),
        mute=make_invoice(number="F-3", customer=make_customer(name="Garage Muet", email="")),
    )


def line(page: Page, number: str) -> Any:
    return page.locator("tr.line", has_text=number)


def correct_the_lines(page: Page) -> None:
    """Paper passes to D, the missing address is typed, first wrongly."""
    page.get_by_role("link", name="écartées").click()
    line(page, "F-2").get_by_role("button", name="Passer en D").click()
    expect(page.locator(".messagelist")).to_contain_text("passé en D (démat)")
    page.get_by_role("link", name="à corriger").click()
    muted = line(page, "F-3")
    muted.locator("summary").click()
    muted.get_by_label("Adresse e-mail").fill("pas une adresse")
    muted.get_by_role("button", name="Enregistrer").click()
    expect(line(page, "F-3").locator(".errorlist")).to_contain_text("n’est pas une adresse électronique")
    expect(line(page, "F-3").get_by_label("Adresse e-mail")).to_have_value("pas une adresse")
    line(page, "F-3").get_by_label("Adresse e-mail").fill("garage@muet.example")
    line(page, "F-3").get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".messagelist")).to_contain_text("1 facture prête")
    page.get_by_role("link", name="toutes").click()


def work(most: int | None = None) -> None:
    """Do some lines of the running export, as a worker would."""
    run_lines(Export.objects.get(), most=most)


def test_the_whole_path_with_javascript(
    open_page: PageFactory, sign_in: Callable[..., None], backoffice: BackOfficeScene
) -> None:
    page = open_page()
    sign_in(page, backoffice.staff)
    page.goto(SCREEN)

    # The count follows each choice, and the other tab the choices. The first list begins with credentials and a mail.
    figure = page.locator("#compte")
    expect(figure).to_contain_text(re.compile(r"1\s+facture prête"))
    page.get_by_label("Générer les identifiants de connexion à l’espace client").uncheck()
    expect(figure).to_contain_text(re.compile(r"0\s+facture prête"))
    page.get_by_label("Générer les identifiants de connexion à l’espace client").check()
    expect(figure).to_contain_text(re.compile(r"1\s+facture prête"))
    page.get_by_label("Joindre le PDF de la facture au mail envoyé").check()
    expect(page.get_by_label("Accompagner la mise à jour")).to_be_checked()
    page.get_by_label("Début", exact=True).fill("2025-07-01")
    page.get_by_label("Fin", exact=True).fill("2025-06-01")
    expect(figure).to_contain_text("La fin de la période précède son début.")
    page.get_by_label("Début", exact=True).fill("")
    page.get_by_label("Fin", exact=True).fill("")
    expect(figure).to_contain_text(re.compile(r"1\s+facture prête"))
    page.reload()
    expect(page.get_by_label("Joindre le PDF de la facture au mail envoyé")).to_be_checked()
    page.get_by_role("link", name="Script").click()
    expect(page.locator("pre").first).to_contain_text("--generate-credentials --notify --attach-pdf")
    page.get_by_role("link", name="Sélection", exact=True).click()

    # The list, corrected and unticked on the spot.
    page.get_by_role("button", name="Créer la liste à exporter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Export n° 1")
    # A line that is unticked stays in sight, though the list is filtered to what is ready.
    page.get_by_role("link", name="prêtes").click()
    page.get_by_label("Exporter la facture F-1").uncheck()
    expect(line(page, "F-1")).to_contain_text("décochée")
    page.get_by_label("Exporter la facture F-1").check()
    expect(line(page, "F-1")).to_contain_text("prête")
    correct_the_lines(page)
    expect(page.get_by_role("button", name=re.compile(r"Exporter 3\s+factures"))).to_be_visible()
    page.get_by_label("Exporter la facture F-2").uncheck()
    expect(page.get_by_role("button", name=re.compile(r"Exporter 2\s+factures"))).to_be_visible()
    expect(line(page, "F-2")).to_contain_text("décochée")
    assert ExportItem.objects.get(invoice=backoffice.paper).state == ExportItem.State.EXCLUDED

    # What would leave, before it leaves.
    page.get_by_label("Aperçu de la facture F-1 : PDF et mail").click()
    expect(page.get_by_text("rien n’est figé, publié ni envoyé")).to_be_visible()
    expect(page.frame_locator("iframe.preview__mail").get_by_text("••••••")).to_be_visible()
    page.get_by_role("link", name="Retour à l’export n° 1").click()

    # The run: watched, paused, resumed, to its end.
    page.get_by_role("button", name=re.compile("Exporter 2")).click()
    expect(page.locator("#avancement")).to_contain_text("0 sur 2")
    work(most=1)
    expect(page.locator("#avancement")).to_contain_text("1 sur 2")
    expect(page.locator("#avancement progress")).to_have_js_property("value", 1)
    expect(page.locator("#annonce")).to_contain_text("1 sur 2")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".messagelist")).to_contain_text("en pause")
    page.get_by_role("button", name="Reprendre").click()
    work()
    expect(page.get_by_role("link", name="Ouvrir le bordereau d’export")).to_be_visible()
    expect(page.get_by_text(re.compile(r"2\s+factures publiées"))).to_be_visible()
    read_the_bordereau_and_resend(page, backoffice)


def read_the_bordereau_and_resend(page: Page, backoffice: BackOfficeScene) -> None:
    """The report, the one mail that failed, and one more mail on purpose."""
    Message.objects.filter(recipient="a@martin.example", kind="invoice").update(
        state="rejected", reason="550 boîte pleine", next_attempt_at=None
    )
    page.get_by_role("link", name="Ouvrir le bordereau d’export").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bordereau d’export n° 1")
    row = page.locator(".lines tbody tr", has_text="F-1")
    expect(row).to_contain_text("rejetée")
    expect(row).to_contain_text("550 boîte pleine")
    with page.expect_download() as download:
        page.get_by_role("link", name="Bordereau en CSV").click()
    assert "F-1" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("link", name="Réessayer les échecs").click()
    expect(page.get_by_text("mail qui n’est pas arrivé sera renvoyé")).to_be_visible()
    page.get_by_role("button", name="Réessayer les échecs").click()
    expect(page.locator(".messagelist")).to_contain_text(re.compile(r"0\s+facture, 1\s+mail"))
    expect(page.locator(".lines tbody tr", has_text="F-1")).to_contain_text("en file")

    page.get_by_role("link", name="F-1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Facture N° F-1")
    page.get_by_role("link", name="Renvoyer").click()
    page.get_by_role("button", name="Renvoyer").click()
    expect(page.locator(".messagelist")).to_contain_text("a@martin.example")
    expect(page.get_by_text(re.compile(r"renvoi 1"))).to_be_visible()
    assert Message.objects.filter(recipient="a@martin.example", kind="invoice").count() == 2


def test_the_whole_path_without_javascript(
    open_page: PageFactory, sign_in: Callable[..., None], backoffice: BackOfficeScene
) -> None:
    page = open_page(javascript=False)
    sign_in(page, backoffice.staff)
    page.goto(SCREEN)
    page.get_by_label("Générer les identifiants de connexion à l’espace client").check()
    page.get_by_label("Accompagner la mise à jour").check()
    page.get_by_label("Joindre le PDF de la facture au mail envoyé").check()
    page.get_by_role("button", name="Compter").click()
    expect(page.locator("#compte")).to_contain_text(re.compile(r"1\s+facture prête"))
    page.get_by_label("Nom de la sélection").fill("Tous")
    page.get_by_role("button", name="Enregistrer la sélection").click()
    expect(page.locator(".messagelist")).to_contain_text("La sélection « Tous » est enregistrée.")
    page.get_by_role("button", name="Créer la liste à exporter").click()
    correct_the_lines(page)
    page.get_by_label("Exporter la facture F-2").uncheck()
    page.get_by_role("button", name="Enregistrer les coches").click()
    page.get_by_role("button", name=re.compile(r"Exporter 2\s+factures")).click()
    expect(page.locator("#avancement")).to_contain_text("0 sur 2")
    work(most=1)
    page.get_by_role("link", name="Actualiser").click()
    expect(page.locator("#avancement")).to_contain_text("1 sur 2")
    work()
    page.get_by_role("link", name="Actualiser").click()
    assert Export.objects.get().selection == SavedSelection.objects.get(name="Tous")
    read_the_bordereau_and_resend(page, backoffice)


def test_a_run_is_found_again_after_the_page_was_closed(
    open_page: PageFactory, sign_in: Callable[..., None], backoffice: BackOfficeScene
) -> None:
    start_export(export=create_export(criteria=Criteria(generate_credentials=True), author=backoffice.staff))
    page = open_page()
    sign_in(page, backoffice.staff)
    page.goto(SCREEN)

    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_role("link", name="Export n° 1").click()
    expect(page.locator("#avancement")).to_contain_text("0 sur 1")
    work()

    expect(page.get_by_role("link", name="Ouvrir le bordereau d’export")).to_be_visible()


def test_the_list_shows_by_itself_what_a_bulk_correction_has_made_ready(
    open_page: PageFactory, sign_in: Callable[..., None], backoffice: BackOfficeScene
) -> None:
    for _number in range(10):
        make_invoice(customer=make_customer())
    export = create_export(criteria=Criteria(notify=True), author=backoffice.staff)
    page = open_page()
    sign_in(page, backoffice.staff)
    page.goto(f"{SCREEN}export/{export.number}/")
    page.get_by_role("button", name="Créer les 11 comptes").click()
    expect(page.locator(".bulk__running")).to_contain_text("en cours")
    expect(page.locator("#resume")).to_contain_text("0 facture prête")

    run_bulk_action(BulkAction.objects.get())

    expect(page.locator("#resume")).to_contain_text("11 factures prêtes")
    expect(page.get_by_role("button", name="Exporter 11 factures")).to_be_enabled()


def set_the_scene(backoffice: BackOfficeScene) -> dict[str, str]:
    """Something of everything that the screens can show; the address of each screen by its name."""
    everything = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
    done = start_export(export=create_export(criteria=everything, author=backoffice.staff))
    run_lines(done)
    Message.objects.filter(kind="invoice").update(state="rejected", reason="550 boîte pleine", next_attempt_at=None)
    SavedSelection.objects.create(name="Mensuel", criteria=Criteria(period=Period.PREVIOUS_MONTH).to_json())
    closed = make_customer(name="Fleuriste Fermé")
    make_account(closed, is_active=False)
    lost = make_customer(name="Café Perdu", email="perdu@cafe.example")
    mark_address_failed("perdu@cafe.example", "550 inconnue", None, timezone.now())
    for customer in (closed, lost, *(make_customer() for _number in range(3))):
        make_invoice(customer=customer, issue_date=date(2025, 7, 1))
    running = start_export(export=create_export(criteria=Criteria(generate_credentials=True), author=backoffice.staff))
    make_invoice(customer=make_customer(), issue_date=date(2025, 7, 2))  # the others are taken by the list that runs
    draft = create_export(criteria=everything, author=backoffice.staff)
    line = draft.items.ready().order_by("pk").first()
    assert line is not None
    invoice = f"/gestion/invoices/invoice/{backoffice.ready.pk}"
    root = f"{SCREEN}export"
    return {
        "selection": SCREEN,
        "selection-refusee": f"{SCREEN}?period=fixed&scope=all&start=2025-07-01&end=2025-06-01&function=x",
        "exports": f"{root}/",
        "liste": f"{root}/{draft.number}/",
        "liste-a-corriger": f"{root}/{draft.number}/?etat=left_out",
        "avancement": f"{root}/{running.number}/",
        "apercu": f"{root}/{draft.number}/apercu/{line.pk}/",
        "annuler": f"{root}/{draft.number}/annuler/",
        "adresses": f"{root}/{draft.number}/adresses/",
        "remettre": f"{root}/{done.number}/remise/",
        "bordereau": f"{root}/{done.number}/bordereau/",
        "script": f"{SCREEN}script/?period=previous_month&scope=all&notify=on",
        "facture": f"{invoice}/change/",
        "renvoyer": f"{invoice}/renvoyer/",
        "factures": "/gestion/invoices/invoice/",
        "listes": "/gestion/invoices/export/",
    }


@pytest.mark.parametrize("width", LOOKED_AT)
def test_nothing_hinders_on_any_screen_and_none_is_wider_than_its_window(
    open_page: PageFactory, sign_in: Any, axe: Callable[[Page], list[str]], backoffice: BackOfficeScene, width: int
) -> None:
    page = open_page(width=width)
    sign_in(page, backoffice.staff)
    found = {}

    for name, address in share_of(set_the_scene(backoffice).items(), width):
        page.goto(address)
        for summary in page.locator("details.fix > summary").all():
            summary.click()
        for shown in each_width(page):
            found[name, shown] = axe(page)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found[name, shown].append("wider than its window")

    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.screenshots
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_export_screen_has_its_picture(
    open_page: PageFactory, sign_in: Any, backoffice: BackOfficeScene, width: int, scheme: str
) -> None:
    folder = Path(os.environ.get("SCREENSHOTS", project.BASE_DIR / "var" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    page = open_page(width=width, scheme=scheme)
    sign_in(page, backoffice.staff)

    for name, address in set_the_scene(backoffice).items():
        page.goto(address)
        page.evaluate("document.fonts.ready")
        target = folder / f"gestion-{name}-{width}-{scheme}.png"
        page.screenshot(path=target, full_page=True)
        assert target.stat().st_size > 1000
