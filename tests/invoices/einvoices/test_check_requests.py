"""What people change in the back-office has e-invoices checked at once, by a worker and not by the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import BaseForm
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from customers.address_changes import correct_address
from invoices.einvoices.checks import check_invoices, needing_check
from invoices.models import Company, Invoice
from tests.support.factories import make_company, make_customer, make_invoice, make_staff

pytestmark = pytest.mark.django_db

SAMPLE = Path(__file__).parents[2] / "data" / "einvoices" / "akretion-factur-x" / "factur-x-en16931.xml"
COMPANY = "/gestion/invoices/company/{}/change/"
CUSTOMER = "/gestion/customers/customer/{}/change/"


def requested() -> int:
    """How many checks wait for a worker."""
    return DBTaskResult.objects.filter(task_path="invoices.einvoices.tasks.check_einvoices").count()


@pytest.fixture
def page(client: Client) -> Client:
    """A browser in which a member of staff is signed in, and an invoice that was checked and waits."""
    client.force_login(make_staff(), backend="customers.authentication.AccountBackend")
    make_company()
    make_invoice(customer=make_customer(kind="individual"))
    check_invoices(needing_check(timezone.now()))
    assert not needing_check(timezone.now()).exists()
    return client


def save(page: Client, address: str, callbacks: Any, **changes: Any) -> None:
    """Open a form, change some of its fields and save; what was asked for at the end of the transaction is done."""
    form: BaseForm = page.get(address).context["adminform"].form
    given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: "" if value is None else value for name, value in given.items() if value is not False}
    for name in ("logo", "dark_logo"):
        data.pop(name, None)
    data |= {"contacts-TOTAL_FORMS": "0", "contacts-INITIAL_FORMS": "0", **changes}
    with callbacks(execute=True):
        answer = page.post(address, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def card() -> str:
    return CUSTOMER.format(Invoice.objects.get().customer_id)


def settings_of_the_company() -> str:
    return COMPANY.format(Company.objects.get().pk)


@pytest.mark.parametrize("form", [card, settings_of_the_company])
def test_a_change_of_what_an_e_invoice_says_asks_for_a_check_and_saving_alone_does_not(
    page: Client, django_capture_on_commit_callbacks: Any, form: Callable[[], str]
) -> None:
    save(page, form(), django_capture_on_commit_callbacks)
    assert requested() == 0
    save(page, form(), django_capture_on_commit_callbacks, city="Nantes")
    assert requested() == 1


def test_an_address_put_right_on_the_card_asks_for_a_check(
    page: Client, django_capture_on_commit_callbacks: Any
) -> None:
    customer = Invoice.objects.get().customer
    with django_capture_on_commit_callbacks(execute=True):
        correct_address(customer=customer, old="elsewhere@client.example", new="nobody@client.example")
    assert requested() == 0
    with django_capture_on_commit_callbacks(execute=True):
        correct_address(customer=customer, old=customer.email, new="compta@client.example")
    assert requested() == 1


def test_a_confirmed_import_asks_for_a_check(page: Client, django_capture_on_commit_callbacks: Any) -> None:
    given = SimpleUploadedFile("facture.xml", SAMPLE.read_bytes())
    with django_capture_on_commit_callbacks(execute=True):
        answer = page.post("/gestion/invoices/importbatch/add/", {"documents": [given], "create_companies": "on"})
    assert requested() == 0
    with django_capture_on_commit_callbacks(execute=True):
        page.post(answer["Location"].removesuffix("change/") + "confirmer/")
    assert Invoice.objects.filter(origin="cii").exists()
    assert requested() == 1
