"""Export WEB › Factures: the tab *Calendrier*."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.schedules import run_schedules
from invoices.models import Export, SavedSelection, SelectionSchedule
from mailing.leases import database_now
from tests.support.back_office import SCREEN, words
from tests.support.factories import make_invoice

pytestmark = pytest.mark.django_db

CALENDAR = f"{SCREEN}calendrier/"
FORM = {"day": "2", "day_kind": "working_day", "hour": "7", "action": "export", "addresses": ""}


@pytest.fixture
def selection() -> SavedSelection:
    criteria = Criteria(period=Period.SINCE_LAST_EXPORT, generate_credentials=True)
    return SavedSelection.objects.create(name="Mensuel", criteria=criteria.to_json())


def test_without_a_saved_selection_the_page_says_what_to_do_first(staff_client: Client) -> None:
    page = words(staff_client.get(CALENDAR))

    assert "0 sélection tourne seule" in page
    assert "donnez un nom à vos choix" in page


def test_a_calendar_is_chosen_for_a_saved_selection(staff_client: Client, selection: SavedSelection) -> None:
    assert "Choisir un calendrier" in words(staff_client.get(CALENDAR))
    form = staff_client.get(f"{CALENDAR}{selection.pk}/")
    assert re.search(r'name="addresses"[^>]*value="[^"]+@', form.content.decode())  # one's own, to begin with

    addresses = "compta@aquila.example; chef@aquila.example, COMPTA@aquila.example"
    answer = staff_client.post(f"{CALENDAR}{selection.pk}/", {**FORM, "addresses": addresses}, follow=True)

    schedule = SelectionSchedule.objects.get()
    assert (schedule.selection, schedule.day, schedule.day_kind, schedule.hour) == (selection, 2, "working_day", 7)
    assert sorted(map(str.lower, schedule.addresses)) == ["chef@aquila.example", "compta@aquila.example"]
    assert schedule.next_at > database_now()
    page = words(answer)
    assert "« Mensuel » tournera le 2e jour ouvré du mois à 7 h." in page
    assert "1 sélection tourne seule" in page
    assert LogEntry.objects.filter(change_message__contains="tournera").exists()
    assert "Prochains passages" in words(staff_client.get(f"{CALENDAR}{selection.pk}/"))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"day": "0"}, "supérieure ou égale à 1"),
        ({"day": "32"}, "inférieure ou égale à 31"),
        ({"day": "deux"}, "nombre entier"),
        ({"day": ""}, "Indiquez un jour, de 1 à 31."),
        ({"hour": "25"}, "Sélectionnez un choix valide"),
        ({"action": "rien"}, "Sélectionnez un choix valide"),
        ({"addresses": "compta@aquila.example, compta"}, "« compta » :"),
        ({"addresses": ",".join(f"a{number}@aquila.example" for number in range(11))}, "Au plus 10 adresses"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    staff_client: Client, selection: SavedSelection, typed: dict[str, str], sentence: str
) -> None:
    answer = staff_client.post(f"{CALENDAR}{selection.pk}/", {**FORM, **typed})

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert not SelectionSchedule.objects.exists()


def test_dates_that_do_not_move_are_refused(staff_client: Client, selection: SavedSelection) -> None:
    fixed = Criteria.from_json({"start": "2025-06-01", "end": "2025-06-30"})
    SavedSelection.objects.update(criteria=fixed.to_json())

    answer = staff_client.post(f"{CALENDAR}{selection.pk}/", FORM)

    assert answer.status_code == 422
    assert "Les dates de cette sélection sont fixes" in words(answer)


def test_it_is_paused_gone_on_with_and_taken_away(staff_client: Client, selection: SavedSelection) -> None:
    one = f"{CALENDAR}{selection.pk}/"
    staff_client.post(one, FORM)

    assert "Calendrier de « Mensuel » en pause." in words(
        staff_client.post(f"{one}pause/", {"pause": "oui"}, follow=True)
    )
    assert SelectionSchedule.objects.get().is_paused
    assert "Calendrier de « Mensuel » repris." in words(
        staff_client.post(f"{one}pause/", {"pause": "non"}, follow=True)
    )
    assert not SelectionSchedule.objects.get().is_paused
    assert "« Mensuel » ne tourne plus seule." in words(staff_client.post(f"{one}retirer/", follow=True))
    assert not SelectionSchedule.objects.exists()


def test_the_last_run_leads_to_its_list(staff_client: Client, selection: SavedSelection) -> None:
    make_invoice()
    staff_client.post(f"{CALENDAR}{selection.pk}/", FORM)
    SelectionSchedule.objects.update(next_at=database_now())

    run_schedules.func()

    answer: Any = staff_client.get(CALENDAR)
    export = Export.objects.get()
    assert f'href="{SCREEN}export/{export.number}/"' in answer.content.decode()
    assert "export lancé" in words(answer)
