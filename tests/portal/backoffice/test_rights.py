"""Who may do what in the back-office."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from customers.bulk_actions import create_bulk_action
from customers.models import Account, BulkAction
from customers.services import send_credentials
from invoices.models import Company, ImportBatch, Invoice
from mailing.failed_addresses import mark_address_failed
from mailing.models import Message, MessageTemplate
from portal.backoffice.administration.rights import OURS
from tests.support.back_office import BACKEND, all_rows, member, words
from tests.support.factories import (
    PASSWORD,
    make_account,
    make_company,
    make_customer,
    make_published_invoice,
    make_staff,
)

pytestmark = pytest.mark.django_db


# ─── Rights ──────────────────────────────────────────────────────────────────────────────────────────────────────────
LISTS = {
    # address → who may open it
    "/gestion/": {"Comptabilité", "Lecture", "Paramétrage"},
    "/gestion/customers/customer/": {"Comptabilité", "Lecture"},
    "/gestion/customers/contact/": {"Comptabilité", "Lecture"},
    "/gestion/customers/customeraccount/": {"Comptabilité", "Lecture"},
    "/gestion/customers/bulkaction/": {"Comptabilité", "Lecture"},
    "/gestion/customers/staffaccount/": {"Paramétrage"},
    "/gestion/auth/group/": {"Paramétrage"},
    "/gestion/admin/logentry/": {"Paramétrage"},
    "/gestion/trail/entry/": {"Paramétrage"},
    "/gestion/quarantine/setaside/": {"Comptabilité", "Lecture", "Paramétrage"},
    "/gestion/invoices/company/": {"Comptabilité", "Lecture", "Paramétrage"},
    "/gestion/invoices/importbatch/": {"Comptabilité", "Lecture"},
    "/gestion/invoices/importbatch/add/": {"Comptabilité"},
    "/gestion/invoices/importmapping/": {"Comptabilité"},
    "/gestion/invoices/invoice/": {"Comptabilité", "Lecture"},
    "/gestion/export-web/factures/": {"Comptabilité", "Lecture"},
    "/gestion/export-web/factures/statuts/": {"Comptabilité"},
    "/gestion/mailing/messagetemplate/": {"Comptabilité", "Lecture", "Paramétrage"},
    "/gestion/mailing/message/": {"Comptabilité", "Lecture"},
    "/gestion/mailing/failedaddress/": {"Comptabilité", "Lecture"},
    "/gestion/courrier/adresses-en-erreur/": {"Comptabilité", "Lecture"},
    "/gestion/courrier/adresses-en-erreur.csv": {"Comptabilité", "Lecture"},
}


@pytest.mark.parametrize("group", ["Comptabilité", "Lecture", "Paramétrage"])
@pytest.mark.parametrize("address", LISTS)
def test_each_page_opens_for_its_groups_alone(client: Client, address: str, group: str) -> None:
    client.force_login(member(group), backend=BACKEND)

    assert client.get(address).status_code == (200 if group in LISTS[address] else 403)


@pytest.mark.parametrize("address", LISTS)
def test_customers_and_strangers_see_nothing_of_the_back_office(client: Client, address: str) -> None:
    door = unquote(client.get(address, follow=True).redirect_chain[-1][0])
    assert door.startswith("/connexion/?next=/gestion/")

    client.force_login(make_account(make_customer()), backend=BACKEND)
    page = client.get(address, follow=True)
    assert page.status_code == 403
    assert "Tableau de bord" not in page.content.decode()


def test_a_member_of_staff_without_a_group_sees_an_empty_desk(client: Client) -> None:
    client.force_login(Account.objects.create_user("nouveau@aquila.example", PASSWORD, is_staff=True), backend=BACKEND)

    page = words(client.get("/gestion/"))

    assert "Vous n’avez le droit de rien voir ici." in page
    assert "en attente d’export" not in page


@pytest.fixture(scope="module")
def scene(shared_rows: Path) -> dict[str, Any]:
    """What an action is about."""
    customer = make_customer(invoice_copies="1")
    account = make_account(customer)
    send_credentials(accounts=[account])
    mark_address_failed("faux@client.example", "550", None, timezone.now())
    return {
        "customer": customer,
        "account": account,
        "message": Message.objects.get(),
        "template": MessageTemplate.objects.get(key="invoice"),
        "batch": ImportBatch.objects.create(state="checked"),
        "user": make_staff("patron@aquila.example"),
        "company": make_company(),
        "group": Group.objects.get(name="Paramétrage"),
    }


# What changes something: address, what is sent, and the groups that may.
ACTIONS: dict[str, tuple[Callable[[dict[str, Any]], str], dict[str, str], set[str]]] = {
    "flag D": (
        lambda s: "/gestion/customers/customer/",
        {"action": "dematerialise", "confirmed_count": "1"},
        {"Comptabilité"},
    ),
    "create on card": (
        lambda s: f"/gestion/customers/customer/{s['customer'].pk}/comptes/creer/",
        {},
        {"Comptabilité"},
    ),
    "send on card": (
        lambda s: f"/gestion/customers/customer/{s['customer'].pk}/comptes/{s['account'].pk}/envoyer/",
        {},
        {"Comptabilité"},
    ),
    "renew on card": (
        lambda s: f"/gestion/customers/customer/{s['customer'].pk}/comptes/{s['account'].pk}/reinitialiser/",
        {"confirmed_count": "1"},
        {"Comptabilité"},
    ),
    "reveal": (
        lambda s: f"/gestion/customers/customer/{s['customer'].pk}/comptes/{s['account'].pk}/montrer/",
        {},
        {"Comptabilité"},
    ),
    "state": (
        lambda s: f"/gestion/customers/customer/{s['customer'].pk}/comptes/{s['account'].pk}/etat/",
        {},
        {"Comptabilité"},
    ),
    "look as the customer": (
        lambda s: f"/gestion/voir-comme/{s['customer'].pk}/{s['account'].pk}/",
        {},
        {"Comptabilité"},
    ),
    "add customer": (lambda s: "/gestion/customers/customer/add/", {}, {"Comptabilité"}),
    "change customer": (lambda s: f"/gestion/customers/customer/{s['customer'].pk}/change/", {}, {"Comptabilité"}),
    "delete customer": (lambda s: f"/gestion/customers/customer/{s['customer'].pk}/delete/", {}, {"Comptabilité"}),
    "change account": (lambda s: f"/gestion/customers/customeraccount/{s['account'].pk}/change/", {}, {"Comptabilité"}),
    "add user": (lambda s: "/gestion/customers/staffaccount/add/", {}, {"Paramétrage"}),
    "renew the superuser": (
        lambda s: f"/gestion/customers/staffaccount/{s['user'].pk}/reinitialiser/",
        {"confirmed_count": "1"},
        set(),
    ),
    "change template": (
        lambda s: f"/gestion/mailing/messagetemplate/{s['template'].pk}/change/",
        {},
        {"Comptabilité", "Paramétrage"},
    ),
    "restore template": (
        lambda s: f"/gestion/mailing/messagetemplate/{s['template'].pk}/versions/1/restaurer/",
        {},
        {"Comptabilité", "Paramétrage"},
    ),
    "trial mail": (
        lambda s: f"/gestion/messages/{s['template'].pk}/essai/",
        {"subject": "a", "body": "b"},
        {"Comptabilité", "Paramétrage"},
    ),
    "preview": (
        lambda s: f"/gestion/messages/{s['template'].pk}/apercu/",
        {},
        {"Comptabilité", "Lecture", "Paramétrage"},
    ),
    "retry a mail": (lambda s: f"/gestion/mailing/message/{s['message'].pk}/reessayer/", {}, {"Comptabilité"}),
    "give a mail up": (lambda s: f"/gestion/mailing/message/{s['message'].pk}/abandonner/", {}, {"Comptabilité"}),
    "pause": (lambda s: "/gestion/mailing/message/suspendre/", {}, {"Comptabilité"}),
    "resume": (lambda s: "/gestion/mailing/message/reprendre/", {}, {"Comptabilité"}),
    "correct an address": (lambda s: "/gestion/courrier/adresses-en-erreur/corriger/", {}, {"Comptabilité"}),
    "forget an address": (lambda s: "/gestion/courrier/adresses-en-erreur/retirer/", {}, {"Comptabilité"}),
    "confirm an import": (lambda s: f"/gestion/invoices/importbatch/{s['batch'].pk}/confirmer/", {}, {"Comptabilité"}),
    "abandon an import": (lambda s: f"/gestion/invoices/importbatch/{s['batch'].pk}/abandonner/", {}, {"Comptabilité"}),
    "change company": (
        lambda s: f"/gestion/invoices/company/{s['company'].pk}/change/",
        {},
        {"Comptabilité", "Paramétrage"},
    ),
    "add company": (lambda s: "/gestion/invoices/company/add/", {}, {"Paramétrage"}),
    "add group": (lambda s: "/gestion/auth/group/add/", {"name": "Tout"}, set()),
    "change group": (lambda s: f"/gestion/auth/group/{s['group'].pk}/change/", {"name": "Tout"}, set()),
    "delete group": (lambda s: f"/gestion/auth/group/{s['group'].pk}/delete/", {"post": "yes"}, set()),
}


@pytest.mark.parametrize("group", ["Comptabilité", "Lecture", "Paramétrage"])
@pytest.mark.parametrize("bulk_action", ACTIONS)
def test_each_action_is_for_its_groups_alone(
    client: Client, scene: dict[str, Any], bulk_action: str, group: str
) -> None:
    address, sent, groups = ACTIONS[bulk_action]
    if "action" in sent:
        sent = {**sent, "_selected_action": str(scene["customer"].pk)}
    client.force_login(member(group), backend=BACKEND)
    before = all_rows()

    answer = client.post(address(scene), sent)

    if group in groups:
        assert answer.status_code in (200, 302, 404, 422)
    else:
        # An action of a list that one may see but not use is no choice of its menu, and nothing happens.
        is_unknown_action = "action" in sent and answer.status_code in (200, 302)
        assert answer.status_code == 403 or is_unknown_action
        assert all_rows() == before


# ─── No one gives what he has not ────────────────────────────────────────────────────────────────────────────────────
USERS = "/gestion/customers/staffaccount/"


def group_named(name: str) -> str:
    return str(Group.objects.get(name=name).pk)


def test_no_one_makes_himself_or_another_a_superuser_by_the_form_of_users(client: Client) -> None:
    giver = member("Paramétrage")
    client.force_login(giver, backend=BACKEND)
    everything = {"is_superuser": "on", "is_staff": "on", "user_permissions": "1", "is_active": "on"}

    new = {"login": "neuf@aquila.example", "name": "Neuf", "groups": group_named("Paramétrage")}
    client.post(f"{USERS}add/", {**new, **everything})
    made = Account.objects.get(login="neuf@aquila.example")
    client.post(f"{USERS}{made.pk}/change/", {"login": made.login, "name": "Neuf", **everything})
    client.post(
        f"{USERS}{giver.pk}/change/", {"login": giver.login, "groups": group_named("Comptabilité"), **everything}
    )

    for account in (made, giver):
        account.refresh_from_db()
        assert not account.is_superuser
        assert not account.user_permissions.exists()
    assert [group.name for group in giver.groups.all()] == ["Paramétrage"]


def test_a_group_is_given_by_those_only_who_have_all_its_rights(client: Client) -> None:
    giver = member("Paramétrage")
    client.force_login(giver, backend=BACKEND)
    page = words(client.get(f"{USERS}add/"))
    assert "On ne donne que les droits que l’on a. Un administrateur donne aussi : Comptabilité, Lecture." in page

    typed = {"login": "neuf@aquila.example", "name": "Neuf", "is_active": "on"}
    refused = client.post(f"{USERS}add/", {**typed, "groups": group_named("Comptabilité")})
    assert refused.status_code == 200
    assert "errorlist" in refused.content.decode()
    assert not Account.objects.filter(login="neuf@aquila.example").exists()

    giver.groups.add(Group.objects.get(name="Comptabilité"))
    client.post(f"{USERS}add/", {**typed, "groups": group_named("Comptabilité")})
    assert Account.objects.get(login="neuf@aquila.example").groups.get().name == "Comptabilité"


@pytest.mark.parametrize("is_active", [True, False])
def test_the_account_of_one_who_has_more_rights_is_not_taken_over(client: Client, is_active: bool) -> None:
    accountant = member("Comptabilité")
    Account.objects.filter(pk=accountant.pk).update(is_active=is_active)
    client.force_login(member("Paramétrage"), backend=BACKEND)
    before = Account.objects.get(pk=accountant.pk).password

    page = words(client.get(f"{USERS}{accountant.pk}/change/"))
    renewed = client.post(f"{USERS}{accountant.pk}/reinitialiser/", {"confirmed_count": "1"})
    client.post(
        f"{USERS}{accountant.pk}/change/",
        {"login": "moi@ailleurs.example", "name": "Anne", "is_active": "on", "groups": group_named("Paramétrage")},
    )

    accountant.refresh_from_db()
    assert "Cet utilisateur a des droits que vous n’avez pas" in page
    assert "Réinitialiser le mot de passe" not in page
    assert renewed.status_code == 403
    assert "des droits que vous n’avez pas" in words(renewed)
    assert (accountant.login, accountant.password) == ("comptabilité@aquila.example", before)
    assert [group.name for group in accountant.groups.all()] == ["Comptabilité"]


def test_one_who_has_more_rights_can_be_deactivated(client: Client) -> None:
    accountant = member("Comptabilité")
    client.force_login(member("Paramétrage"), backend=BACKEND)

    client.post(f"{USERS}{accountant.pk}/change/", {"name": "Anne"})

    accountant.refresh_from_db()
    assert not accountant.is_active


def test_a_superuser_gives_any_group_and_changes_what_a_group_may_do(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    accountant = member("Comptabilité")

    client.post(
        f"{USERS}{accountant.pk}/change/",
        {"login": accountant.login, "name": "Anne", "is_active": "on", "groups": group_named("Lecture")},
    )
    client.post(f"/gestion/auth/group/{group_named('Lecture')}/change/", {"name": "Consultation"})

    assert accountant.groups.get().name == "Consultation"
    assert client.get(f"{USERS}{accountant.pk}/change/").status_code == 200


def test_reading_shows_no_button_that_changes_something(client: Client) -> None:
    customer = make_customer()
    make_account(customer)
    client.force_login(member("Lecture"), backend=BACKEND)

    page = client.get(f"/gestion/customers/customer/{customer.pk}/change/").content.decode()

    assert "Réinitialiser" not in page
    assert "Créer les identifiants" not in page
    assert 'name="_save"' not in page


def test_frozen_things_cannot_be_deleted(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    invoice = make_published_invoice()

    client.post(f"/gestion/customers/customer/{invoice.customer.pk}/delete/", {"post": "yes"})
    client.post(f"/gestion/invoices/company/{invoice.company.pk}/delete/", {"post": "yes"})
    client.post(f"/gestion/invoices/invoice/{invoice.pk}/delete/", {"post": "yes"})

    assert Invoice.objects.get().customer == invoice.customer
    assert Company.objects.get() == invoice.company


# ─── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_action_page_is_for_those_who_may_see_it(client: Client) -> None:
    staff = make_staff()
    bulk_action = create_bulk_action(kind=BulkAction.Kind.SEND, targets=[1, 2], author=staff)
    client.force_login(member("Paramétrage"), backend=BACKEND)

    assert client.get(f"/gestion/customers/bulkaction/{bulk_action.pk}/change/").status_code == 403


def test_who_starts_an_action_may_read_its_report_and_no_other(client: Client) -> None:
    starter = Account.objects.create_user("agent@aquila.example", PASSWORD, is_staff=True)
    starter.user_permissions.set(Permission.objects.filter(codename__in=["view_customer", "change_customer"]))
    client.force_login(starter, backend=BACKEND)
    other = create_bulk_action(kind=BulkAction.Kind.SEND, targets=[1], author=make_staff())
    chosen = {"action": "dematerialise", "_selected_action": str(make_customer(invoice_copies="1").pk)}

    report = client.post("/gestion/customers/customer/", {**chosen, "confirmed_count": "1"}, follow=True)

    assert report.status_code == 200
    assert "1 client modifié" in words(report)
    assert client.get(f"/gestion/customers/bulkaction/{other.pk}/change/").status_code == 403
    assert client.get("/gestion/customers/bulkaction/").status_code == 403


def test_every_page_of_ours_has_rights_that_can_be_given() -> None:
    ours = {model._meta.app_label for model in admin.site._registry if _is_ours(model)}

    assert ours <= set(OURS)
    assert "quarantine" in ours


def _is_ours(model: type[Model]) -> bool:
    return model.__module__.partition(".")[0] in {"customers", "invoices", "mailing", "portal"}


def test_the_rights_of_a_group_are_boxes_in_french_and_it_keeps_those_that_it_has(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    group = Group.objects.get(name="Lecture")
    kept = Permission.objects.get(content_type__app_label="axes", codename="view_accesslog")
    group.permissions.add(kept)
    held = set(group.permissions.all())
    page = client.get(f"/gestion/auth/group/{group.pk}/change/")
    said = words(page)
    for right in ("Client : voir", "Client : modifier", "Peut exporter les factures"):
        assert right in said
    assert "Can " not in said.replace("Can view access log", "")

    client.post(
        f"/gestion/auth/group/{group.pk}/change/",
        {"name": "Lecture", "permissions": [right.pk for right in held]},
    )

    assert set(group.permissions.all()) == held
