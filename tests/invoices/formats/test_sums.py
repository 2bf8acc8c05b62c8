"""Sums of an invoice that do not hold are said in French, with the business term; the totals stay as stated."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from invoices.en16931.model import AllowanceCharge, InvoiceContent, Line, Party, VatBreakdown
from invoices.formats.checks.amounts import sentences_about_sums

D = Decimal


def sound_invoice() -> InvoiceContent:
    """3 × 33,333 and 2 000 pieces at 12,50 a hundred less 10, less 5 for all; VAT at 20 and 5,5 per cent."""
    return InvoiceContent(
        number="F1",
        issue_date=None,
        type_code="380",
        currency="EUR",
        seller=Party(),
        buyer=Party(),
        lines=(
            Line("1", "Huile", D("100.00"), D(3), "LTR", D("33.333"), vat_category="S", vat_rate=D("5.5")),
            Line(
                "2",
                "Vis",
                D("240.00"),
                D(2000),
                "C62",
                D("12.50"),
                D(100),
                vat_category="S",
                vat_rate=D(20),
                allowances_charges=(AllowanceCharge(False, D("10.00")),),
            ),
        ),
        allowances_charges=(AllowanceCharge(False, D("5.00"), vat_category="S", vat_rate=D("20.00")),),
        vat_breakdown=(
            VatBreakdown("S", D("5.50"), D("100.00"), D("5.50")),
            VatBreakdown("S", D(20), D("235.00"), D("47.00")),
        ),
        line_total=D("340.00"),
        allowance_total=D("5.00"),
        total_without_vat=D("335.00"),
        total_vat=D("52.50"),
        total_with_vat=D("387.50"),
        prepaid_amount=D("100.00"),
        rounding_amount=D("0.50"),
        amount_due=D("288.00"),
    )


def test_an_invoice_whose_sums_hold_gives_no_warning() -> None:
    assert sentences_about_sums(sound_invoice()) == ()


def test_an_invoice_without_lines_and_totals_gives_no_warning() -> None:
    assert sentences_about_sums(InvoiceContent("F1", None, "380", "EUR", Party(), Party())) == ()


@pytest.mark.parametrize(
    ("field", "value", "terms"),
    [
        ("line_total", "341.00", ["BT-106", "BT-109"]),
        ("allowance_total", "4.00", ["BT-107", "BT-109"]),
        ("charge_total", "1.00", ["BT-108", "BT-109"]),
        ("total_without_vat", "335.01", ["BT-109", "BT-112"]),
        ("total_vat", "52.51", ["BT-110", "BT-112"]),
        ("total_with_vat", "387.51", ["BT-112", "BT-115"]),
        ("prepaid_amount", "0.00", ["BT-115"]),
        ("rounding_amount", "0.49", ["BT-115"]),
        ("amount_due", "387.50", ["BT-115"]),
    ],
)
def test_a_total_that_is_not_its_sum_is_named(field: str, value: str, terms: list[str]) -> None:
    change: dict[str, Any] = {field: D(value)}
    warnings = sentences_about_sums(replace(sound_invoice(), **change))
    assert len(warnings) == len(terms)
    for warning, term in zip(warnings, terms, strict=True):
        assert f"({term})" in warning


def test_a_line_that_is_not_quantity_times_price_to_the_cent_is_named() -> None:
    content = sound_invoice()
    wrong = replace(content.lines[1], net_amount=D("240.01"))
    warnings = sentences_about_sums(replace(content, lines=(content.lines[0], wrong)))
    assert warnings[0] == (
        "Ligne 2 – Montant net de la ligne différent du prix multiplié par la quantité : "
        "240,01 indiqué, 240,00 calculé (BT-131)."
    )


def test_a_cent_of_vat_is_named_with_its_rate() -> None:
    content = sound_invoice()
    wrong = replace(content.vat_breakdown[0], tax_amount=D("5.51"))
    warnings = sentences_about_sums(
        replace(
            content,
            vat_breakdown=(wrong, content.vat_breakdown[1]),
            total_vat=D("52.51"),
            total_with_vat=D("387.51"),
            amount_due=D("288.01"),
        )
    )
    assert warnings == (
        "TVA S à 5,5 % – Montant de TVA différent de la base multipliée par le taux : "
        "5,51 indiqué, 5,50 calculé (BT-117).",
    )


def test_a_difference_below_the_cent_is_shown_with_its_digits() -> None:
    content = sound_invoice()
    finer = replace(content.lines[0], net_amount=content.lines[0].net_amount + D("0.0041"))
    warnings = sentences_about_sums(replace(content, lines=(finer, content.lines[1])))
    (total,) = (warning for warning in warnings if warning.startswith("Total des lignes"))
    assert total.endswith("indiqué, 340,0041 calculé (BT-106).")


def test_a_taxable_amount_that_is_not_the_sum_of_its_lines_is_named() -> None:
    content = sound_invoice()
    moved = replace(content.lines[0], vat_rate=D(20))
    warnings = sentences_about_sums(replace(content, lines=(moved, content.lines[1])))
    assert [warning.split(" :")[0] for warning in warnings] == [
        "TVA S à 5,5 % – Base de TVA différente de la somme des lignes, remises et frais à ce taux",
        "TVA S à 20 % – Base de TVA différente de la somme des lignes, remises et frais à ce taux",
    ]


def test_lines_that_gather_others_count_once() -> None:
    content = sound_invoice()
    group = Line("0", "Lot complet", D("340.00"), kind="GROUP")
    assert sentences_about_sums(replace(content, lines=(group, *content.lines))) == ()


def test_huge_numbers_are_compared_without_rounding() -> None:
    content = sound_invoice()
    huge = replace(content.lines[0], quantity=D("9" * 15), net_price=D("9" * 15), net_amount=D("100"))
    assert any(
        "Ligne 1" in warning for warning in sentences_about_sums(replace(content, lines=(huge, content.lines[1])))
    )
