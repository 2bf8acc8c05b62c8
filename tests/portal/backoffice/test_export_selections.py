"""Export WEB › Factures: the tabs *Sélection* and *Script*."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Account, Customer
from invoices.exporting.choices import criteria_of
from invoices.exporting.criteria import Criteria, Period, Scope
from invoices.exporting.exports import create_export
from invoices.models import Export, SavedSelection
from tests.support.back_office import BACKEND, SCREEN, list_url, words
from tests.support.factories import (
    make_account,
    make_contact,
    make_customer,
    make_invoice,
    make_published_invoice,
    make_staff,
)

pytestmark = pytest.mark.django_db

FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
# What a browser sends of the form as it is at first.
FORM = {
    "scope": "with-credentials",
    "kind": "",
    "period": "fixed",
    "start": "",
    "end": "",
    "function": "",
    "mail_only_reason": "",
}


def is_checked(response: Any, identifier: str) -> bool:
    """Whether the radio button or box of this id is set."""
    return bool(re.search(rf'<input[^>]*id="{identifier}"[^>]*\bchecked\b', response.content.decode()))


@pytest.fixture
def reader(client: Client) -> Client:
    """A member of staff who may see and change nothing."""
    account = Account.objects.create_user("lecture@aquila.example", "x", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(account, backend=BACKEND)
    return client


# ─── Sélection ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_choices_stand_there_in_the_words_of_the_users(staff_client: Client) -> None:
    page = words(staff_client.get(SCREEN))

    for sentence in (
        "Sélection des factures",
        "Uniquement les factures des clients ayant des identifiants de connexion",
        "Toutes les factures",
        "Sélection des pièces",
        "Pour les « professionnels »",
        "Pour les « particuliers »",
        "Les deux",
        "Période d’export",
        "Les adresses Email des clients servent à la connexion à leur espace client",
        "Sélectionner les adresses mail des contacts rattachés aux fiches clients",
        "Ne pas faire apparaître les clients n’ayant pas de contacts",
        "Sélectionner seulement les contacts « interlocuteur principal »",
        "Filtrer les contacts dont la fonction contient",
        "Générer les identifiants de connexion à l’espace client",
        "Accompagner la mise à jour de l’espace client d’un mail pour avertir le client",
        "Joindre le PDF de la facture au mail envoyé",
        "Un seul mail par client",
        "Créer la liste à exporter",
        "Paramétrage",
    ):
        assert sentence in page


@time_machine.travel(date(2026, 3, 15))
def test_the_shortcuts_say_which_dates_they_mean_today(staff_client: Client) -> None:
    page = words(staff_client.get(SCREEN))

    assert "Mois dernier : du 01/02/2026 au 28/02/2026" in page
    assert "Mois en cours : du 01/03/2026 au 31/03/2026" in page
    assert "Depuis le dernier export : pas encore exportées, quelle que soit leur date" in page


def test_the_count_follows_the_choices(staff_client: Client) -> None:
    make_invoice(customer=make_customer(kind=Customer.Kind.INDIVIDUAL))
    make_invoice(customer=make_customer(invoice_copies="1"))
    make_published_invoice()

    alone = words(staff_client.get(f"{SCREEN}compte/", FORM))
    with_credentials = words(staff_client.get(f"{SCREEN}compte/", FORM | {"generate_credentials": "on"}))
    professionals = words(
        staff_client.get(f"{SCREEN}compte/", FORM | {"kind": "professional", "generate_credentials": "on"})
    )

    assert "0 facture prête 1 à corriger · 2 écartées, dont 1 déjà exportée" in alone
    assert "pas d’identifiants de connexion 1" in alone
    assert "1 facture prête 0 à corriger · 2 écartées, dont 1 déjà exportée" in with_credentials
    assert "0 facture prête" in professionals


def test_without_javascript_a_button_counts_and_keeps_the_choices(staff_client: Client) -> None:
    make_invoice()

    response = staff_client.post(SCREEN, FORM | {"generate_credentials": "on", "action": "count"})

    assert "1 facture prête" in words(response)
    assert not Export.objects.exists()
    assert is_checked(response, "id_generate_credentials")


def test_the_list_is_made_of_the_choices_and_remembers_its_author(staff_client: Client, staff: Account) -> None:
    ready, other = make_invoice(issue_date=date(2025, 6, 7)), make_invoice(issue_date=date(2025, 7, 1))

    response = staff_client.post(
        SCREEN,
        FORM | {"start": "2025-06-01", "end": "30/06/2025", "generate_credentials": "on", "action": "create"},
    )

    export = Export.objects.get()
    assert response["Location"] == list_url(export)
    assert export.author == staff
    assert [item.invoice for item in export.items.all()] == [ready]
    assert Criteria.from_json(export.criteria).end == date(2025, 6, 30)
    assert LogEntry.objects.get().change_message == "Liste à exporter créée."
    assert not other.items.exists()


def test_the_screen_begins_with_the_choices_of_ones_last_list_without_its_days(
    staff_client: Client, staff: Account
) -> None:
    make_invoice()
    kept = Criteria(scope=Scope.ALL, notify=True, attach_pdf=True)
    create_export(criteria=replace(kept, start=date(2025, 6, 1), mail_only_reason="panne"), author=staff)
    create_export(criteria=Criteria(generate_credentials=True), author=make_staff(login="autre@aquila.example"))

    page = staff_client.get(SCREEN)

    assert [is_checked(page, each) for each in ("id_notify", "id_attach_pdf", "id_generate_credentials")] == [
        True,
        True,
        False,
    ]
    assert "2025-06-01" not in page.content.decode()
    assert "panne" not in words(page)
    assert "Ces choix sont ceux de votre dernière liste, la n° 1" in words(page)
    afresh = staff_client.get(f"{SCREEN}?neuf=1")
    assert not is_checked(afresh, "id_notify")
    assert "votre dernière liste" not in words(afresh)


def test_the_first_list_of_an_installation_makes_credentials_and_announces(staff_client: Client) -> None:
    make_invoice(customer=make_customer())

    first = staff_client.get(SCREEN)

    chosen = {name for name, value in first.context["form"].initial.items() if value is True}
    assert chosen == {"generate_credentials", "notify"}
    assert "1 facture prête" in words(first)  # and «M'envoyer un essai» has a mail to show
    create_export(criteria=Criteria())
    again = staff_client.get(SCREEN)
    assert not any(value is True for value in again.context["form"].initial.values())


def test_the_days_of_an_import_begin_a_list_with_ones_usual_choices(staff_client: Client, staff: Account) -> None:
    usual = Criteria(
        period=Period.PREVIOUS_MONTH, notify=True, attach_pdf=True, generate_credentials=True, kind="individual"
    )
    create_export(criteria=usual, author=staff)

    form = staff_client.get(f"{SCREEN}?start=2025-01-31&end=2025-02-01").context["form"]

    assert criteria_of(form.initial) == replace(
        usual, period=Period.FIXED, start=date(2025, 1, 31), end=date(2025, 2, 1), kind=""
    )
    odd = staff_client.get(f"{SCREEN}?start=hier&end=2025-02-01").context["form"]
    assert criteria_of(odd.initial).start is None


def test_making_a_list_costs_the_same_statements_whatever_its_length(staff_client: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            staff_client.post(SCREEN, FORM | {"scope": "all", "action": "create"})
        return len(captured)

    make_invoice()
    statements()  # what is read once per process
    few = statements()
    for _number in range(40):
        make_invoice()

    assert statements() == few


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"start": "2025-06-30", "end": "2025-06-01"}, "end", "La fin de la période précède son début."),
        ({"start": "2025-02-30"}, "start", "Cette date n’existe pas : écrivez-la jj/mm/aaaa."),
        (
            {"function": "plombier"},
            "function",
            "Aucun contact n’a une fonction contenant « plombier ». Fonctions connues : Comptabilité.",
        ),
        ({"attach_pdf": "on"}, "attach_pdf", "Cochez aussi « Accompagner la mise à jour de l’espace client"),
        ({"period": "previous_month", "start": "2025-06-30"}, "period", "Choisissez « Dates de facture »"),
    ],
)
def test_bad_input_gets_a_sentence_beside_its_field_and_loses_nothing(
    staff_client: Client, typed: dict[str, str], field: str, sentence: str
) -> None:
    invoice = make_invoice()
    make_contact(invoice.customer)

    response = staff_client.post(SCREEN, FORM | {"notify": ""} | typed | {"use_contacts": "on", "action": "create"})

    source = response.content.decode()
    assert response.status_code == 422
    assert not Export.objects.exists()
    assert sentence in words(response)
    assert f'href="#id_{field}"' in source  # the summary leads to the field
    assert f'id="id_{field}_error"' in source
    assert is_checked(response, "id_use_contacts")
    for value in typed.values():
        assert value in source
    assert sentence in words(staff_client.get(f"{SCREEN}compte/", FORM | typed))


def test_a_list_that_would_be_empty_is_not_made(staff_client: Client) -> None:
    make_invoice(issue_date=date(2025, 6, 7))

    response = staff_client.post(SCREEN, FORM | {"start": "2030-01-01", "action": "create"})

    assert "Aucune facture ne correspond à ces choix" in words(response)
    assert not Export.objects.exists()


def test_a_relative_period_stays_relative_in_a_saved_selection(staff_client: Client) -> None:
    make_invoice(issue_date=date(2025, 6, 7))

    staff_client.post(SCREEN, FORM | {"period": "previous_month", "scope": "all", "name": "Mensuel", "action": "save"})

    row = SavedSelection.objects.get(name="Mensuel")
    criteria = Criteria.from_json(row.criteria)
    assert (criteria.period, criteria.start, criteria.end) == (Period.PREVIOUS_MONTH, None, None)
    with time_machine.travel(date(2025, 7, 3)):
        page = staff_client.get(f"{SCREEN}?selection={row.pk}")
        assert "1 facture prête" in words(page)
        assert is_checked(page, "id_period_1")
        staff_client.post(
            SCREEN,
            FORM | {"period": "previous_month", "scope": "all", "selection": str(row.pk), "action": "create"},
        )
    export = Export.objects.get()
    assert export.selection == row
    assert Criteria.from_json(export.criteria).start == date(2025, 6, 1)


def test_a_saved_selection_is_reopened_changed_and_forgotten(staff_client: Client) -> None:
    row = SavedSelection.objects.create(name="Mensuel", criteria=Criteria().to_json())
    SavedSelection.objects.create(name="Autre", criteria=Criteria().to_json())

    taken = staff_client.post(SCREEN, FORM | {"name": "mensuel", "action": "save"})
    nameless = staff_client.post(SCREEN, FORM | {"name": " ", "action": "save"})
    staff_client.post(SCREEN, FORM | {"notify": "on", "name": "Mensuel +", "selection": str(row.pk), "action": "save"})

    assert "Une sélection s’appelle déjà « mensuel »" in words(taken)
    assert "Donnez un nom à la sélection" in words(nameless)
    row.refresh_from_db()
    assert row.name == "Mensuel +"
    assert Criteria.from_json(row.criteria).notify

    question = staff_client.get(f"{SCREEN}selections/{row.pk}/supprimer/")
    assert "Supprimer la sélection « Mensuel + » ?" in words(question)
    staff_client.post(f"{SCREEN}selections/{row.pk}/supprimer/")
    assert list(SavedSelection.objects.values_list("name", flat=True)) == ["Autre"]
    # Its address, kept in a bookmark, gives the usual choices.
    assert staff_client.get(f"{SCREEN}?selection={row.pk}").status_code == 200


def test_the_choices_of_a_list_are_taken_up_again(staff_client: Client) -> None:
    make_invoice()
    export = create_export(criteria=Criteria(scope=Scope.ALL, start=date(2025, 1, 1), notify=True))

    page = staff_client.get(f"{SCREEN}?export={export.number}")

    assert is_checked(page, "id_scope_1")
    assert 'value="2025-01-01"' in page.content.decode()


def test_who_may_only_see_counts_and_makes_nothing(reader: Client) -> None:
    make_invoice()

    assert "Créer la liste" not in words(reader.get(SCREEN))
    assert "1 facture prête" in words(reader.post(SCREEN, FORM | {"scope": "all", "action": "count"}))
    assert reader.post(SCREEN, FORM | {"scope": "all", "action": "create"}).status_code == 403
    assert reader.post(SCREEN, FORM | {"name": "x", "action": "save"}).status_code == 403
    assert not Export.objects.exists()


def test_customers_and_strangers_do_not_come_in(client: Client) -> None:
    customer = make_customer()

    assert client.get(SCREEN).status_code == 302
    client.force_login(make_account(customer), backend=BACKEND)
    assert client.get(SCREEN).status_code in (302, 403)


def test_every_screen_asks_for_its_permission(client: Client) -> None:
    item = create_export(criteria=Criteria(scope=Scope.ALL)) if make_invoice() else None
    assert item is not None
    line = item.items.get()
    row = SavedSelection.objects.create(name="x", criteria={})
    client.force_login(Account.objects.create_user("rien@aquila.example", "x", is_staff=True), backend=BACKEND)
    names: dict[str, list[Any]] = {
        "export_web": [],
        "export_web_count": [],
        "export_web_script": [],
        "export_web_delete_selection": [row.pk],
        "export_web_exports": [],
        "export_web_list": [item.number],
        "export_web_preview": [item.number, line.pk],
        "export_web_preview_pdf": [item.number, line.pk],
        "export_web_preview_mail": [item.number, line.pk, 0],
        "export_web_progress": [item.number],
        "export_web_cancel": [item.number],
        "export_web_retry": [item.number],
        "export_web_bordereau": [item.number],
        "export_web_bordereau_csv": [item.number],
        "export_web_bordereau_xlsx": [item.number],
        "export_web_bordereau_pdf": [item.number],
        "invoices_invoice_resend": [line.invoice_id],
        "invoices_invoice_changelist": [],
        "invoices_invoice_change": [line.invoice_id],
        "invoices_export_changelist": [],
    }

    answers = {
        name: client.get(reverse(f"admin:{name}", args=arguments)).status_code for name, arguments in names.items()
    }
    posts = {
        name: client.post(reverse(f"admin:{name}", args=[item.number])).status_code
        for name in (
            "export_web_tick",
            "export_web_tick_all",
            "export_web_start",
            "export_web_pause",
            "export_web_cancel",
            "export_web_retry",
        )
    }

    assert set(answers.values()) == {403}
    assert set(posts.values()) == {403}


# ─── Script ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_script_does_the_choices_of_the_other_tab(staff_client: Client) -> None:
    page = words(staff_client.get(f"{SCREEN}script/", FORM | {"period": "previous_month", "notify": "on"}))

    assert "manage.py export_invoices --period previous_month --notify" in page
    assert "0 6 1 * * cd " in page
    assert "OnCalendar=*-*-01 06:00:00" in page


def test_fixed_dates_in_a_script_are_warned_of(staff_client: Client) -> None:
    page = words(staff_client.get(f"{SCREEN}script/", FORM | {"start": "2025-06-01"}))

    assert "Ces dates sont fixes" in page


def test_the_script_of_a_saved_selection_is_its_name_quoted(staff_client: Client) -> None:
    SavedSelection.objects.create(
        name="L'été d'Anne", criteria=Criteria(period=Period.PREVIOUS_MONTH, scope=Scope.ALL).to_json()
    )

    page = words(staff_client.get(f"{SCREEN}script/"))

    assert """export_invoices '--profile=L'"'"'été d'"'"'Anne'""" in page


def test_runs_of_the_command_line_stand_in_the_history(staff_client: Client) -> None:
    make_invoice()
    row = SavedSelection.objects.create(name="Mensuel", criteria=Criteria().to_json())
    export = create_export(criteria=FULL, author_name="ligne de commande", selection=row)

    page = words(staff_client.get(f"{SCREEN}script/"))

    assert f"N° {export.number} – Mensuel" in page


def test_a_wrong_selection_makes_no_script(staff_client: Client) -> None:
    page = words(staff_client.get(f"{SCREEN}script/", FORM | {"start": "2025-06-30", "end": "2025-06-01"}))

    assert "corrigez d’abord la sélection" in page
    assert "manage.py export_invoices --start" not in page


def test_invoices_that_lack_credentials_alone_say_which_choice_makes_them(staff_client: Client) -> None:
    make_invoice(customer=make_customer(invoice_copies="D"))
    choices = {"period": "fixed", "scope": "with-credentials"}
    count = f"{SCREEN}compte/"

    assert "Pour 1 facture il suffit de cocher « Générer les identifiants" in words(staff_client.get(count, choices))
    assert "il suffit de cocher" not in words(staff_client.get(count, {**choices, "generate_credentials": "on"}))
