"""What no one means in an address of the back-office finds nothing, or leads back to the list: it is no error."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

LISTS = ("customers/customer", "customers/customeraccount", "invoices/invoice", "invoices/export", "mailing/message")
COMPLETION = "/gestion/autocomplete/?app_label=customers&model_name=access&field_name=customer&term="


@pytest.mark.parametrize("value", ["%00", "a%00b", "%ED%A0%80", "%FF", "9" * 400, "-1", "%C2%B2", "NaN", "%25"])
def test_a_hostile_value_is_no_error(staff_client: Client, value: str) -> None:
    for name in LISTS:
        for parameter in (
            "q",
            "p",
            "o",
            "state",
            "kind",
            "state__exact",
            "etat",
            "nature",
            "created_at__year",
            "id__in",
        ):
            answer = staff_client.get(f"/gestion/{name}/?{parameter}={value}")
            assert answer.status_code in (200, 302, 400), (name, parameter)
        assert staff_client.get(f"/gestion/{name}/{value}/change/").status_code in (302, 404)
    assert staff_client.get(COMPLETION + value).status_code in (200, 403)
