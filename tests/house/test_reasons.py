"""A reason why a line is left out is declared once: what is missing when one is added."""

import pytest

from invoices.exporting.reasons import REASONS, Correction, Link, first_reason, order_reasons
from invoices.models import ExportItem
from portal.backoffice.exports.corrections import CORRECTIONS

Reason = ExportItem.Reason


def test_every_reason_has_one_row() -> None:
    assert sorted(row.reason for row in REASONS) == sorted(Reason), "a row is missing in invoices/exporting/reasons.py"


@pytest.mark.parametrize("row", REASONS, ids=lambda row: str(row.reason))
def test_a_reason_is_decided_by_the_invoice_or_by_its_customer(row) -> None:  # type: ignore[no-untyped-def]
    assert (row.condition is None) != (row.judge is None)
    assert Reason(row.reason).label


def test_every_fix_of_a_reason_has_its_correction() -> None:
    assert set(CORRECTIONS) == set(Correction), "a correction is missing in portal/backoffice/exports/corrections.py"
    assert {row.correction for row in REASONS if row.correction} == set(Correction)


def test_every_page_to_open_is_that_of_a_reason() -> None:
    assert {row.link for row in REASONS if row.link} == set(Link)


def test_the_first_reason_is_that_of_the_first_row() -> None:
    assert first_reason("no_address", "not_dematerialised") == "not_dematerialised"
    assert first_reason("platform_required", "", "no_contact") == "no_contact"
    assert first_reason("", "") == ""
    assert list(order_reasons({"platform_required": 1, "already_exported": 2, "no_address": 0})) == [
        "already_exported",
        "platform_required",
    ]
