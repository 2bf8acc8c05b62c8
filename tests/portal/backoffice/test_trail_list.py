"""The list of the trail: who did what to which invoice, for staff who see the history."""

import datetime
import io

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from mailing.trail.acting import Actor, acting
from mailing.trail.actions import Action
from mailing.trail.erasing import erase_of_sign_ins
from mailing.trail.recording import record
from tests.support.back_office import member, words
from tests.support.factories import make_customer, make_published_invoice, make_staff

pytestmark = pytest.mark.django_db
LIST = "/gestion/trail/entry/"
BACKEND = "customers.authentication.AccountBackend"


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(member("Paramétrage"), backend=BACKEND)
    return client


def test_it_is_searched_by_who_and_by_invoice(auditor: Client) -> None:
    paul = make_staff("paul@aquila.example", name="Paul Roux")
    invoice = make_published_invoice(number="F-77")
    with acting(lambda: Actor(paul.pk, paul.login, "")):
        record(Action.CONSULTED, invoice)
    record(Action.BACKED_UP)

    by_name, by_number = words(auditor.get(LIST, {"q": "Roux"})), words(auditor.get(LIST, {"q": "f-77"}))
    assert "facture consultée" in by_name
    assert "Paul Roux" in by_number
    assert "sauvegarde web" not in by_number
    assert "1 entrée" in by_name
    only = words(auditor.get(LIST, {"acte": "backed-up"}))
    assert "1 entrée" in only


def test_a_month_and_the_workbook_of_what_the_list_shows(auditor: Client) -> None:
    record(Action.BACKED_UP)
    record(Action.LEFT)

    answer = auditor.get(f"{LIST}liste.xlsx", {"acte": "left"})

    rows = list(load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values)  # type: ignore[attr-defined, union-attr]
    assert [row[1] for row in rows] == ["Acte", "données emportées"]
    assert "0 entrée" in words(auditor.get(LIST, {"mois": "2020-01", "acte": "sign-in-refused"}))


def test_it_asks_as_often_for_many_entries_as_for_few(auditor: Client) -> None:
    paul = make_staff("paul@aquila.example")
    auditor.get(LIST)
    counts = []
    for many in (2, 20):
        with acting(lambda: Actor(paul.pk, paul.login, "")):
            for _number in range(many):
                record(Action.CONSULTED)
        with CaptureQueriesContext(connection) as asked:
            auditor.get(LIST)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_whoever_does_not_see_the_history_sees_none(client: Client) -> None:
    assert Group.objects.filter(name="Lecture").exists()
    client.force_login(member("Lecture"), backend=BACKEND)
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}liste.xlsx").status_code == 403


def test_details_are_words_and_entries_are_counted_as_such(auditor: Client) -> None:
    customer = make_customer(email="a@client.example")
    with acting(lambda: Actor(None, "", "192.0.2.7")):
        record(Action.ADDRESS_CHANGED, customer, personal={"former": "a@client.example", "now": "b@client.example"})
        record(Action.ADDRESS_CHANGED, customer, personal={"former": "", "now": "c@client.example"})
        record(Action.COPIES_CHANGED, customer, details={"former": "2", "now": "D"})
        record(Action.EXPORT_BEGUN, details={"number": 12, "lines": 54})
        record(Action.SIGNED_IN, details={"with": "issuer"})
        record(Action.CONSULTED, details={"channel": "zip"})
        record(Action.CHANGED, customer, details={"changes": [{"changed": {"fields": ["E-mail"]}}]})
        record(Action.PURGED, details={"consultations": 3})
        record(Action.BACKED_UP)

    page = words(auditor.get(LIST))

    assert "A changé de a@client.example à b@client.example, depuis 192.0.2.7" in page
    assert "A mis c@client.example" in page
    assert "A changé de 2 à dématérialisée" in page
    assert "N° 12, 54 factures prêtes" in page
    assert "Par le fournisseur d’identité" in page
    assert "Archive ZIP" in page
    assert "Modification de e-mail" in page.replace("E-mail", "e-mail")
    assert "Consultations : 3" in page
    assert f"client {customer.pk}" in page
    assert page.count("entrées de la piste d’audit") == 2  # under the title, and beside the pages
    assert "{" not in page


def test_words_are_found_for_every_act_and_personal_values_that_are_gone_are_not_missed(auditor: Client) -> None:
    for action in Action:
        record(action, details={"made-up": "value"}, personal={"login": "someone@client.example"})
    erase_of_sign_ins(timezone.now() + datetime.timedelta(days=1), dry_run=False)
    assert "made-up : value" in words(auditor.get(LIST)).lower()
