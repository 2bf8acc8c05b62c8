"""Pictures of every mail, as a mail client shows it, on a phone and on a screen, by day and by night."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from customers.links import Purpose
from customers.mails import draft_link_mail, draft_password_changed_mail
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Invoice
from mailing.models import Message
from mailing.outbox import write_messages
from tests.browser.conftest import PageFactory, scrolls_sideways
from tests.support.factories import make_account, make_company, make_customer, make_invoice


def write_every_mail(*, many: int = 45) -> dict[str, Message]:
    """Each mail that customers get, by the name of its picture; ``many`` invoices are in the longest."""
    make_company(name="Établissements Montgolfier et Compagnie, négociants en matériaux")
    accounts = []
    for name, count, kind in [
        ("facture", 1, Invoice.Kind.INVOICE),
        ("avoir", 1, Invoice.Kind.CREDIT_NOTE),
        ("plusieurs", many, Invoice.Kind.INVOICE),
    ]:
        customer = make_customer(name=f"Société{'interminable' * 4} ({name})", email=f"{name}@client.example")
        accounts.append(make_account(customer))
        for number in range(count):
            make_invoice(
                customer=customer,
                number=f"{name[:2].upper()}{'W' * 12}-{number:04}",
                kind=kind,
                total_without_vat="98765432.10",
                currency="EUR" if number % 2 else "USD",
            )
    make_invoice(customer=customer, number="AV-9", kind=Invoice.Kind.CREDIT_NOTE, total_with_vat=Decimal(60))
    newcomer = make_customer(name="Nouvelle Cliente", email="identifiants@client.example")
    make_invoice(customer=newcomer, number="F-2026-1")
    criteria = Criteria(
        scope=Scope.ALL, generate_credentials=True, notify=True, one_mail_per_customer=True, attach_pdf=True
    )
    run_lines(start_export(export=create_export(criteria=criteria, author_name="Claire")))
    found = {message.recipient.partition("@")[0]: message for message in Message.objects.all()}
    drafts = {
        f"lien-{purpose.value}": draft_link_mail(account=accounts[0], purpose=purpose, sending="1")
        for purpose in Purpose
    }
    drafts["mot-de-passe-change"] = draft_password_changed_mail(account=accounts[0], sending="1")
    for name, key in zip(drafts, write_messages(drafts.values()), strict=True):
        found[name] = Message.objects.get(pk=key)
    return found


@pytest.mark.screenshots
def test_every_mail_has_its_pictures_and_a_phone_shows_what_matters_at_once(
    open_page: PageFactory, predefined_messages: None
) -> None:
    folder = Path(os.environ.get("SCREENSHOTS", settings.BASE_DIR / "var" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    mails = write_every_mail()
    for scheme in ("light", "dark"):
        for width, height in ((320, 568), (360, 640), (600, 900)):
            page = open_page(width=width, height=height, scheme=scheme)
            for name, message in mails.items():
                page.set_content(message.html)
                page.screenshot(path=folder / f"mail-{name}-{width}-{scheme}.png", full_page=True)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                button = page.locator("a.button").bounding_box(timeout=2000)
                assert button, name
                assert button["y"] + button["height"] < height, name


@pytest.mark.parametrize("width", [320, 360, 390])
def test_no_mail_is_wider_than_a_phone_whatever_it_says(
    open_page: PageFactory, predefined_messages: None, width: int
) -> None:
    page = open_page(width=width)
    wide = []
    for name, message in write_every_mail(many=3).items():
        page.set_content(message.html)
        wide += [(name, page.evaluate("document.documentElement.scrollWidth"))] * scrolls_sideways(page)
        small = page.evaluate(
            "[...document.querySelectorAll('.button, .quiet a')].filter(e => e.getBoundingClientRect().height < 44)"
            ".map(e => e.innerText)"
        )
        assert small == [], name
    assert wide == []
