"""Contrast of colours, and colours dark enough for white text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailing.colours import READABLE, WHITE, contrast, darken_for_white


@given(st.integers(0, 0xFFFFFF))
def test_any_colour_is_darkened_until_white_reads_on_it(number: int) -> None:
    assert contrast(darken_for_white(f"#{number:06x}"), WHITE) >= READABLE


@pytest.mark.parametrize("colour", ["#000000", "#1f4e79", "#0f766e"])
def test_a_colour_that_is_dark_enough_stays(colour: str) -> None:
    assert darken_for_white(colour) == colour
