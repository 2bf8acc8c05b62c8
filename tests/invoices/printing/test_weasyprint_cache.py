"""What is remembered from one invoice to the next changes nothing of what is printed."""

import contextlib
import dataclasses
import datetime
import logging
import random
import re

import pytest
import weasyprint

from invoices.printing import TEMPLATES, PrintStyle, read_logo, release, render_invoice, rendering
from invoices.printing.markup import FOLDER, stylesheet
from invoices.printing.weasyprint_cache import drawing, layout, switch
from tests.support import invoice_samples as samples

CREATED = datetime.datetime(2022, 6, 7, tzinfo=datetime.UTC)
XML = b"<invoice/>"
STYLE = PrintStyle(legal_mentions=("SAS au capital de 120 000 €",), has_transfer_code=True)


@pytest.mark.parametrize("template", TEMPLATES)
def test_invoices_of_every_kind_are_the_same_bytes_with_and_without_memory(template: str) -> None:
    style = dataclasses.replace(STYLE, template=template)
    kinds = list(samples.every_kind().items())
    with switch.without_memory():
        plain = {kind: render_invoice(content, style, xml=XML, created=CREATED) for kind, content in kinds}
    switch.forget()
    # In another order each time, so that each invoice is met with other things remembered before it.
    chance = random.Random(template)
    for _ in range(2):
        chance.shuffle(kinds)
        for kind, content in kinds:
            assert render_invoice(content, style, xml=XML, created=CREATED) == plain[kind], kind


SHAPES = '<circle cx="9" cy="9" r="8" fill="#7a1f3d"/><path d="M1 1h5v5z" fill="none" stroke="#123456"/>'
GRADIENT = (
    '<linearGradient id="g"><stop stop-color="red"/><stop offset="1"/></linearGradient>'
    '<path d="M0 0h9v9z" fill="url(#g)"/>'
)


