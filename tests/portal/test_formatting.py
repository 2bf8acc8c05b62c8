"""What the house filters write."""

import pytest

from portal.templatetags.formatting import phone_uri


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("04 72 00 00 00", "tel:0472000000"),
        ("04.72.00.00.00", "tel:0472000000"),
        ("+33 (0)4 72\u202f00\xa000-00", "tel:+33472000000"),
        ("(0472) 00 00 00", "tel:0472000000"),
        ("+33 4 72 00 00 00 (poste 4512)", "tel:+33472000000"),
        ("04 72 00 00 00 / 06 11 22 33 44", "tel:0472000000"),
        ("04 72 00 00 00 ou 06 11 22 33 44", "tel:0472000000"),
        ("3949", "tel:3949"),
        ("02/123.45.67", "tel:021234567"),
        ("standard", ""),
        ("", ""),
    ],
)
def test_a_number_is_dialled_as_it_is_written_for_people(written: str, dialled: str) -> None:
    assert phone_uri(written) == dialled
