"""What no one means in an address of the back-office finds nothing, or leads back to the list: it is no error."""

from urllib.parse import unquote

import pytest
from django.test import Client

from customers.models import Contact
from tests.support.factories import make_account, make_contact, make_customer

pytestmark = pytest.mark.django_db

LISTS = ("customers/customer", "customers/customeraccount", "invoices/invoice", "invoices/export", "mailing/message")
COMPLETION = "/gestion/autocomplete/?app_label=customers&model_name=access&field_name=customer&term="


VALUES = ["%00", "a%00b", "%ED%A0%80", "%FF", "9" * 400, "-1", "%C2%B2", "NaN", "%25"]


@pytest.mark.parametrize("value", VALUES)
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


@pytest.mark.parametrize("value", VALUES)
def test_a_customer_that_no_form_offers_is_said_beside_its_field(staff_client: Client, value: str) -> None:
    contact = make_contact(make_customer())
    access = make_account(contact.customer).accesses.get()
    card = "/gestion/customers/contact/"
    account = f"/gestion/customers/customeraccount/{access.account_id}/change/"
    row = {"accesses-TOTAL_FORMS": "1", "accesses-INITIAL_FORMS": "1", "accesses-0-id": str(access.pk)}
    typed = unquote(value)

    assert staff_client.get(f"{card}add/?customer={value}").status_code == 200
    for page, fields in (
        (f"{card}add/", {"customer": typed}),
        (f"{card}{contact.pk}/change/", {"customer": typed}),
        (account, row | {"accesses-0-account": str(access.account_id), "accesses-0-customer": typed}),
    ):
        answer = staff_client.post(page, fields)
        assert answer.status_code in (200, 422)
        assert "À corriger" in answer.content.decode()
    assert Contact.objects.get().customer == access.account.customers.get() == contact.customer
