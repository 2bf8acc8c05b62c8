"""Predefined messages and the outbox, in the back-office."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from customers.models import Account
from customers.services import generate_credentials, send_credentials
from mailing import outbox
from mailing.composition import load_template
from mailing.models import Message, MessageTemplate
from tests.support.back_office import BACKEND, member, words
from tests.support.factories import make_account, make_company, make_customer, make_invoice, make_staff
from tests.support.refused_mail import publish, refuse

pytestmark = pytest.mark.django_db

TEMPLATES = "/gestion/mailing/messagetemplate/"
OUTBOX = "/gestion/mailing/message/"


@pytest.fixture
def staff() -> Account:
    """A member of staff with all rights."""
    return make_staff(name="Claire Martin")


def template(key: str) -> MessageTemplate:
    return MessageTemplate.objects.get(key=key)


def edited(row: MessageTemplate, **changes: Any) -> dict[str, Any]:
    """What the editor sends."""
    return {"name": row.name, "subject": row.subject, "body": row.body, "seen_version": row.version, **changes}


# ─── Predefined messages ─────────────────────────────────────────────────────────────────────────────────────────────
def test_ticking_a_message_and_pressing_the_button_opens_its_editor(staff_client: Client) -> None:
    row = template("invoice")

    answer = staff_client.post(TEMPLATES, {"action": "edit", "_selected_action": [row.pk]})

    assert answer["Location"] == f"{TEMPLATES}{row.pk}/change/"


def test_the_editor_shows_the_placeholders_that_this_message_can_fill(staff_client: Client) -> None:
    of_invoice = staff_client.get(f"{TEMPLATES}{template('invoice').pk}/change/").content.decode()
    of_credentials = staff_client.get(f"{TEMPLATES}{template('credentials').pk}/change/").content.decode()

    assert 'data-placeholder="#REFFACTURE"' in of_invoice
    assert 'data-placeholder="#REFFACTURE"' not in of_credentials
    assert 'data-placeholder="#PWD_CONNEXION"' in of_credentials


def test_a_saved_text_is_a_new_version_with_its_author_and_noted(staff_client: Client) -> None:
    row = template("invoice")

    staff_client.post(f"{TEMPLATES}{row.pk}/change/", edited(row, subject="Facture #REFFACTURE de #SOCIETE"))

    row.refresh_from_db()
    assert (row.version, row.subject) == (2, "Facture #REFFACTURE de #SOCIETE")
    assert row.versions.get(number=2).author == "Claire Martin"
    assert LogEntry.objects.count() == 1


def test_an_unknown_placeholder_is_refused_beside_its_field_with_the_nearest_one(staff_client: Client) -> None:
    row = template("invoice")

    page = staff_client.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Bonjour, #REFFACTUR"))

    assert page.context["adminform"].form.errors["body"] == ["#REFFACTUR : vouliez-vous dire #REFFACTURE ?"]
    assert "Bonjour, #REFFACTUR" in page.content.decode()
    row.refresh_from_db()
    assert row.version == 1


def test_credentials_without_their_placeholders_are_asked_about_before_they_are_saved(staff_client: Client) -> None:
    row = template("credentials")
    address, changed = f"{TEMPLATES}{row.pk}/change/", edited(row, body="Bonjour, votre login : #LOGIN_CONNEXION")

    page = staff_client.post(address, changed)

    assert "Ce texte ne contient pas #PWD_CONNEXION" in words(page)
    row.refresh_from_db()
    assert row.version == 1
    staff_client.post(address, {**changed, "without": page.context["adminform"].form["without"].value()})
    row.refresh_from_db()
    assert row.body == "Bonjour, votre login : #LOGIN_CONNEXION"


def test_an_older_shipped_text_says_that_a_newer_one_can_be_taken(staff_client: Client) -> None:
    row = template("invoice")
    shipped, address = (row.subject, row.body), f"{TEMPLATES}{row.pk}/change/"
    assert "texte plus récent" not in words(staff_client.get(address))
    MessageTemplate.objects.filter(pk=row.pk).update(subject="Facture", body="Voici")

    assert "Le portail propose un texte plus récent" in words(staff_client.get(address))
    staff_client.post(f"{TEMPLATES}{row.pk}/texte-d-origine/")

    row.refresh_from_db()
    assert (row.subject, row.body) == shipped
    assert row.version == 2
    assert "Reprendre le texte d’origine" not in words(staff_client.get(address))


def test_no_one_overwrites_a_text_that_he_has_not_seen(staff_client: Client) -> None:
    row = template("invoice")
    staff_client.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Le texte de Claire"))

    page = staff_client.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Le texte de Paul"))

    assert "a été modifié entre-temps" in words(page)
    assert "Le texte de Paul" in page.content.decode()
    row.refresh_from_db()
    assert row.body == "Le texte de Claire"


def test_an_earlier_version_is_restored_as_the_next_one(staff_client: Client) -> None:
    row = template("invoice")
    first = row.body
    staff_client.post(f"{TEMPLATES}{row.pk}/change/", edited(row, body="Autre texte"))

    staff_client.post(f"{TEMPLATES}{row.pk}/versions/1/restaurer/")

    row.refresh_from_db()
    assert (row.version, row.body) == (3, first)


def test_the_preview_is_made_of_the_chosen_invoice_and_of_what_is_in_the_editor(staff_client: Client) -> None:
    make_invoice(number="18000999")
    chosen = make_invoice(number="18000135", customer=make_customer(name="Dupont & fils"))

    page = staff_client.post(
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
def test_the_preview_works_before_the_first_invoice(staff_client: Client, key: str) -> None:
    page = staff_client.get(f"/gestion/messages/{template(key).pk}/apercu/")

    assert page.status_code == 200
    assert load_template(key).subject.split("#")[0].strip() in words(page)


def test_the_preview_says_what_is_wrong_instead_of_failing(staff_client: Client) -> None:
    url = f"/gestion/messages/{template('invoice').pk}/apercu/"

    wrong = words(staff_client.post(url, {"subject": "", "body": "#REFFACTUR", "preview_invoice": "inconnue"}))

    assert "L’objet est vide." in wrong
    assert "#REFFACTUR : vouliez-vous dire #REFFACTURE ?" in wrong
    assert "Aucune facture ne porte le numéro « inconnue »." in wrong


def test_a_trial_mail_goes_to_the_one_who_asks_and_reveals_no_password(staff_client: Client, staff: Account) -> None:
    customer = make_customer()
    generate_credentials(customer=customer, address=customer.email)
    make_invoice(customer=customer)

    staff_client.post(
        f"/gestion/messages/{template('invoice').pk}/essai/",
        {"subject": "Votre facture", "body": "#LOGIN_CONNEXION #PWD_CONNEXION"},
    )

    mail = Message.objects.get()
    assert (mail.recipient, mail.subject) == (staff.login, "[Essai] Votre facture")
    assert mail.secret_reference == ""
    assert template("invoice").version == 1


# ─── Outbox ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_outbox_shows_states_forecast_and_reason(staff_client: Client) -> None:
    customer = make_customer()
    send_credentials(accounts=[make_account(customer)])
    refuse(customer.email, "550 5.1.1 inconnu")

    page = words(staff_client.get(OUTBOX))

    assert "550 5.1.1 inconnu" in page
    assert "rejetée" in page
    assert "Aucun mail n’attend." in page


def test_retrying_many_asks_first_and_leaves_sent_mails_alone(staff_client: Client) -> None:
    accounts = [make_account(make_customer()) for _number in range(3)]
    send_credentials(accounts=accounts)
    refuse(accounts[0].login)
    Message.objects.filter(recipient=accounts[1].login).update(
        state="accepted", accepted_at=timezone.now(), next_attempt_at=None
    )
    rows = {"action": "retry", "_selected_action": [str(pk) for pk in Message.objects.values_list("pk", flat=True)]}

    asked = words(staff_client.post(OUTBOX, rows))
    assert "1 mail sera remis en file." in asked
    assert Message.objects.filter(state="rejected").count() == 1
    staff_client.post(OUTBOX, {**rows, "confirmed_count": "1"})

    assert Message.objects.get(recipient=accounts[0].login).state == "queued"
    assert Message.objects.get(recipient=accounts[1].login).state == "accepted"
    assert LogEntry.objects.count() == 1


def test_a_mail_is_given_up_once_and_can_be_tried_again(staff_client: Client) -> None:
    send_credentials(accounts=[make_account(make_customer())])
    mail = Message.objects.get()

    staff_client.post(f"{OUTBOX}{mail.pk}/abandonner/")
    mail.refresh_from_db()
    assert (mail.state, mail.reason) == ("cancelled", "Abandonnée par Claire Martin.")
    again = staff_client.post(f"{OUTBOX}{mail.pk}/abandonner/", follow=True)
    assert "ne peut plus être abandonné" in words(again)
    staff_client.post(f"{OUTBOX}{mail.pk}/reessayer/")
    mail.refresh_from_db()
    assert mail.state == "queued"


def test_the_outbox_is_held_back_and_released_and_says_by_whom(staff_client: Client) -> None:
    staff_client.post(f"{OUTBOX}suspendre/")
    assert outbox.is_paused()
    assert "Envoi suspendu par Claire Martin" in words(staff_client.get(OUTBOX))
    assert "Envoi des mails suspendu par Claire Martin" in words(staff_client.get("/gestion/"))

    staff_client.post(f"{OUTBOX}reprendre/")
    assert not outbox.is_paused()
    assert LogEntry.objects.count() == 2


def test_the_stored_mail_is_shown_with_its_secret_masked_in_a_frame_that_runs_nothing(staff_client: Client) -> None:
    customer = make_customer()
    account = generate_credentials(customer=customer, address=customer.email).account
    send_credentials(accounts=[account])
    mail = Message.objects.get()

    page = staff_client.get(f"{OUTBOX}{mail.pk}/change/").content.decode()
    frame = staff_client.get(f"{OUTBOX}{mail.pk}/mail/")

    assert f'src="{OUTBOX}{mail.pk}/mail/"' in page
    assert 'sandbox="allow-popups"' in page
    assert "••••••" in frame.content.decode()
    assert "script-src" not in frame["Content-Security-Policy"]


def test_the_outbox_is_filtered_by_the_nature_of_its_mails_in_french_words(staff_client: Client) -> None:
    account = generate_credentials(customer=make_customer(), address="a@petit.example").account
    send_credentials(accounts=[account])
    make_invoice()
    publish()

    def recipients(query: str) -> set[str]:
        return {mail.recipient for mail in staff_client.get(f"{OUTBOX}?{query}").context["cl"].result_list}

    page = words(staff_client.get(OUTBOX))
    assert "À envoyer : " in page
    for word in ("identifiants", "facture", "plusieurs factures", "compte et mot de passe", "essai"):
        assert f" {word} " in page
    assert " invoice " not in page
    assert recipients("nature=credentials") == {"a@petit.example"}
    assert "a@petit.example" not in recipients("nature=invoice")
    assert len(recipients("nature=invoice")) == 1
    assert recipients("nature=rien") == set()


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
