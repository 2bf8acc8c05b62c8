"""What a platform rejects is mended on the pages and sent again; what it took is not changed any more."""

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Invoice, LifecycleStatus, Payment, Submission
from invoices.platforms.lifecycle import last_status
from invoices.platforms.simulated.faults import Fault
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.factories import make_invoice
from tests.support.simulated_platforms import (
    SIREN,
    connect,
    directory_line,
    make_platform,
    running_platform,
    settled,
    wait_until,
)

pytestmark = pytest.mark.django_db
State = Submission.State
DESK = f"{SIREN}_COMPTA"
FOLLOW_UP = "/gestion/export-web/factures/plateforme/"


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[SimulatedPlatform]:
    """A platform whose directory does not know the address on the customer's card, and work that is done at once."""
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    with running_platform(tmp_path) as made:
        made.book.add_line(directory_line(SIREN, code="COMPTA"))
        yield made


def submitted(staff_client: Client, server: SimulatedPlatform, *, address: str = "") -> Invoice:
    """An invoice that was exported and handed over, of which the platform has said what it thinks."""
    company, customer = connect(make_platform(server.url))
    Customer.objects.update(electronic_address=address)
    invoice = make_invoice(company=company, customer=Customer.objects.get(pk=customer.pk), number="FA-1")
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    staff_client.post(f"{FOLLOW_UP}remettre/")
    fetch(staff_client, server)
    return Invoice.objects.get(pk=invoice.pk)


def fetch(staff_client: Client, server: SimulatedPlatform) -> None:
    wait_until(lambda: settled(server))
    staff_client.post(f"{FOLLOW_UP}relever/")


def page(staff_client: Client, address: str) -> str:
    return " ".join(staff_client.get(address).content.decode().replace("\xa0", " ").split())


def send_again(staff_client: Client, submission: Submission) -> str:
    # Platforms date their statuses to the second: a second delivery's come later than those of the first.
    rejected = int(time.time())
    wait_until(lambda: time.time() >= rejected + 1)
    answer = staff_client.post(f"{FOLLOW_UP}depot/{submission.pk}/", follow=True)
    return " ".join(answer.content.decode().split())


def states() -> list[str]:
    return list(Submission.objects.order_by("pk").values_list("state", flat=True))


def test_an_invoice_is_sent_again_with_the_corrected_address_of_the_card(
    staff_client: Client, server: SimulatedPlatform
) -> None:
    invoice = submitted(staff_client, server)
    assert states() == [State.REJECTED]
    work = page(staff_client, FOLLOW_UP)
    assert "REJ_ADR" in work
    assert "corrigez ce que dit le motif" in work

    Customer.objects.update(electronic_address=DESK)
    told = send_again(staff_client, Submission.objects.get())
    assert "part à nouveau vers la plateforme" in told
    fetch(staff_client, server)
    assert states() == [State.RESENT, State.ACCEPTED]
    again = Submission.objects.order_by("pk").last()
    assert again is not None
    assert again.document is not None
    assert (again.document.version, again.document.reason) == (
        2,
        f"Adresse électronique de l’acheteur : {DESK} au lieu de {SIREN}.",
    )
    assert "corrigez ce que dit le motif" not in page(staff_client, FOLLOW_UP)
    status = last_status(invoice)
    assert status is not None
    assert status.code == "203"


def test_a_new_version_by_hand_takes_the_place_of_what_was_rejected(
    staff_client: Client, server: SimulatedPlatform
) -> None:
    invoice = submitted(staff_client, server)
    Customer.objects.update(electronic_address=DESK)
    answer = staff_client.post(reverse("admin:invoice_new_version", args=[invoice.pk]), {"reason": "Adresse"})
    assert answer.status_code == 302
    staff_client.post(f"{FOLLOW_UP}remettre/")
    fetch(staff_client, server)
    assert states() == [State.RESENT, State.ACCEPTED]
    assert Submission.objects.get(state=State.ACCEPTED).replaces == Submission.objects.get(state=State.RESENT)


def test_what_the_platform_took_is_corrected_by_a_credit_note(staff_client: Client, server: SimulatedPlatform) -> None:
    invoice = submitted(staff_client, server, address=DESK)
    assert states() == [State.ACCEPTED]
    refused = staff_client.post(reverse("admin:invoice_new_version", args=[invoice.pk]), {"reason": "Adresse"})
    assert refused.status_code == 422
    assert "Corrigez-la par un avoir" in refused.content.decode()
    Submission.objects.update(state=State.SENT)
    refused = staff_client.post(reverse("admin:invoice_new_version", args=[invoice.pk]), {"reason": "Adresse"})
    assert "attendez sa réponse" in refused.content.decode()


