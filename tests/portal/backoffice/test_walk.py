"""Every address of the back-office that is not Django's own × a POST by one who may see everything and change nothing.

A new address without a row in the table fails: who adds one says here what it is called with.
"""

import html
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from customers.models import Account, BulkAction
from customers.services import send_credentials
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export
from invoices.models import ImportBatch, SavedSelection
from mailing.failed_addresses import mark_address_failed
from mailing.models import Message, MessageTemplate
from portal.sessions import OPENED
from tests.support.back_office import all_rows
from tests.support.factories import make_account, make_customer, make_invoice, make_published_invoice, make_staff

pytestmark = pytest.mark.django_db

Scene = dict[str, Any]
# What Django's admin names by itself; its own views ask for their permissions.
# Workbooks of the lists ask for those of their list (test_workbooks.py).
OF_DJANGO = re.compile(
    r".*_(changelist|add|change|delete|history)|index|login|logout|password_change(_done)?|autocomplete|jsi18n"
    r"|view_on_site|app_list|(?!trail|failed_addresses|export_web|platform_|invoices_importbatch_refusals).*_xlsx"
)


@pytest.fixture(scope="module")
def scene(shared_rows: Path) -> Scene:
    """Something of each kind."""
    paper = make_customer(invoice_copies="1")
    account = make_account(make_customer())
    make_invoice(customer=paper)
    make_invoice()
    published = make_published_invoice()
    send_credentials(accounts=[account])
    mark_address_failed("faux@client.example", "550", None, timezone.now())
    export = create_export(criteria=Criteria(scope=Scope.ALL))
    return {
        "paper": paper,
        "account": account,
        "customer": account.customers.get(),
        "published": published,
        "export": export,
        "fixable": export.items.get(invoice__customer=paper),
        "line": export.items.ready().get(),
        "selection": SavedSelection.objects.create(name="Mensuel", criteria={}),
        "message": Message.objects.get(),
        "template": MessageTemplate.objects.get(key="invoice"),
        "batch": ImportBatch.objects.create(state="checked"),
        "user": make_staff("patron@aquila.example"),
        "bulk_action": BulkAction.objects.create(kind="deactivate", state="done", previous=[[account.pk, True]]),
    }


def _number(scene: Scene) -> list[Any]:
    return [scene["export"].number]


def _line(scene: Scene) -> list[Any]:
    return [scene["export"].number, scene["line"].pk]


def _card(scene: Scene) -> list[Any]:
    return [scene["customer"].pk, scene["account"].pk]


def _nothing(_scene: Scene) -> list[Any]:
    return []


