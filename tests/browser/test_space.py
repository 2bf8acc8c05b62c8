"""The customers' space as people meet it: four widths, with and without JavaScript, by keyboard, light and dark."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from invoices.models import Invoice
from mailing.colours import contrast
from tests.browser.cast import LOGIN, Scene, set_scene
from tests.browser.conftest import LOOKED_AT, PageFactory, each_width, scrolls_sideways, share_of
from tests.support.factories import PASSWORD, make_account, make_company, make_customer, make_published_invoice

WIDTHS = (1440, 768, 390, 360)
Axe = Callable[[Page], list[str]]
SignIn = Callable[[Page, Any], None]


@pytest.fixture
def scene() -> Scene:
    return set_scene()


def public_addresses() -> list[str]:
    return [
        "/connexion/",
        "/connexion/oubli/",
        "/connexion/lien/",
        "/connexion/lien/abc/",
        "/verification/",
        "/mentions-legales/",
        "/accessibilite/",
        "/donnees-personnelles/",
        "/rien/",
    ]


def own_addresses(invoice: Invoice) -> list[str]:
    return [
        "/factures/?annee=2025",
        "/factures/?q=juin",
        "/factures/?q=rien+du+tout",
        "/factures/?client=000008",
        f"/factures/{invoice.pk}/",
        "/compte/",
        "/compte/mails/",
        "/compte/mot-de-passe/",
        "/compte/second-facteur/",
        "/connexion/confirmer/",
    ]


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_customer_finds_the_invoice_from_login_to_pdf(
    open_page: PageFactory, scene: Scene, width: int, javascript: bool
) -> None:
    page = open_page(width=width, javascript=javascript)
    page.goto("/")
    page.get_by_label("Identifiant").fill(LOGIN)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()

    expect(page.get_by_role("heading", level=1, name="Vos factures")).to_be_visible()
    expect(page.get_by_text("Bienvenue Nathalie Martin")).to_be_visible()
    page.get_by_role("link", name="2022").click()
    expect(page.get_by_text("Facture N° 18000138")).to_be_visible()
    page.get_by_role("link", name="2025").click()
    page.get_by_role("link", name="Facture N° 18000148").click()
    expect(page.get_by_role("heading", level=1, name="Facture N° 18000148")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger le PDF").click()
    assert download.value.suggested_filename == "Facture-18000148.pdf"

    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", level=1, name="Connexion")).to_be_visible()


def test_the_whole_path_needs_nothing_but_the_keyboard(open_page: PageFactory, scene: Scene) -> None:
    page = open_page()

    def tab_to(name: str, most: int = 60) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            # The text of what has the focus, and its ring: whoever looks must see where it is.
            text, outline = page.evaluate(
                "[document.activeElement.innerText || document.activeElement.value || '', "
                "getComputedStyle(document.activeElement).outlineWidth]"
            )
            assert outline == "3px", text
            if name in text:
                return
        raise AssertionError(f"« {name} » is not reached by the keyboard.")

    page.goto("/connexion/")
    page.keyboard.type(LOGIN)  # the login has the focus already
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/factures/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Aller au contenu"
    page.keyboard.press("Enter")
    tab_to("2024")
    page.keyboard.press("Enter")
    page.wait_for_url("**annee=2024")
    tab_to("Facture N° 18000142")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Facture N° 18000142")).to_be_visible()
    tab_to("Télécharger le PDF")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "Facture-18000142.pdf"


@pytest.mark.parametrize("width", LOOKED_AT)
def test_nothing_hinders_on_any_page(
    open_page: PageFactory, sign_in: SignIn, axe: Axe, scene: Scene, width: int
) -> None:
    page = open_page(width=width)
    found: dict[tuple[str, int], list[str]] = {}

    def look(name: str) -> None:
        for shown in each_width(page):
            if violations := axe(page):
                found[name, shown] = violations

    for address in share_of(public_addresses(), width):
        page.goto(address)
        look(address)
    if width == LOOKED_AT[0]:
        page.goto("/connexion/")
        page.get_by_role("button", name="Se connecter").click()
        look("refused login")
    verdicts = (("1", "0" * 64), (scene.invoice.number, fingerprint_of(scene)))
    for number, fingerprint in share_of(verdicts, width):
        page.goto("/verification/")
        page.get_by_label("Numéro de la facture").fill(number)
        page.get_by_label("Empreinte").fill(fingerprint)
        page.get_by_role("button", name="Vérifier").click()
        look(f"verdict on {number}")
    sign_in(page, scene.account)
    for address in share_of(own_addresses(scene.invoice), width):
        page.goto(address)
        look(address)

    assert found == {}


def test_a_companys_own_colour_stays_readable(open_page: PageFactory, sign_in: SignIn, axe: Axe, scene: Scene) -> None:
    company = make_company()
    page = open_page()
    sign_in(page, scene.account)

    for colour in ("#ffd400", "#e2001a"):
        company.colour = colour
        company.save()
        for address in ("/factures/?annee=2025", f"/factures/{scene.invoice.pk}/"):
            page.goto(address)
            assert axe(page) == []


def test_no_page_scrolls_sideways_on_a_phone_or_at_400_percent(
    open_page: PageFactory, sign_in: SignIn, scene: Scene
) -> None:
    """WCAG 1.4.10: 1280 pixels at 400 % are 320 of the page's own; WCAG 1.4.4: the text alone at 200 %."""
    sideways = []

    def look(page: Page, width: int, address: str) -> None:
        page.goto(address)
        for size in ("100%", "200%"):
            page.evaluate("size => {document.documentElement.style.fontSize = size}", size)
            sideways.extend([(width, size, address)] * scrolls_sideways(page))

    for width in (*WIDTHS, 320):
        page = open_page(width=width, height=256 if width == 320 else 900)
        for address in public_addresses():
            look(page, width, address)
        sign_in(page, scene.account)
        for address in own_addresses(scene.invoice):
            look(page, width, address)

    assert sideways == []


