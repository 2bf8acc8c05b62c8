"""Contrast is measured once for texts that look the same, and no text that looks otherwise is passed over."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.conftest import PageFactory

PAGE = "<!doctype html><html lang=fr><title>Page</title><main><h1>Page</h1>{}</main>"
LEGIBLE = "<p style='color:#666; font-size:16px'>Facture</p>"
# Grey of 5.7:1 on white, under 4.5:1 once something else is behind it or over it.
ILLEGIBLE = {
    "another colour": "<p style='color:#999; font-size:16px'>Facture</p>",
    "another ground": f"<div style='background:#ccc'>{LEGIBLE}</div>",
    "a veil": f"<div style='opacity:.6'>{LEGIBLE}</div>",
    "a ground that does not contain it": (
        "<div style='position:relative'><div style='position:absolute; inset:0; background:#ccc'></div>"
        f"<div style='position:relative'>{LEGIBLE}</div></div>"
    ),
}


def test_what_is_legible_elsewhere_is_still_found_where_it_is_not(
    open_page: PageFactory, axe: Callable[[Page], list[str]]
) -> None:
    page = open_page()
    page.set_content(PAGE.format(LEGIBLE))
    assert axe(page) == []

    for text in ILLEGIBLE.values():
        # The second time it is no more legible than the first.
        for _again in range(2):
            page.set_content(PAGE.format(LEGIBLE + text))

            assert [each.partition(": ")[0] for each in axe(page) if "color-contrast" in each] == ["dark", "light"]