REFUSED, READ_ONLY, ALLOWED = 403, 405, 200
# name → what its address needs, and what a POST by such a reader gets.
WALK: dict[str, tuple[Callable[[Scene], list[Any]], int]] = {
    "view_as_customer": (_card, REFUSED),
    "end_visit": (_nothing, 302),  # ends one's own visit; there is none
    "export_web": (_nothing, REFUSED),
    "export_web_count": (_nothing, READ_ONLY),
    "export_web_script": (_nothing, READ_ONLY),
    "export_web_delete_selection": (lambda scene: [scene["selection"].pk], REFUSED),
    "export_web_schedules": (_nothing, READ_ONLY),
    "export_web_schedule": (lambda scene: [scene["selection"].pk], REFUSED),
    "export_web_schedule_pause": (lambda scene: [scene["selection"].pk], REFUSED),
    "export_web_schedule_remove": (lambda scene: [scene["selection"].pk], REFUSED),
    "export_web_exports": (_nothing, READ_ONLY),
    "export_web_list": (_number, REFUSED),
    "export_web_list_xlsx": (_number, READ_ONLY),
    "export_web_statuses": (_nothing, REFUSED),
    "export_web_sums": (_number, READ_ONLY),
    "export_web_tick": (_number, REFUSED),
    "export_web_tick_all": (_number, REFUSED),
    "export_web_preview": (_line, READ_ONLY),
    "export_web_preview_pdf": (_line, READ_ONLY),
    "export_web_preview_mail": (lambda scene: [*_line(scene), 0], READ_ONLY),
    "export_web_trial": (_number, REFUSED),
    "export_web_correct_all": (_number, REFUSED),
    "export_web_undo": (lambda scene: [scene["export"].number, uuid4()], REFUSED),
    "export_web_addresses": (_number, REFUSED),
    "export_web_start": (_number, REFUSED),
    "export_web_pause": (_number, REFUSED),
    "export_web_cancel": (_number, REFUSED),
    "export_web_progress": (_number, READ_ONLY),
    "export_web_retry": (_number, REFUSED),
    "export_web_bordereau": (_number, READ_ONLY),
    "export_web_bordereau_csv": (_number, READ_ONLY),
    "export_web_bordereau_xlsx": (_number, READ_ONLY),
    "export_web_bordereau_pdf": (_number, READ_ONLY),
    "export_web_pdfs": (_number, READ_ONLY),
    "export_web_hand_over": (_number, REFUSED),
    "export_web_hand_over_all": (_nothing, REFUSED),
    "platform_follow_up": (_nothing, READ_ONLY),
    "platform_follow_up_xlsx": (_nothing, READ_ONLY),
    "platform_submit": (_nothing, REFUSED),
    "platform_fetch": (_nothing, REFUSED),
    "platform_send_again": (lambda _scene: [1], REFUSED),
    "platform_payments": (_nothing, REFUSED),
    "platform_payments_xlsx": (_nothing, READ_ONLY),
    "directory": (_nothing, READ_ONLY),
    "directory_refresh": (_nothing, REFUSED),
    "directory_file": (_nothing, REFUSED),
    "directory_siren": (_nothing, READ_ONLY),
    "directory_keep": (lambda scene: [scene["customer"].pk], REFUSED),
    "invoice_payment": (lambda scene: [scene["published"].pk], REFUSED),
    "first_steps": (_nothing, REFUSED),
    "first_steps_mails": (_nothing, REFUSED),
    "first_step": (lambda _scene: ["identite"], REFUSED),
    "first_step_skip": (lambda _scene: ["identite"], REFUSED),
    "deliverability": (_nothing, READ_ONLY),
    "deliverability_trial": (_nothing, REFUSED),
    "mailing_messagetemplate_shipped": (lambda scene: [scene["template"].pk], REFUSED),
    "mailing_reply_answer": (lambda _scene: [1], REFUSED),
    "mailing_reply_hand_over": (lambda _scene: [1], REFUSED),
    "mailing_reply_done": (lambda _scene: [1], REFUSED),
    "mailing_reply_reopen": (lambda _scene: [1], REFUSED),
    "invoice_status": (lambda scene: [scene["published"].pk], REFUSED),
    "invoice_new_version": (lambda scene: [scene["published"].pk], REFUSED),
    "message_preview": (lambda scene: [scene["template"].pk], ALLOWED),  # shows what was typed, keeps nothing
    "message_test": (lambda scene: [scene["template"].pk], REFUSED),
    "failed_addresses": (_nothing, READ_ONLY),
    "failed_addresses_csv": (_nothing, READ_ONLY),
    "failed_addresses_xlsx": (_nothing, READ_ONLY),
    "failed_addresses_correct": (_nothing, REFUSED),
    "failed_addresses_forget": (_nothing, REFUSED),
    "invoices_company_preview": (lambda scene: [scene["published"].company_id], REFUSED),
    "invoices_company_preview_new": (_nothing, REFUSED),
    "invoices_importbatch_confirm": (lambda scene: [scene["batch"].pk], REFUSED),
    "invoices_importbatch_replace": (lambda scene: [scene["batch"].pk], REFUSED),
    "invoices_importbatch_abandon": (lambda scene: [scene["batch"].pk], REFUSED),
    "invoices_importbatch_logins": (lambda scene: [scene["batch"].pk], REFUSED),
    "invoices_importbatch_login": (lambda scene: [scene["batch"].pk], REFUSED),
    "invoices_importbatch_columns": (lambda scene: [scene["batch"].pk, 0], REFUSED),
    "invoices_importbatch_printed": (lambda scene: [scene["batch"].pk, 0, 0], REFUSED),
    "invoices_importbatch_refusals": (lambda scene: [scene["batch"].pk], READ_ONLY),
    "invoices_importbatch_refusals_xlsx": (lambda scene: [scene["batch"].pk], READ_ONLY),
    "invoices_invoice_document": (lambda scene: [scene["published"].pk, scene["published"].document.pk], READ_ONLY),
    "invoices_invoice_resend": (lambda scene: [scene["published"].pk], REFUSED),
    "invoices_invoice_audit_trail": (lambda scene: [scene["published"].pk], READ_ONLY),
    "invoices_invoice_dossier": (lambda scene: [scene["published"].pk], REFUSED),
    "invoices_invoice_xml": (lambda scene: [scene["published"].pk], READ_ONLY),
    "mailing_messagetemplate_restore": (lambda scene: [scene["template"].pk, 1], REFUSED),
    "customers_customer_create_account": (lambda scene: [scene["customer"].pk], REFUSED),
    "customers_customer_send_account": (_card, REFUSED),
    "customers_customer_renew_account": (_card, REFUSED),
    "customers_customer_reveal_account": (_card, REFUSED),
    "customers_customer_account_state": (_card, REFUSED),
    "customers_bulkaction_undo": (lambda scene: [scene["bulk_action"].pk], REFUSED),
    "customers_staffaccount_renew": (lambda scene: [scene["user"].pk], REFUSED),
    "customers_staffaccount_unlock": (lambda scene: [scene["user"].pk], REFUSED),
    "trail_entry_xlsx": (_nothing, READ_ONLY),
    "mailing_message_pause": (_nothing, REFUSED),
    "mailing_message_resume": (_nothing, REFUSED),
    "mailing_message_mail": (lambda scene: [scene["message"].pk], READ_ONLY),
    "mailing_message_retry": (lambda scene: [scene["message"].pk], REFUSED),
    "mailing_message_give_up": (lambda scene: [scene["message"].pk], REFUSED),
}


