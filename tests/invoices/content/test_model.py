"""The semantic model as plain values."""

import dataclasses
from decimal import Decimal

import pytest

from invoices.en16931.model import Line, replace

LINE = Line(identifier="1", name="Prestation", net_amount=Decimal("100.00"), vat_rate=Decimal(20))


def test_a_value_with_changes_is_another_value_as_the_standard_library_makes_it() -> None:
    changed = replace(LINE, vat_category="S", name="Autre prestation")

    assert changed == dataclasses.replace(LINE, vat_category="S", name="Autre prestation")
    assert (LINE.vat_category, LINE.name) == ("", "Prestation")
    assert hash(changed) != hash(LINE)


def test_a_field_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(KeyError):
        replace(LINE, colour="red")
