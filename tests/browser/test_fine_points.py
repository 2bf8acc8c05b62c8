"""What a reader of phones notices: marks at the end of lines, values that are not below each other, stops of Tab."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page

from customers.models import Account
from mailing.colours import contrast
from tests.browser.conftest import PageFactory
from tests.support.factories import (
    make_account,
    make_company,
    make_customer,
    make_published_invoice,
)

SignIn = Callable[[Page, Any], None]
PHONES = (320, 360, 390)
MOST_STOPS = 3


@pytest.fixture
def account() -> Account:
    """An account of two customers, with amounts of several currencies and all that a line of the list may have."""
    company = make_company(phone="+33 (0)4 72 00 00 00", email="service.comptabilite@aquila-fournitures.example")
    customer = make_customer(name="Établissements Montgolfier et Compagnie")
    invoices = [
        make_published_invoice(
            company=company,
            customer=customer,
            currency=currency,
            total_without_vat="1234567.89",
            purchase_order_reference="CMD-2025-000042",
            issue_date=date(2025, 6, 7),
        )
        for currency in ("EUR", "USD", "CHF")
    ]
    make_published_invoice(
        company=company, customer=customer, kind="credit_note", type_code="381", due_date=None, corrects=invoices[0]
    )
    return make_account(customer, make_customer(), login="deux@clients.example")


@pytest.mark.parametrize("width", PHONES)
def test_a_point_between_two_texts_never_ends_a_line(
    open_page: PageFactory, sign_in: SignIn, account: Account, width: int
) -> None:
    page = open_page(width=width)
    at_ends = []
    for address in ("/connexion/", "/accessibilite/", "/factures/?annee=2025", "/factures/?q=introuvable", "/compte/"):
        if address == "/factures/?annee=2025":
            sign_in(page, account)
        page.goto(address)
        at_ends += [(address, text) for text in page.evaluate(POINTS_AT_ENDS)]
    assert at_ends == []


# The texts around a point that is shown without anything after it on its line.
POINTS_AT_ENDS = """() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const place = node.data.indexOf("·");
        if (place < 0 || !node.parentElement.checkVisibility()) continue;
        const range = document.createRange();
        range.setStart(node, place);
        range.setEnd(node, place + 1);
        const point = range.getBoundingClientRect();
        const around = node.parentElement.closest("p, h2, li, dd, .dots");
        if (point.right < around.getBoundingClientRect().left - 5) continue;  // it is cut off
        range.selectNodeContents(around);
        const texts = [...range.getClientRects()];
        const isFollowed = texts.some(text => text.left >= point.right - 1 && text.right > point.right + 1
            && text.top < point.bottom && text.bottom > point.top);
        if (!isFollowed) found.push(around.innerText);
    }
    return found;
}"""


@pytest.mark.parametrize("width", PHONES[1:])
def test_the_values_of_a_list_of_facts_are_below_each_other(
    open_page: PageFactory, account: Account, width: int
) -> None:
    page = open_page(width=width)
    page.goto("/mentions-legales/")
    places = page.evaluate(
        """[...document.querySelectorAll(".facts > div")].map(fact => {
            const [name, value] = [...fact.children].map(e => e.getBoundingClientRect());
            return value.top >= name.bottom ? "below" : Math.round(value.left);
        })"""
    )
    assert len(places) > 3
    assert len(set(places) - {"below"}) == 1, places


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844), (320, 256)])
def test_what_the_keyboard_reaches_is_not_below_the_bar_of_ticked_lines(
    open_page: PageFactory, sign_in: SignIn, width: int, height: int
) -> None:
    """WCAG 2.4.11, also at 400 %, where a window is 320 by 256."""
    customer = make_customer()
    for _ in range(12):
        make_published_invoice(customer=customer, issue_date=date(2025, 6, 7))
    page = open_page(width=width, height=height)
    sign_in(page, make_account(customer))
    page.goto("/factures/?annee=2025")
    page.locator(".line input").first.check()
    page.get_by_label("Tout cocher").focus()
    page.evaluate("window.scrollTo(0, 0)")
    covered = []
    for _ in range(12 * MOST_STOPS):
        page.keyboard.press("Tab")
        covered += page.evaluate(
            """() => {
                const reached = document.activeElement, box = reached.getBoundingClientRect();
                const bar = document.querySelector(".ticked").getBoundingClientRect();
                const isBelow = !reached.closest(".ticked") && box.bottom > bar.top && box.top < bar.bottom;
                const isOut = box.bottom > innerHeight + 1 || box.top < -1;
                return isBelow || isOut ? [reached.innerText || reached.value] : [];
            }"""
        )
    assert covered == []


@pytest.mark.parametrize("width", [1440, 360])
def test_the_keyboard_stops_three_times_at_most_in_a_line(
    open_page: PageFactory, sign_in: SignIn, account: Account, width: int
) -> None:
    page = open_page(width=width)
    sign_in(page, account)
    page.goto("/factures/?annee=2025")
    lines = page.locator(".line").count()
    stops = [0] * lines
    page.get_by_label("Tout cocher").focus()
    for _ in range(lines * (MOST_STOPS + 2)):
        page.keyboard.press("Tab")
        place = page.evaluate(
            "[...document.querySelectorAll('.line')].findIndex(line => line.contains(document.activeElement))"
        )
        if place < 0:
            break
        stops[place] += 1
    assert lines == 4
    assert all(0 < count <= MOST_STOPS for count in stops), stops


def test_the_year_that_is_shown_differs_in_colours_that_the_system_imposes(
    open_page: PageFactory, sign_in: SignIn, account: Account
) -> None:
    make_published_invoice(customer=account.customers.first(), issue_date=date(2024, 6, 7))
    page = open_page()
    sign_in(page, account)
    page.emulate_media(forced_colors="active")
    page.goto("/factures/?annee=2025")
    grounds = page.locator(".years a").evaluate_all("years => years.map(y => getComputedStyle(y).backgroundColor)")
    assert len(set(grounds)) == len(grounds) == 2


def test_a_button_is_legible_under_the_pointer_in_any_colour_of_a_company(
    open_page: PageFactory, account: Account
) -> None:
    company = make_company()
    for colour in ("#ffd400", "#e2001a", "#7a7a7a"):
        company.colour = colour
        company.save()
        for scheme in ("light", "dark"):
            page = open_page(scheme=scheme)
            page.goto("/connexion/")
            button = page.get_by_role("button", name="Se connecter")
            at_rest, _ = button.evaluate(DRAWN)
            button.hover()
            ground, ink = button.evaluate(DRAWN)
            assert ground != at_rest
            assert contrast(ink, ground) >= 4.5, (colour, scheme)


# The ground and the ink of an element as ``#rrggbb``, once its colours have changed.
DRAWN = """async element => {
    await Promise.all(element.getAnimations().map(change => change.finished));
    const {backgroundColor, color} = getComputedStyle(element);
    const brush = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
    return [backgroundColor, color].map(value => {
        brush.fillStyle = value;
        brush.fillRect(0, 0, 1, 1);
        const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
        return "#" + [red, green, blue].map(channel => channel.toString(16).padStart(2, "0")).join("");
    });
}"""


def test_on_paper_nothing_that_is_said_beside_is_larger_than_what_it_is_beside(
    open_page: PageFactory, sign_in: SignIn, account: Account
) -> None:
    page = open_page()
    sign_in(page, account)
    page.emulate_media(media="print")
    page.goto("/compte/")
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    beside, main = (page.locator(each).first.evaluate(size) for each in (".hint", "main p"))
    assert beside < main


@pytest.mark.parametrize("width", PHONES)
def test_the_ways_to_other_pages_are_beside_each_other(
    open_page: PageFactory, sign_in: SignIn, account: Account, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.space.views.invoices.LINES_PER_PAGE", 1)
    page = open_page(width=width)
    sign_in(page, account)
    page.goto("/factures/?annee=2025&page=2")
    newer, older = page.locator(".pages .way").evaluate_all("ways => ways.map(way => way.getBoundingClientRect().top)")
    assert newer == older


@pytest.mark.parametrize("width", PHONES[1:])
def test_an_iban_is_on_one_line(open_page: PageFactory, sign_in: SignIn, account: Account, width: int) -> None:
    page = open_page(width=width)
    sign_in(page, account)
    invoice = account.customers.exclude(invoices=None).get().invoices.get(currency="EUR", kind="invoice")
    page.goto(f"/factures/{invoice.pk}/")
    lines = page.locator(".pay .figures").evaluate(
        "iban => {const all = document.createRange(); all.selectNodeContents(iban); return all.getClientRects().length}"
    )
    assert lines == 1
