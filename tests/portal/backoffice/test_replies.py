"""Réponses de clients: the work list of the back-office."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from customers.models import Account
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Invoice
from mailing.models import Message, Reply
from tests.support.back_office import BACKEND, member, words
from tests.support.factories import make_account, make_customer, make_invoice

pytestmark = pytest.mark.django_db

REPLIES = "/gestion/mailing/reply/"


@pytest.fixture
def invoice(predefined_messages: None) -> Invoice:
    """An invoice whose mail has left."""
    account = make_account(make_customer(name="Serrurerie Bonnet"))
    invoice = make_invoice(customer=account.customers.get())
    criteria = Criteria(generate_credentials=True, notify=True)
    run_lines(start_export(export=create_export(criteria=criteria, author_name="Claire")))
    return invoice


@pytest.fixture
def reply(invoice: Invoice) -> Reply:
    """What the customer wrote in answer to it, from an address that no card knows."""
    return Reply.objects.create(
        key="k",
        kind="person",
        sender="marie@gmail.example",
        sender_name="Marie Bonnet",
        subject="Absence de TVA sur ma facture",
        text="Bonjour,\n<b>la TVA</b> manque.",
        message=Message.objects.get(kind="invoice"),
    )


def test_the_list_names_the_customer_and_the_invoice_that_a_mail_answers(
    staff_client: Client, reply: Reply, invoice: Invoice
) -> None:
    Reply.objects.create(key="auto", kind="automatic", state="done", subject="Absente du bureau")

    page = words(staff_client.get(REPLIES))

    assert "Serrurerie Bonnet" in page
    assert invoice.number in page
    assert "Absence de TVA sur ma facture" in page
    assert "Absente du bureau" not in page
    assert "Absente du bureau" in words(staff_client.get(f"{REPLIES}?pile=automatiques"))
    assert "1 réponse de client à traiter" in words(staff_client.get("/gestion/"))


def test_a_reply_is_shown_as_text_with_its_customer_and_invoice(
    staff_client: Client, reply: Reply, invoice: Invoice
) -> None:
    page = staff_client.get(f"{REPLIES}{reply.pk}/change/").content.decode()

    assert "&lt;b&gt;la TVA&lt;/b&gt; manque." in page
    assert f'href="/gestion/customers/customer/{invoice.customer_id}/change/"' in page
    assert f'href="/gestion/invoices/invoice/{invoice.pk}/change/"' in page


def test_an_answer_is_written_and_noted_and_an_empty_one_refused_beside_its_field(
    staff_client: Client, reply: Reply
) -> None:
    address = f"{REPLIES}{reply.pk}/repondre/"

    refused = staff_client.post(address, {"text": "  "})
    assert refused.status_code == 422
    assert "Écrivez votre réponse." in words(refused)
    staff_client.post(address, {"text": "Bonjour Marie,\r\nvoici."})

    assert Message.objects.get(kind="answer").recipient == "marie@gmail.example"
    assert LogEntry.objects.get().change_message == "Réponse écrite dans la boîte d’envoi, pour marie@gmail.example."
    late = staff_client.post(address, {"text": "Bonjour encore"})
    assert "traitée entre-temps" in words(late)
    assert Message.objects.filter(kind="answer").count() == 1


def test_a_colleague_is_notified_by_mail_of_what_is_handed_to_him(staff_client: Client, reply: Reply) -> None:
    colleague = member("Comptabilité")

    staff_client.post(f"{REPLIES}{reply.pk}/confier/", {"colleague": colleague.pk})

    reply.refresh_from_db()
    assert (reply.state, reply.handed_to) == ("handed", colleague)
    notice = Message.objects.get(recipient=colleague.login)
    assert f"http://testserver{REPLIES}{reply.pk}/change/" in notice.text
    staff_client.force_login(colleague, backend=BACKEND)
    assert "dont 1 confiée à vous" in words(staff_client.get("/gestion/"))
    assert "Absence de TVA" in words(staff_client.get(f"{REPLIES}?pile=moi"))


def test_what_is_done_leaves_the_list_and_can_come_back(staff_client: Client, reply: Reply) -> None:
    staff_client.post(f"{REPLIES}{reply.pk}/traitee/")
    assert "Absence de TVA" not in words(staff_client.get(REPLIES))
    assert "Absence de TVA" in words(staff_client.get(f"{REPLIES}?pile=traitees"))

    staff_client.post(f"{REPLIES}{reply.pk}/rouvrir/")
    assert "Absence de TVA" in words(staff_client.get(REPLIES))


def test_a_challenge_says_what_to_do(staff_client: Client, reply: Reply) -> None:
    Reply.objects.update(kind="challenge")

    assert "confirmez ; les mails suivants passeront" in words(staff_client.get(f"{REPLIES}{reply.pk}/change/"))


@pytest.mark.parametrize(("group", "may_read", "may_act"), [("Lecture", 200, 403), ("Paramétrage", 403, 403)])
def test_reading_and_answering_need_their_rights(
    client: Client, reply: Reply, group: str, may_read: int, may_act: int
) -> None:
    client.force_login(member(group), backend=BACKEND)

    assert client.get(REPLIES).status_code == may_read
    assert client.get(f"{REPLIES}{reply.pk}/change/").status_code == may_read
    for deed in ("repondre", "confier", "traitee", "rouvrir"):
        assert client.post(f"{REPLIES}{reply.pk}/{deed}/", {"text": "x"}).status_code == may_act
    reply.refresh_from_db()
    assert reply.state == "open"


def test_only_those_who_may_answer_can_be_given_a_reply(staff_client: Client, reply: Reply) -> None:
    reader: Account = member("Lecture")

    page = staff_client.post(f"{REPLIES}{reply.pk}/confier/", {"colleague": reader.pk}, follow=True)

    assert "Choisissez à qui confier cette réponse." in words(page)