def _own_names(patterns: Any) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _own_names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name and not OF_DJANGO.fullmatch(pattern.name):
            yield pattern.name


def _sent(name: str, scene: Scene) -> dict[str, Any]:
    """What the form of the page would send, as far as it matters."""
    return {
        "action": "create",
        "confirmed_count": "1",
        "cocher": "non",
        "item": scene["fixable"].pk,
        "fix": "dematerialise",
        "shown": [scene["line"].pk],
        "subject": "a",
        "body": "b",
        "address": "faux@client.example",
        "new": "juste@client.example",
        "reason": "essai",
    }


def test_every_address_of_our_own_is_in_the_table() -> None:
    assert sorted(_own_names(admin.site.get_urls())) == sorted(WALK)


@pytest.mark.parametrize("name", WALK)
def test_who_may_only_see_is_refused_with_a_sentence_and_nothing_changes(
    client: Client, scene: Scene, name: str
) -> None:
    reader = Account.objects.create_user("lecture@aquila.example", uuid4().hex, is_staff=True)
    reader.groups.add(Group.objects.get(name="Lecture"))
    client.force_login(reader, backend="customers.authentication.AccountBackend")
    before = all_rows()
    arguments, expected = WALK[name]

    answer = client.post(reverse(f"admin:{name}", args=arguments(scene)), _sent(name, scene))

    assert answer.status_code == expected
    assert all_rows() == before
    if expected == REFUSED:
        page = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())))
        assert "Accès refusé" in page
        assert re.search("Vous n’avez pas le droit|des droits que vous n’avez pas", page)


@pytest.mark.parametrize("name", WALK)
def test_a_member_of_staff_without_rights_gets_nothing_anywhere(client: Client, scene: Scene, name: str) -> None:
    nobody = Account.objects.create_user("rien@aquila.example", uuid4().hex, is_staff=True)
    client.force_login(nobody, backend="customers.authentication.AccountBackend")
    arguments, _expected = WALK[name]
    url = reverse(f"admin:{name}", args=arguments(scene))
    before = all_rows()

    answers = [client.get(url), client.post(url, _sent(name, scene))]

    # An action that is no page answers 405 to who only looks at its address.
    expected = {302, 405} if name == "end_visit" else {403, 405}
    assert {answer.status_code for answer in answers} <= expected
    assert all_rows() == before


def sign_in_an_hour_ago(client: Client) -> None:
    """Staff whose proof of who they are is too old for a file of many rows."""
    client.force_login(make_staff("ancien@aquila.example"), backend="customers.authentication.AccountBackend")
    session = client.session
    session[OPENED] = (timezone.now() - timedelta(hours=1)).isoformat()
    session.save()


def test_a_file_of_many_rows_asks_once_more_who_is_there(client: Client, scene: Scene) -> None:
    sign_in_an_hour_ago(client)
    answers = {name: client.get(reverse(f"admin:{name}", args=needed(scene))) for name, (needed, _said) in WALK.items()}

    handed_out = {
        name for name, answer in answers.items() if "attachment" in answer.headers.get("Content-Disposition", "")
    }
    asked = {
        name for name, answer in answers.items() if answer.headers.get("Location", "").startswith(reverse("prove"))
    }

    assert handed_out == set()
    assert asked == {
        "directory_siren",
        "export_web_bordereau_csv",
        "export_web_bordereau_pdf",
        "export_web_bordereau_xlsx",
        "export_web_hand_over",
        "export_web_hand_over_all",
        "export_web_list_xlsx",
        "export_web_pdfs",
        "failed_addresses_csv",
        "failed_addresses_xlsx",
        "invoices_importbatch_refusals",
        "invoices_importbatch_refusals_xlsx",
        "invoices_invoice_dossier",
        "platform_follow_up_xlsx",
        "platform_payments_xlsx",
        "trail_entry_xlsx",
    }


def test_pdfs_that_are_ticked_are_downloaded_by_one_who_says_again_who_he_is(client: Client) -> None:
    invoice = make_published_invoice()
    sign_in_an_hour_ago(client)

    answer = client.post(
        reverse("admin:invoices_invoice_changelist"), {"action": "download_pdfs", "_selected_action": [invoice.pk]}
    )

    assert answer.headers["Location"].startswith(reverse("prove"))