@pytest.mark.parametrize("width", [320, 360, 390, 768, 1440])
def test_nothing_overlaps_in_a_line_whatever_it_says(open_page: PageFactory, sign_in: SignIn, width: int) -> None:
    company = make_company(languages=["en", "de", "es"])
    customer = make_customer(code="411000123456", name="Société" + "interminable" * 8)
    lines = (
        ("7", "5", "EUR"),
        ("FAC-2026-004211-AB-20", "1234567.89", "EUR"),
        ("18000135", "480000", "USD"),
        ("18000136", "98765432.10", "CHF"),
    )
    made = [
        make_published_invoice(
            company=company, customer=customer, number=number, currency=currency, total_without_vat=Decimal(total)
        )
        for number, total, currency in lines
    ]
    longest, dearest = made[1].pk, made[3].pk
    page = open_page(width=width)
    account = make_account(customer, make_customer(name="Un autre"), login="long@varied.example")
    sign_in(page, account)
    overlapping, sideways = [], []
    for language in ("fr", "en", "de", "es"):
        account.language = language
        account.save(update_fields=["language"])
        page.goto("/factures/")
        assert page.locator(".line").count() == len(lines)
        overlapping += overlaps(page)
        sideways += [language] * scrolls_sideways(page)
        for invoice in (longest, dearest):
            page.goto(f"/factures/{invoice}/")
            overlapping += tables_out_of_their_frame(page)
            sideways += [f"{language}, invoice"] * scrolls_sideways(page)
    pages = ("/factures/", f"/factures/{longest}/", f"/factures/{dearest}/", "/mentions-legales/")
    for address in pages if width in WIDTHS else ():
        page.goto(address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")  # the text alone, as a phone's settings do
        overlapping += overlaps(page) + tables_out_of_their_frame(page)
        sideways += [f"{address} at twice the size of text"] * scrolls_sideways(page)
    assert overlapping == []
    assert sideways == []


def overlaps(page: Page) -> list[Any]:
    """The texts of the list that are on each other, or out of their line."""
    found: list[Any] = page.evaluate(
        """parts => [...document.querySelectorAll(".line")].flatMap(line => {
            const boxes = [...line.querySelectorAll(parts)].map(e => [e.innerText, e.getBoundingClientRect()]);
            const frame = line.getBoundingClientRect();
            const outside = boxes.filter(([, box]) => box.left < frame.left || box.right > frame.right + 0.5);
            const pairs = boxes.flatMap(([a, one], i) => boxes.slice(i + 1)
                .filter(([, two]) => one.left < two.right - 0.5 && two.left < one.right - 0.5
                    && one.top < two.bottom - 0.5 && two.top < one.bottom - 0.5)
                .map(([b]) => [a, b]));
            return [...outside.map(([text]) => text), ...pairs];
        })""",
        ".line__tick, .line__number, .line__amount, .line__facts, .line__more, .way",
    )
    return found


def tables_out_of_their_frame(page: Page) -> list[Any]:
    """The tables of the page that are wider than the frame around them, with both widths (pixels)."""
    found: list[Any] = page.evaluate(
        """() => [...document.querySelectorAll("table")].map(table => {
            const frame = table.parentElement, {paddingLeft, paddingRight} = getComputedStyle(frame);
            const room = frame.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
            return [table.caption.innerText, table.scrollWidth, room];
        }).filter(([, width, room]) => width > room + 0.5)"""
    )
    return found


def test_ticked_lines_are_counted_and_summed(open_page: PageFactory, sign_in: SignIn, scene: Scene) -> None:
    page = open_page(width=390)
    sign_in(page, scene.account)
    page.goto("/factures/?annee=2025")
    boxes = page.locator(".line input[type=checkbox]")

    page.get_by_label("Tout cocher").check()
    expect(page.get_by_text(f"{boxes.count()} factures cochées")).to_be_visible()
    for box in boxes.all()[1:]:
        box.uncheck()
    amount = page.locator(".line__amount").first.inner_text()
    expect(page.locator(".ticked__sum")).to_have_text(re.compile(rf"^1 facture cochée · {digits(amount)}"))

    page.goto(f"/factures/?q={page.locator('.line__number').first.inner_text().split()[-1]}")
    expect(boxes).to_have_count(1)
    expect(page.get_by_label("Tout cocher")).to_have_count(0)


def digits(amount: str) -> str:
    """What any way of writing ``amount`` has in common: its figures, with whatever is between thousands."""
    return r"\s?".join(amount.split()[:-1])


@pytest.mark.parametrize("width", [390, 360])
def test_targets_are_large_enough_for_a_thumb(
    open_page: PageFactory, sign_in: SignIn, scene: Scene, width: int
) -> None:
    page = open_page(width=width)
    page.goto("/connexion/")
    page.get_by_role("button", name="Se connecter").click()

    for address in (None, "/factures/?annee=2025", "/factures/?q=juin", f"/factures/{scene.invoice.pk}/", "/compte/"):
        if address:
            sign_in(page, scene.account)
            page.goto(address)
        small = page.evaluate(
            """targets => [...document.querySelectorAll(targets)]
               .filter(e => e.checkVisibility() && !e.closest(".search"))
               .map(e => [e.innerText || e.name, e.getBoundingClientRect().height])
               .filter(([, height]) => height < 44)""",
            "button, .button, .way, .years a, .chips a, .line__tick, .search__label, summary, select, "
            ".summary a, .contact a, .about__count a, .plain a",
        )
        assert small == []


def test_the_font_is_our_own_and_its_figures_are_of_one_width(
    open_page: PageFactory, sign_in: SignIn, scene: Scene
) -> None:
    page = open_page()
    sign_in(page, scene.account)
    page.goto("/factures/?annee=2025")

    assert page.evaluate(
        "document.fonts.ready.then(fonts => [...fonts].some(f => f.family.includes('Inter') && f.status == 'loaded'))"
    )
    assert "tabular-nums" in page.evaluate(
        "getComputedStyle(document.querySelector('.line__amount')).fontVariantNumeric"
    )


def test_a_box_shows_that_it_is_ticked_on_either_ground(open_page: PageFactory, sign_in: SignIn, scene: Scene) -> None:
    """WCAG 1.4.11: three to one between a control and what is around it, with a colour that is dark by itself."""
    company = make_company()
    company.colour = "#20603d"
    company.save()
    for scheme in ("light", "dark"):
        page = open_page(scheme=scheme)
        sign_in(page, scene.account)
        page.goto("/factures/?annee=2025")
        page.locator(".line input").first.check()
        box, ground = page.evaluate(
            "[document.querySelector('.line input'), document.querySelector('.lines')]"
            ".map((e, i) => getComputedStyle(e)[['accentColor', 'backgroundColor'][i]])"
        )
        assert contrast(hexadecimal(box), hexadecimal(ground)) >= 3, scheme


def hexadecimal(colour: str) -> str:
    """``rgb(11, 110, 79)`` as ``#0b6e4f``."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


def test_a_password_can_be_shown_and_hidden(open_page: PageFactory) -> None:
    page = open_page()
    page.goto("/connexion/")
    field = page.locator("#id_password")
    field.fill("secret")

    page.get_by_role("button", name="Afficher le mot de passe").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Masquer le mot de passe").click()
    expect(field).to_have_attribute("type", "password")


def test_an_error_takes_the_focus_and_leads_to_its_field(open_page: PageFactory) -> None:
    page = open_page()
    page.goto("/connexion/oubli/")
    page.get_by_role("button", name="Recevoir le lien").click()

    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    expect(page.get_by_label("Identifiant")).to_be_focused()


def test_an_invoice_prints_as_a_sober_page(open_page: PageFactory, sign_in: SignIn, scene: Scene) -> None:
    page = open_page(scheme="dark")
    sign_in(page, scene.account)
    page.goto(f"/factures/{scene.invoice.pk}/")
    page.emulate_media(media="print")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for hidden in (".banner__nav", ".footer", ".invoice__ways", ".back"):
        expect(page.locator(hidden)).to_be_hidden()
    for pressed in page.locator("button, .button, .way, summary").all():
        expect(pressed).to_be_hidden()
    assert page.locator(".table--lines tr").first.evaluate("row => getComputedStyle(row).display") == "table-row"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.invoice__amount')).color") == "rgb(0, 0, 0)"


def fingerprint_of(scene: Scene) -> str:
    scene.invoice.refresh_from_db()
    assert scene.invoice.document
    return scene.invoice.document.sha256