@pytest.mark.parametrize(
    "shapes", [SHAPES, GRADIENT, f'<g opacity=".5">{SHAPES}</g>', '<rect width="9" height="9" fill-opacity=".3"/>']
)
def test_a_drawn_logo_is_the_same_bytes_when_its_shapes_are_remembered(
    shapes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">{shapes}</svg>'
    styles = [dataclasses.replace(STYLE, template=template, logo=read_logo(svg.encode())) for template in TEMPLATES]
    found = [[render_invoice(samples.plain(1), style, created=CREATED) for style in styles] for _ in range(2)]
    monkeypatch.setattr(rendering, "known_pictures", lambda logo: {})
    plain = [render_invoice(samples.plain(1), style, created=CREATED) for style in styles]
    assert found == [plain, plain]


def test_a_long_invoice_is_the_same_bytes_with_and_without_memory() -> None:
    content = samples.plain(120)
    with switch.without_memory():
        plain = render_invoice(content, STYLE, created=CREATED)
    assert render_invoice(content, STYLE, created=CREATED) == plain
    assert render_invoice(content, STYLE, created=CREATED) == plain


@pytest.mark.parametrize("template", TEMPLATES)
def test_details_under_a_name_are_the_same_bytes_with_and_without_memory(template: str) -> None:
    style = dataclasses.replace(STYLE, template=template)
    texts = ("Vis à tête fraisée " * 9, "", "Affleurés\u0301e\ntrois lignes\n\net une vide", "สีน้ำ", "AVATAR ﬁn 😀 1⁄2")
    name = {number: f"Article {number} {text}" for number, text in enumerate(texts)}
    content = samples.invoice(
        tuple(
            dataclasses.replace(line, name=name[index % 5], description=texts[index // 5], seller_item_identifier="R-1")
            for index, line in enumerate(samples.lines(25))
        )
    )
    with switch.without_memory():
        plain = render_invoice(content, style, created=CREATED)
    assert render_invoice(content, style, created=CREATED) == plain
    assert render_invoice(content, style, created=CREATED) == plain


@pytest.mark.parametrize("word", ["שלום", "مرحبا", "plain"])
def test_a_word_at_the_end_and_before_another_line_are_the_same_bytes_in_either_order(word: str) -> None:
    style = dataclasses.replace(STYLE, template="modern")
    [line] = samples.lines(1)
    ended, followed = (
        samples.invoice((dataclasses.replace(line, description=text),)) for text in (word, f"{word}\nsuite")
    )
    for order in ((ended, followed), (followed, ended)):
        switch.forget()
        for content in order:
            with switch.without_memory():
                plain = render_invoice(content, style, created=CREATED)
            assert render_invoice(content, style, created=CREATED) == plain


def test_memory_full_to_the_brim_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_TEXTS", 3)
    monkeypatch.setattr(drawing, "MOST_TEXTS", 3)
    monkeypatch.setattr(layout, "MOST_LENGTHS", 2)
    monkeypatch.setattr(layout, "MOST_PAGES", 1)
    switch.forget()
    content = samples.plain(45)
    with switch.without_memory():
        plain = render_invoice(content, STYLE, created=CREATED)
    for _ in range(2):
        assert render_invoice(content, STYLE, created=CREATED) == plain
    switch.forget()


def test_memory_is_left_alone_with_another_release(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with switch.without_memory():
        plain = render_invoice(samples.plain(3), STYLE, created=CREATED)
    monkeypatch.setattr(weasyprint, "__version__", "70.1")
    release.is_right_release.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert not switch.is_on()
            assert render_invoice(samples.plain(3), STYLE, created=CREATED) == plain
            render_invoice(samples.plain(3), STYLE, created=CREATED)
        assert caplog.text.count("is not 70.0") == 1
    finally:
        release.is_right_release.cache_clear()


def print_a_letter() -> bytes:
    """What WeasyPrint makes of a document that is none of ours: its styles go by places, neighbours and attributes."""
    lines = "".join(f"<p title='{number}'>line {number}</p><i>and</i>" for number in range(4))
    styles = "p:nth-child(3) { color: red } p + i { font-size: 30px } [title='2'] { margin-left: 3cm }"
    pdf = weasyprint.HTML(string=f"<style>{styles}</style>{lines}").write_pdf(uncompressed_pdf=True)
    assert isinstance(pdf, bytes)
    return pdf


def test_weasyprint_is_itself_again_after_a_document() -> None:
    before = print_a_letter()
    render_invoice(samples.plain(1), STYLE, created=CREATED)
    assert print_a_letter() == before


def test_weasyprint_is_itself_again_after_a_failure() -> None:
    before = print_a_letter()
    with contextlib.suppress(ZeroDivisionError), switch.patched():
        raise ZeroDivisionError
    assert print_a_letter() == before


def test_the_stylesheets_use_nothing_that_memory_leaves_out() -> None:
    """Elements are known by tags and classes alone: no sibling, place or attribute; and some properties are skipped."""
    # Other pages of this folder are printed without memory.
    for file in (FOLDER / f"{name}.css" for name in ("base", *TEMPLATES)):
        source = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.S)
        left_out = r"outline|transform:(?! uppercase| none)|opacity|bookmark-level: \d|\bpage: "
        assert not re.search(left_out + r"|\b(anchor|link|leader|flex|grid)", source)
        source = re.sub(r"\$\{(\w+)\}", r"\1", source)
        source = re.sub(r"@page[^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", source)
        for selectors in re.findall(r"(?:^|\})\s*([^{}]+?)\s*\{", source):
            assert re.fullmatch(r"[a-z0-9. ,\n]+", selectors), selectors
    markup = (FOLDER / "invoice.html").read_text(encoding="utf-8")
    assert not re.search(r"\s(id|style|href|on\w+)=|<(a|style|link|form|input)\b", markup)


def test_a_stylesheet_forgotten_takes_its_memory_along() -> None:
    render_invoice(samples.plain(2), STYLE, created=CREATED)
    sheet = stylesheet(STYLE.template, STYLE.colour, 1, "fr")
    assert sheet.remembered.elements
    switch.forget(sheet)
    assert not hasattr(sheet, "remembered")
