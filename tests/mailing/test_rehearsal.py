"""A rehearsal: every mail goes to one address, says for whom it would have been, and is a rehearsal for good."""

import pytest
from django.test import Client

from customers.services import send_credentials
from invoices.exporting.exports import follow_rehearsal
from invoices.models import Company
from mailing import outbox
from mailing.models import FailedAddress, Message
from mailing.outbox import retry
from tests.support.back_office import BACKEND, words
from tests.support.factories import make_account, make_company, make_customer, make_staff
from tests.support.sending import draft, send
from tests.support.smtp_sink import Sink

pytestmark = pytest.mark.django_db

HERE = "recette@aquila.example"


def _write(address: str) -> Message:
    send_credentials(accounts=[make_account(make_customer(email=address))])
    return Message.objects.get(recipient=address)


def _rehearse(address: str = HERE) -> None:
    Company.objects.filter(is_default=True).update(rehearsal_address=address)
    follow_rehearsal()


def test_mails_go_to_one_address_those_that_wait_too_and_stay_diverted() -> None:
    make_company()
    waiting = _write("attend@client.example")

    _rehearse()
    written = _write("ecrit@client.example")
    _rehearse("")
    after = _write("apres@client.example")

    for message in (waiting, written, after):
        message.refresh_from_db()
    assert [waiting.diverted_to, written.diverted_to, after.diverted_to] == [HERE, HERE, ""]
    assert written.recipient == "ecrit@client.example"


def test_a_diverted_mail_says_for_whom_it_was_and_blames_no_customer(sink: Sink) -> None:
    make_company(rehearsal_address=HERE)
    outbox.write_messages([draft(recipient="client@exemple.fr", subject="Votre facture")])

    send("accepted")

    [(_sender, recipient, _wire)] = sink.mails
    [mail] = sink.parsed
    assert recipient == HERE
    assert HERE in mail["To"]
    assert mail["Subject"] == "[Recette, pour client@exemple.fr] Votre facture"
    assert not FailedAddress.objects.exists()


def test_a_mail_sent_again_in_a_rehearsal_is_diverted_too() -> None:
    make_company()
    message = _write("rejete@client.example")
    Message.objects.filter(pk=message.pk).update(state="rejected", next_attempt_at=None)

    _rehearse()
    retry([message.pk], "Anne")

    message.refresh_from_db()
    assert (message.state, message.diverted_to) == ("queued", HERE)


def test_every_page_says_it_and_the_dashboard_leads_to_its_end(client: Client) -> None:
    company = make_company()
    client.force_login(make_staff(), backend=BACKEND)
    assert "Recette" not in words(client.get("/gestion/"))

    _rehearse()

    band = "Rien n’est envoyé aux clients"
    board = client.get("/gestion/")
    assert f"tous les mails vont à {HERE}" in words(board)
    assert f"/gestion/invoices/company/{company.pk}/change/#mails" in board.content.decode()
    for address in ("/gestion/customers/customer/", "/gestion/export-web/factures/"):
        assert band in words(client.get(address))
    client.logout()
    assert band in words(client.get("/connexion/"))
