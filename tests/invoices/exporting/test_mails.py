"""The mails of a run: what they say of one invoice, of a credit note, of many."""

import datetime
import json
import re
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from customers.models import Account
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.mail_values import AnnouncedInvoices
from invoices.exporting.run.worker import run_lines
from invoices.models import Invoice
from mailing.composition import save_template
from mailing.models import Message
from mailing.placeholders import PLACEHOLDERS, Placeholder, check_placeholders, placeholders_for, register_placeholders
from tests.support.factories import make_account, make_company, make_customer, make_invoice

pytestmark = pytest.mark.django_db

CREDIT_NOTE = Invoice.Kind.CREDIT_NOTE


def export(**choices: Any) -> None:
    """Export all that waits, with mails."""
    make_company()
    criteria = Criteria(notify=True, **choices)
    run_lines(start_export(export=create_export(criteria=criteria, author_name="Claire")))


def sentences(html: str) -> str:
    """The words of a mail, without its tags and styles; every space of it a plain one."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def test_a_mail_of_many_invoices_takes_credit_notes_off_and_names_ten() -> None:
    customer = make_customer(name="Boulangerie Martin")
    make_account(customer)
    for number in range(14):
        make_invoice(customer=customer, number=f"F-{number:04}", total_with_vat=Decimal(380))
    make_invoice(customer=customer, number="F-9999", total_with_vat=Decimal(60), kind=CREDIT_NOTE)

    export(one_mail_per_customer=True)

    mail = Message.objects.get()
    for part in (sentences(mail.text), sentences(mail.html)):
        assert "5 260,00 €" in part
        assert "5 320,00" not in part
        assert "Facture N° F-0009" in part
        assert "Facture N° F-0010" not in part
        assert "et 5 autres" in part
    assert len(mail.subject) <= 80
    assert re.fullmatch(r"Vos factures et avoir F-0000, F-0001, .* et \d+ autres", mail.subject)
    assert mail.text.startswith("Bonjour Boulangerie Martin,\n\n")


def test_a_credit_note_is_announced_as_one_and_falls_due_at_no_date() -> None:
    customer = make_customer()
    make_account(customer)
    make_invoice(
        customer=customer,
        number="A-1",
        kind=CREDIT_NOTE,
        total_with_vat=Decimal(60),
        due_date=datetime.date(2025, 7, 7),
    )

    export()

    mail = Message.objects.get()
    assert mail.subject == "Votre avoir A-1"
    for part in (sentences(mail.text), sentences(mail.html)):
        assert re.search(r"Avoir en votre faveur TTC( :)? 60,00 €", part)
        assert "-60,00" not in part
        assert "Ouvrir mon avoir" in part
        assert "votre facture" not in part.lower()
        assert "chéance" not in part
        assert "07/07/2025" not in part


def test_credit_notes_alone_are_a_sum_in_favour_without_minus_signs() -> None:
    customer = make_customer()
    make_account(customer)
    for number, total in (("A-1", 60), ("A-2", 12)):
        make_invoice(customer=customer, number=number, kind=CREDIT_NOTE, total_with_vat=Decimal(total))

    export(one_mail_per_customer=True)

    mail = Message.objects.get()
    for part in (sentences(mail.text), sentences(mail.html)):
        assert re.search(r"Avoirs en votre faveur TTC( :)? 72,00 €", part)
        assert re.search(r"Avoir N° A-1( :)? 60,00 €", part)
        assert "-60,00" not in part
        assert "-12,00" not in part


def test_login_and_password_stand_on_lines_of_their_own() -> None:
    customer = make_customer()
    account = make_account(customer)
    make_invoice(customer=customer)

    export()

    lines = Message.objects.get().text.splitlines()
    assert f"Login : {account.login}" in lines
    assert "Mot de passe : ••••••" in lines


@pytest.mark.parametrize("key", ["invoice", "invoices"])
def test_whatever_the_editor_accepts_has_a_value_in_the_mail(key: str) -> None:
    customer = make_customer()
    make_account(customer)
    make_invoice(customer=customer, number="F-1")
    make_invoice(customer=customer, number="A-1", kind=CREDIT_NOTE, due_date=None)
    body = "\n".join(f"{name} = {name}" for name in placeholders_for(key))
    save_template(key=key, subject="Vos documents", body=body, author="Claire")

    export(one_mail_per_customer=key == "invoices")

    assert Message.objects.count() == (1 if key == "invoices" else 2)
    for mail in Message.objects.all():
        assert not re.search(r"#[A-Z]{3}", mail.text)


def test_a_new_placeholder_is_one_registration() -> None:
    customer = make_customer()
    make_account(customer)
    make_invoice(customer=customer, number="F-1", purchase_order_reference="BC-77")

    def write_order(announced: AnnouncedInvoices) -> str:
        return ", ".join(invoice.purchase_order_reference for invoice in announced.invoices)

    register_placeholders(AnnouncedInvoices, Placeholder("#NUMERO_COMMANDE", "numéro de commande", write_order, "BC-1"))
    try:
        assert check_placeholders("#NUMERO_COMMANDE", "invoice") == []
        assert check_placeholders("#NUMERO_COMMANDE", "credentials") != []
        save_template(key="invoice", subject="Commande #NUMERO_COMMANDE", body="Bonjour", author="Claire")
        export()
    finally:
        del PLACEHOLDERS["#NUMERO_COMMANDE"]

    assert Message.objects.get().subject == "Commande BC-77"


def test_credentials_that_left_in_the_mail_of_an_invoice_count_as_sent() -> None:
    customer = make_customer()
    make_invoice(customer=customer)

    export(generate_credentials=True)

    assert Account.objects.get(login=customer.email).credentials_sent_at is not None


def test_a_mail_without_a_password_counts_as_no_sending_of_it() -> None:
    customer = make_customer()
    make_invoice(customer=customer)
    save_template(key="invoice", subject="Votre facture", body="Bonjour", author="Claire")

    export(generate_credentials=True)

    assert Account.objects.get(login=customer.email).credentials_sent_at is None


@pytest.mark.parametrize("choices", [{}, {"one_mail_per_customer": True}, {"notify": False}])
def test_the_forecast_of_a_dry_run_is_what_the_run_then_prints(choices: dict[str, bool]) -> None:
    make_company()
    known, unknown, sharing, disabled, staff_too = [make_customer() for _number in range(5)]
    for customer in (known, unknown, sharing, disabled, staff_too):
        make_invoice(customer=customer)
        make_invoice(customer=customer)
    make_account(known)
    # Three addresses of accounts that do not see their customer yet.
    make_account(make_customer(), login=sharing.email.upper(), notify_by_mail=False)
    make_account(
        make_customer(),
        login=disabled.email,
        must_change_password=True,
        provisional_expires_at=timezone.now() - datetime.timedelta(days=1),
    )
    Account.objects.create_user(staff_too.email, "cheval-agrafe-42", is_staff=True)
    options = {"generate_credentials": True, "notify": True, "scope": "all", **choices}

    forecast = printed(dry_run=True, **options)
    outcome = printed(**options)

    assert outcome["published"] == forecast["ready"] == 10
    assert (forecast["mails"], forecast["credentials"]) == (outcome["mails"], outcome["credentials"])
    assert outcome["credentials"] == 2


def printed(**options: Any) -> dict[str, Any]:
    """What the command prints with ``--json``."""
    out = StringIO()
    call_command("export_invoices", json=True, processes=1, stdout=out, stderr=StringIO(), **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found
