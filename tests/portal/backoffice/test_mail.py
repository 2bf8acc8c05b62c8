"""Predefined messages, the outbox and the addresses in error, in the back-office."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from customers.models import Account, Customer
from customers.services import generate_credentials, send_credentials
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Invoice
from mailing import outbox
from mailing.composition import load_template
from mailing.failed_addresses import mark_address_failed
from mailing.models import FailedAddress, Message, MessageTemplate
from tests.support.back_office import BACKEND, member, words
from tests.support.factories import make_account, make_company, make_contact, make_customer, make_invoice, make_staff

pytestmark = pytest.mark.django_db

TEMPLATES = "/gestion/mailing/messagetemplate/"
OUTBOX = "/gestion/mailing/message/"
WRONG = "/gestion/courrier/adresses-en-erreur/"


@pytest.fixture
def staff() -> Account:
    """A member of staff with all rights."""
    return make_staff(name="Claire Martin")


def template(key: str) -> MessageTemplate:
    return MessageTemplate.objects.get(key=key)


def edited(row: MessageTemplate, **changes: Any) -> dict[str, Any]:
    """What the editor sends."""
    return {"name": row.name, "subject": row.subject, "body": row.body, "seen_version": row.version, **changes}


def publish(*invoices: Invoice) -> None:
    """Export all that waits, with mails."""
    criteria = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
    run_lines(start_export(export=create_export(criteria=criteria, author_name="Claire")))


def refuse(address: str, reason: str = "550 boîte inconnue") -> None:
    """What sending does when a server refuses an address for good."""
    message = Message.objects.filter(recipient__iexact=address).first()
    if message:
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.REJECTED, reason=reason, next_attempt_at=None, ended_at=timezone.now()
        )
    mark_address_failed(address, reason, message.pk if message else None, timezone.now())


# ─── Predefined messages ─────────────────────────────────────────────────────────────────────────────────────────────
def test_ticking_a_message_and_pressing_the_button_opens_its_editor(desk: Client) -> None:
    row = template("invoice")

    answer = desk.post(TEMPLATES, {"action": "edit", "_selected_action": [row.pk]})

    assert answer["Location"] == f"{TEMPLATES}{row.pk}/change/"


def test_the_editor_shows_the_placeholders_that_this_message_can_fill(desk: Client) -> None:
    of_invoice = desk.get(f"{TEMPLATES}{template('invoice').pk}/change/").content.decode()
    of_credentials = desk.get(f"{TEMPLATES}{template('credentials').pk}/change/").content.decode()

    assert 'data-placeholder="#REFFACTURE"' in of_invoice
    assert 'data-placeholder="#REFFACTURE"' not in of_credentials
    assert 'data-placeholder="#PWD_CONNEXION"' in of_credentials


def test_a_saved_text_is_a_new_version_with_its_author_and_noted(desk: Client) -> None:
    row = template("invoice")

    desk.post(f"{TEMPLATES}{row.pk}/change/", edited(row, subject="Facture #REFFACTURE de #SOCIETE"))

    row.refresh_from_db()
    assert (row.version, row.subject) == (2, "Facture #REFFACTURE de #SOCIETE")
    assert row.versions.get(number=2).author == "Claire Martin"
    assert LogEntry.objects.count() == 1


def test_an_unknown_placeholder_is_refused_beside_its_field_with_the_nearest_one(desk: Client) -> None:
    row = template("invoice")

    page = desk.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Bonjour, #REFFACTUR"))

    assert page.context["adminform"].form.errors["body"] == ["#REFFACTUR : vouliez-vous dire #REFFACTURE ?"]
    assert "Bonjour, #REFFACTUR" in page.content.decode()
    row.refresh_from_db()
    assert row.version == 1


def test_credentials_without_their_placeholders_are_asked_about_before_they_are_saved(desk: Client) -> None:
    row = template("credentials")
    address, changed = f"{TEMPLATES}{row.pk}/change/", edited(row, body="Bonjour, votre login : #LOGIN_CONNEXION")

    page = desk.post(address, changed)

    assert "Ce texte ne contient pas #PWD_CONNEXION" in words(page)
    row.refresh_from_db()
    assert row.version == 1
    desk.post(address, {**changed, "without": page.context["adminform"].form["without"].value()})
    row.refresh_from_db()
    assert row.body == "Bonjour, votre login : #LOGIN_CONNEXION"


def test_an_older_shipped_text_says_that_a_newer_one_can_be_taken(desk: Client) -> None:
    row = template("invoice")
    shipped, address = (row.subject, row.body), f"{TEMPLATES}{row.pk}/change/"
    assert "texte plus récent" not in words(desk.get(address))
    MessageTemplate.objects.filter(pk=row.pk).update(subject="Facture", body="Voici")

    assert "Le portail propose un texte plus récent" in words(desk.get(address))
    desk.post(f"{TEMPLATES}{row.pk}/texte-d-origine/")

    row.refresh_from_db()
    assert (row.subject, row.body) == shipped
    assert row.version == 2
    assert "Reprendre le texte d’origine" not in words(desk.get(address))


def test_nobody_overwrites_a_text_that_he_has_not_seen(desk: Client) -> None:
    row = template("invoice")
    desk.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Le texte de Claire"))

    page = desk.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Le texte de Paul"))

    assert "a été modifié entre-temps" in words(page)
    assert "Le texte de Paul" in page.content.decode()
    row.refresh_from_db()
    assert row.body == "Le texte de Claire"


def test_an_earlier_version_is_restored_as_the_next_one(desk: Client) -> None:
    row = template("invoice")
    first = row.body
    desk.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Autre texte"))

    desk.post(f"{TEMPLATES}{row.pk}/versions/1/restaurer/")

    row.refresh_from_db()
    assert (row.version, row.body) == (3, first)


def test_the_preview_is_made_of_the_chosen_invoice_and_of_what_stands_in_the_editor(desk: Client) -> None:
    make_invoice(number="18000999")
    chosen = make_invoice(number="18000135", customer=make_customer(name="Dupont & fils"))

    page = desk.post(
        f"/gestion/messages/{template('invoice').pk}/apercu/",
        {
            "subject": "Pour #NOM_CLIENT : #REFFACTURE",
            "body": "Mot de passe : #PWD_CONNEXION",
            "preview_invoice": "18000135",
        },
    )

    assert "Pour Dupont & fils : 18000135" in words(page)
    assert "••••••" in words(page)
    assert chosen.customer.name in words(page)
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("key", ["credentials", "invoice", "invoices"])
def test_the_preview_works_before_the_first_invoice(desk: Client, key: str) -> None:
    page = desk.get(f"/gestion/messages/{template(key).pk}/apercu/")

    assert page.status_code == 200
    assert load_template(key).subject.split("#")[0].strip() in words(page)


def test_the_preview_says_what_is_wrong_instead_of_failing(desk: Client) -> None:
    url = f"/gestion/messages/{template('invoice').pk}/apercu/"

    wrong = words(desk.post(url, {"subject": "", "body": "#REFFACTUR", "preview_invoice": "inconnue"}))

    assert "L’objet est vide." in wrong
    assert "#REFFACTUR : vouliez-vous dire #REFFACTURE ?" in wrong
    assert "Aucune facture ne porte le numéro « inconnue »." in wrong


def test_a_trial_mail_goes_to_the_one_who_asks_and_tells_nobodys_password(desk: Client, staff: Account) -> None:
    customer = make_customer()
    generate_credentials(customer=customer, address=customer.email)
    make_invoice(customer=customer)

    desk.post(
        f"/gestion/messages/{template('invoice').pk}/essai/",
        {"subject": "Votre facture", "body": "#LOGIN_CONNEXION #PWD_CONNEXION"},
    )

    mail = Message.objects.get()
    assert (mail.recipient, mail.subject) == (staff.login, "[Essai] Votre facture")
    assert mail.secret_reference == ""
    assert template("invoice").version == 1


# ─── Outbox ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_outbox_tells_states_forecast_and_reason(desk: Client) -> None:
    customer = make_customer()
    send_credentials(accounts=[make_account(customer)])
    refuse(customer.email, "550 5.1.1 inconnu")

    page = words(desk.get(OUTBOX))

    assert "550 5.1.1 inconnu" in page
    assert "rejetée" in page
    assert "Aucun mail n’attend." in page


def test_retrying_many_asks_first_and_leaves_sent_mails_alone(desk: Client) -> None:
    accounts = [make_account(make_customer()) for _number in range(3)]
    send_credentials(accounts=accounts)
    refuse(accounts[0].login)
    Message.objects.filter(recipient=accounts[1].login).update(
        state="accepted", accepted_at=timezone.now(), next_attempt_at=None
    )
    rows = {"action": "retry", "_selected_action": [str(pk) for pk in Message.objects.values_list("pk", flat=True)]}

    asked = words(desk.post(OUTBOX, rows))
    assert "1 mail sera remis en file." in asked
    assert Message.objects.filter(state="rejected").count() == 1
    desk.post(OUTBOX, {**rows, "confirmed_count": "1"})

    assert Message.objects.get(recipient=accounts[0].login).state == "queued"
    assert Message.objects.get(recipient=accounts[1].login).state == "accepted"
    assert LogEntry.objects.count() == 1


def test_a_mail_is_given_up_once_and_can_be_tried_again(desk: Client) -> None:
    send_credentials(accounts=[make_account(make_customer())])
    mail = Message.objects.get()

    desk.post(f"{OUTBOX}{mail.pk}/abandonner/")
    mail.refresh_from_db()
    assert (mail.state, mail.reason) == ("cancelled", "Abandonnée par Claire Martin.")
    again = desk.post(f"{OUTBOX}{mail.pk}/abandonner/", follow=True)
    assert "ne peut plus être abandonné" in words(again)
    desk.post(f"{OUTBOX}{mail.pk}/reessayer/")
    mail.refresh_from_db()
    assert mail.state == "queued"


def test_the_outbox_is_held_back_and_released_and_says_by_whom(desk: Client) -> None:
    desk.post(f"{OUTBOX}suspendre/")
    assert outbox.is_paused()
    assert "Envoi suspendu par Claire Martin" in words(desk.get(OUTBOX))
    assert "Envoi des mails suspendu par Claire Martin" in words(desk.get("/gestion/"))

    desk.post(f"{OUTBOX}reprendre/")
    assert not outbox.is_paused()
    assert LogEntry.objects.count() == 2


def test_the_stored_mail_is_shown_with_its_secret_masked_in_a_frame_that_runs_nothing(desk: Client) -> None:
    customer = make_customer()
    account = generate_credentials(customer=customer, address=customer.email).account
    send_credentials(accounts=[account])
    mail = Message.objects.get()

    page = desk.get(f"{OUTBOX}{mail.pk}/change/").content.decode()
    frame = desk.get(f"{OUTBOX}{mail.pk}/mail/")

    assert f'src="{OUTBOX}{mail.pk}/mail/"' in page
    assert 'sandbox="allow-popups"' in page
    assert "••••••" in frame.content.decode()
    assert "script-src" not in frame["Content-Security-Policy"]


# ─── Addresses in error ──────────────────────────────────────────────────────────────────────────────────────────────
def test_the_work_list_names_customer_reason_and_invoices(desk: Client) -> None:
    make_company()
    customer = make_customer(name="Boulangerie Martin", email="faux@client.example")
    publish(make_invoice(customer=customer, number="F-77"))
    refuse("faux@client.example")

    page = words(desk.get(WRONG))

    assert "1 adresse refusée" in page
    assert "Boulangerie Martin" in page
    assert "550 boîte inconnue" in page
    assert "F-77" in page
    table = desk.get("/gestion/courrier/adresses-en-erreur.csv").content.decode()
    assert table.splitlines()[1].startswith(f"{customer.code};Boulangerie Martin;faux@client.example;550")


def test_a_corrected_address_is_written_everywhere_and_what_was_lost_leaves_again(desk: Client) -> None:
    make_company()
    customer = make_customer(email="faux@client.example")
    make_contact(customer, email="Faux@client.example")
    publish(make_invoice(customer=customer))
    refuse("faux@client.example")

    answer = desk.post(
        f"{WRONG}corriger/",
        {"customer": customer.pk, "address": "faux@client.example", "new": "vrai@client.example"},
        follow=True,
    )

    assert "Adresse corrigée" in words(answer)
    assert "1 mail renvoyé." in words(answer)
    customer.refresh_from_db()
    assert customer.email == "vrai@client.example"
    assert customer.contacts.get().email == "vrai@client.example"
    queued = dict(Message.objects.filter(state="queued").values_list("recipient", "kind"))
    assert queued.pop("faux@client.example", "moved") == "moved"  # whoever reads it is told
    assert list(queued) == ["vrai@client.example"]
    assert not FailedAddress.objects.filter(resolved_at=None).exists()
    assert LogEntry.objects.get().object_id == str(customer.pk)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("pas une adresse", "« pas une adresse » n’est pas une adresse électronique."),
        ("", "n’est pas une adresse électronique."),
        ("autre@client.example", "« autre@client.example » est elle-même en erreur."),
    ],
)
def test_a_wrong_correction_is_told_beside_its_field_and_stays_in_it(desk: Client, typed: str, sentence: str) -> None:
    customer = make_customer(email="faux@client.example")
    refuse("faux@client.example")
    refuse("autre@client.example")

    page = desk.post(f"{WRONG}corriger/", {"customer": customer.pk, "address": "faux@client.example", "new": typed})

    assert page.status_code == 422
    assert sentence in words(page)
    assert f'value="{typed}"' in page.content.decode()
    assert Customer.objects.get().email == "faux@client.example"


def test_lost_credentials_leave_again_at_the_corrected_address(desk: Client) -> None:
    customer = make_customer(email="faux@client.example")
    send_credentials(accounts=[generate_credentials(customer=customer, address=customer.email).account])
    refuse("faux@client.example")

    desk.post(
        f"{WRONG}corriger/",
        {"customer": customer.pk, "address": "faux@client.example", "new": "vrai@client.example"},
    )

    queued = dict(Message.objects.filter(state="queued").values_list("recipient", "kind"))
    assert queued.pop("faux@client.example", "moved") == "moved"  # whoever reads it is told
    assert list(queued) == ["vrai@client.example"]


def test_an_address_of_nobody_can_leave_the_list(desk: Client) -> None:
    refuse("parti@nulle-part.example")

    assert "plus aucun client" in words(desk.get(WRONG))
    desk.post(f"{WRONG}retirer/", {"address": "parti@nulle-part.example"})

    assert "Aucune adresse en erreur." in words(desk.get(WRONG))
    assert LogEntry.objects.get().object_repr == "parti@nulle-part.example"


def test_a_wrong_correction_on_the_second_page_is_told_there(desk: Client) -> None:
    customer = make_customer(email="faux@client.example")
    refuse("faux@client.example")
    for number in range(50):
        refuse(f"a{number}@nulle-part.example")
    form = {"customer": customer.pk, "address": "faux@client.example"}

    page = desk.post(f"{WRONG}corriger/?page=2", {**form, "new": "pas une adresse"})
    right = desk.post(f"{WRONG}corriger/?page=2", {**form, "new": "vrai@client.example"})

    assert "« pas une adresse » n’est pas une adresse électronique." in words(page)
    assert right.headers["Location"] == f"{WRONG}?page=2"


@pytest.mark.parametrize("customer", ["", "x", "²", "999999"])
def test_a_customer_that_is_not_there_is_told(desk: Client, customer: str) -> None:
    typed = {"customer": customer, "address": "a@b.example", "new": "c@b.example"}
    answer = desk.post(f"{WRONG}corriger/", typed, follow=True)

    assert "Ce client a été supprimé entre-temps : rien n’a été fait." in words(answer)


def test_the_work_list_asks_as_often_for_forty_addresses_as_for_four(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    for _number in range(40):
        refuse(make_customer().email)

    with django_assert_max_num_queries(16):
        assert desk.get(WRONG).context["count"] == 40


def test_the_outbox_is_filtered_by_the_nature_of_its_mails_in_french_words(desk: Client) -> None:
    account = generate_credentials(customer=make_customer(), address="a@petit.example").account
    send_credentials(accounts=[account])
    make_invoice()
    publish()

    def recipients(query: str) -> set[str]:
        return {mail.recipient for mail in desk.get(f"{OUTBOX}?{query}").context["cl"].result_list}

    page = words(desk.get(OUTBOX))
    assert "À envoyer : " in page
    for word in ("identifiants", "facture", "plusieurs factures", "compte et mot de passe", "essai"):
        assert f" {word} " in page
    assert " invoice " not in page
    assert recipients("nature=credentials") == {"a@petit.example"}
    assert "a@petit.example" not in recipients("nature=invoice")
    assert len(recipients("nature=invoice")) == 1
    assert recipients("nature=rien") == set()


def test_who_may_correct_addresses_only_moves_no_login(client: Client) -> None:
    make_company()
    customer = make_customer(email="faux@client.example")
    account = make_account(customer)
    publish(make_invoice(customer=customer))
    refuse("faux@client.example")
    clerk = Account.objects.create_user("adresses@aquila.example", uuid4().hex, is_staff=True)
    rights = ("view_failedaddress", "change_failedaddress", "change_customer")
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(clerk, backend=BACKEND)

    answer = client.post(
        f"{WRONG}corriger/",
        {"customer": customer.pk, "address": "faux@client.example", "new": "vrai@client.example"},
        follow=True,
    )

    customer.refresh_from_db()
    account.refresh_from_db()
    assert (customer.email, account.login) == ("vrai@client.example", "faux@client.example")
    assert "L’identifiant de connexion reste faux@client.example" in words(answer)
    assert not Message.objects.filter(state="queued").exists()


def test_who_may_not_see_invoices_reads_none_by_the_preview_of_a_message(client: Client) -> None:
    make_company()
    invoice = make_invoice(customer=make_customer(name="Client Secret"))
    template = MessageTemplate.objects.get(key="invoice")
    client.force_login(member("Paramétrage"), backend=BACKEND)

    shown = words(client.get(f"/gestion/messages/{template.pk}/apercu/"))
    asked = words(client.post(f"/gestion/messages/{template.pk}/apercu/", {"preview_invoice": invoice.number}))
    editor = client.get(f"/gestion/mailing/messagetemplate/{template.pk}/change/")

    assert "Société Exemple" in shown
    assert "Vous n’avez pas le droit de voir les factures" in asked
    for page in (shown, asked, words(editor)):
        assert "Client Secret" not in page
        assert invoice.number not in page