def test_a_rejection_for_another_reason_is_sent_again_as_it_was(
    staff_client: Client, server: SimulatedPlatform
) -> None:
    server.faults.ask_for(Fault.REJECTED)
    submitted(staff_client, server, address=DESK)
    first = Submission.objects.get()
    assert (first.state, first.reason.partition(" :")[0]) == (State.REJECTED, "REJ_SEMAN")
    send_again(staff_client, first)
    fetch(staff_client, server)
    assert states() == [State.RESENT, State.ACCEPTED]
    assert Submission.objects.get(state=State.ACCEPTED).source == first.source


def test_a_late_double_needs_no_person(staff_client: Client, server: SimulatedPlatform) -> None:
    server.faults.ask_for(Fault.LATE_REJECTION)
    invoice = submitted(staff_client, server, address=DESK)
    assert LifecycleStatus.objects.filter(code="213").exists()
    assert states() == [State.ACCEPTED]
    assert "Aucune facture en litige" in page(staff_client, FOLLOW_UP)
    assert "213 Rejetée" in page(staff_client, reverse("admin:invoices_invoice_change", args=[invoice.pk]))


# Payments.


def test_a_payment_is_typed_on_its_page_and_reported_with_its_amounts(
    staff_client: Client, server: SimulatedPlatform
) -> None:
    invoice = submitted(staff_client, server, address=DESK)
    address = reverse("admin:invoice_payment", args=[invoice.pk])
    assert "statut 212 Encaissée" in page(staff_client, address)
    for typed, field, words in (
        ({"date": "hier", "amount": "60"}, "date", "Saisissez une date"),
        ({"date": "01/07/2025", "amount": "0"}, "amount", "nul"),
        ({"date": "01/07/2025", "amount": "1000"}, "amount", "1 000,00 € est de trop"),
        ({"date": "01/07/2999", "amount": "60"}, "date", "01/07/2999"),
    ):
        refused = staff_client.post(address, typed)
        assert refused.status_code == 422
        assert words in re.sub(r"\s", " ", refused.context["form"].errors[field][0])

    answer = staff_client.post(address, {"date": "01/07/2025", "amount": "60,00"}, follow=True)
    assert "1 statut 212 part à la plateforme" in answer.content.decode().replace("\xa0", " ")
    fetch(staff_client, server)
    line = Submission.objects.get(payment__isnull=False)
    assert (line.state, line.payment) == (State.ACCEPTED, Payment.objects.get())
    shown = page(staff_client, reverse("admin:invoices_invoice_change", args=[invoice.pk]))
    assert "212 Encaissée" in shown
    assert "60,00 € encaissés" in shown


def test_payments_are_imported_on_their_page_each_row_taken_or_refused(
    staff_client: Client, server: SimulatedPlatform
) -> None:
    submitted(staff_client, server, address=DESK)
    address = reverse("admin:platform_payments")
    assert staff_client.get(address).status_code == 200
    table = b"numero;date;montant\nFA-1;01/07/2025;60,00\nFA-9;01/07/2025;10\n"
    for recorded, told in ((1, "1 statut 212 part"), (0, "")):
        answer = staff_client.post(address, {"file": SimpleUploadedFile("reglements.csv", table)})
        words = " ".join(answer.content.decode().replace("\xa0", " ").split())
        assert f"{recorded} encaissement enregistré" in words
        assert told in words
        assert "La facture « FA-9 » n’est pas connue." in words
    assert Payment.objects.get().amount == Decimal("60.00")
    assert staff_client.post(address, {}).status_code == 422


def test_a_rejected_status_of_a_payment_is_reported_again(staff_client: Client, server: SimulatedPlatform) -> None:
    invoice = submitted(staff_client, server, address=DESK)
    server.faults.ask_for(Fault.WRONG_HASH)
    staff_client.post(reverse("admin:invoice_payment", args=[invoice.pk]), {"date": "01/07/2025", "amount": "60"})
    fetch(staff_client, server)
    told = Submission.objects.filter(payment__isnull=False)
    rejected = told.get()
    assert rejected.state == State.REJECTED
    assert "statut 212" in page(staff_client, FOLLOW_UP)
    send_again(staff_client, rejected)
    fetch(staff_client, server)
    assert list(told.order_by("pk").values_list("state", flat=True)) == [State.RESENT, State.ACCEPTED]
    assert "Seul un statut rejeté" in send_again(staff_client, rejected)
