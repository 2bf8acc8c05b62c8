"""Premiers pas: an empty installation is led from nothing to its first export; each step is done by facts alone."""

import pytest
from django.core.management import call_command
from django.test import Client

from customers.models import Customer
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Company, Document, Invoice
from mailing.heartbeats import MAILER, record_heartbeat
from mailing.models import Message
from portal.backoffice.first_steps.steps import STEPS, read_guide
from tests.support.back_office import BACKEND, list_url, member, words
from tests.support.factories import (
    COMPANY_IDENTITY,
    make_account,
    make_company,
    make_customer,
    make_invoice,
    make_staff,
)

pytestmark = pytest.mark.django_db

KEYS = [step.key for step in STEPS]
FORM = COMPANY_IDENTITY | {"country": "FR", "colour": "#1f4e79", "pdf_template": "classic", "operations": "M"}


def _next_key(client: Client) -> str:
    guide = client.get("/gestion/").context["board"].guide
    return guide.next.step.key if guide else ""


def _follow(client: Client, key: str) -> str:
    """The address of the page to which the link of a step leads, which answers."""
    answer = client.get(f"/gestion/premiers-pas/{key}/")
    assert client.get(answer["Location"]).status_code == 200
    return answer["Location"].partition("#")[0]


def test_an_empty_installation_is_led_step_by_step_to_its_first_export(client: Client) -> None:
    staff = make_staff()
    client.force_login(staff, backend=BACKEND)
    assert _next_key(client) == "identite"

    client.post(_follow(client, "identite"), FORM)
    assert _next_key(client) == "apparence"
    client.post("/gestion/premiers-pas/apparence/passer/")
    assert _next_key(client) == "mails"
    client.post(_follow(client, "mails"), {"essai": "oui", "sender_name": "Compta"})
    assert _next_key(client) == "mails"  # written is not sent
    call_command("send_queued_mail")
    [trial] = Message.objects.all()
    assert (trial.recipient, trial.sender_name) == (staff.login, "Compta")
    assert _next_key(client) == "formats"
    _follow(client, "formats")
    client.post("/gestion/premiers-pas/formats/passer/")
    client.post("/gestion/premiers-pas/personnel/passer/")
    assert _next_key(client) == "import"

    customer = make_customer()
    make_account(customer)
    make_invoice(company=Company.objects.get(), customer=customer)
    assert _next_key(client) == "essai"
    export = create_export(criteria=Criteria(scope=Scope.ALL, notify=True, attach_pdf=True))
    assert _follow(client, "essai") == list_url(export)
    assert "M’envoyer un essai" in words(client.get(list_url(export)))
    page = client.post(list_url(export, "essai/"), follow=True)
    assert "1 mail d’essai écrit pour compta@aquila.example" in words(page)
    assert {mail.recipient for mail in Message.objects.all()} == {staff.login}
    assert not Document.objects.exists()
    assert _next_key(client) == "export"

    run_lines(start_export(export=export))
    assert Invoice.objects.published().count() == 1
    assert _next_key(client) == ""
    assert "Premiers pas" not in words(client.get("/gestion/"))
    assert "Tout est fait" in words(client.get("/gestion/premiers-pas/"))


def test_a_step_gone_to_shows_the_way_on_until_the_list_is_seen_again(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    page = client.get(_follow(client, "identite"))
    assert "Premiers pas, étape 1 sur 8 : Identité de la société" in words(page)

    saved = client.post("/gestion/invoices/company/add/", FORM, follow=True)

    assert "C’est fait. Étape suivante : Apparence de la facture" in words(saved)
    client.get("/gestion/")
    assert "Étape suivante" not in words(client.get("/gestion/invoices/company/"))


def test_a_skipped_step_can_be_asked_for_again(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    for key in KEYS:
        client.post(f"/gestion/premiers-pas/{key}/passer/")
    assert _next_key(client) == ""

    client.post("/gestion/premiers-pas/personnel/passer/", {"reprendre": "oui"})

    assert _next_key(client) == "personnel"
    make_staff("autre@aquila.example")
    assert _next_key(client) == ""


def test_each_sees_and_skips_the_steps_of_his_rights_only(client: Client) -> None:
    make_company()
    setup = member("Paramétrage")
    client.force_login(setup, backend=BACKEND)

    guide = read_guide(setup)

    assert guide is not None
    assert [state.step.key for state in guide.states] == ["identite", "apparence", "mails", "personnel"]
    assert client.get("/gestion/premiers-pas/import/").status_code == 403
    assert client.post("/gestion/premiers-pas/export/passer/").status_code == 403
    assert client.get("/gestion/premiers-pas/inconnue/").status_code == 404
    assert read_guide(member("Lecture")) is None


def test_the_identity_is_not_done_while_a_company_lacks_something() -> None:
    staff = make_staff()
    company = make_company()
    make_invoice(company=company, customer=Customer.objects.create(code="1", name="Client"))
    guide = read_guide(staff)
    assert guide is not None
    assert guide.states[0].is_done

    Company.objects.filter(pk=company.pk).update(legal_form="")

    guide = read_guide(staff)
    assert guide is not None
    assert not guide.states[0].is_done


def test_a_wrong_sender_is_reported_beside_its_field_and_sends_nothing(client: Client) -> None:
    make_company()
    client.force_login(make_staff(), backend=BACKEND)

    page = client.post("/gestion/premiers-pas/expediteur/", {"sender_email": "compta@@aquila", "essai": "oui"})

    assert page.status_code == 422
    assert not Message.objects.exists()


def test_a_trial_that_nothing_sends_says_whom_to_ask(client: Client) -> None:
    make_company()
    client.force_login(make_staff(), backend=BACKEND)
    page = client.post("/gestion/premiers-pas/expediteur/", {"essai": "oui"}, follow=True)
    assert "l’essai attendra" in words(page)

    record_heartbeat("one", MAILER)

    page = client.get("/gestion/premiers-pas/expediteur/")
    assert "l’essai attendra" not in words(page)
    assert "part dans la minute" in words(page)
