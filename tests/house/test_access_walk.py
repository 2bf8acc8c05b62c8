"""Every address of the project × everybody who may come: login, 200 or «not found», and nothing in between.

A new address without a row in the table fails. The back-office has a walk of its own; here, only its door is tried.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from customers.links import Purpose, make_token
from customers.models import Account
from invoices.models import Consultation, Document, Invoice
from tests.browser.test_space import own_addresses, public_addresses
from tests.portal.space.test_pseudo_language import ACCOUNT_PAGES, LEGAL_PAGES, MORE_PAGES, PUBLIC_PAGES
from tests.support.factories import (
    freeze,
    make_account,
    make_customer,
    make_invoice,
    make_published_invoice,
    make_staff,
)

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
PDF = b"%PDF-1.7\n% secret of one customer only\n%%EOF\n"


@dataclass(frozen=True)
class Cast:
    """Customer A and B with an invoice each, of two versions and an XML; somebody closed; a member of staff."""

    a: Account
    b: Account
    closed: Account
    staff: Account
    of_a: Invoice
    of_b: Invoice
    waiting: Invoice  # A's own, not published


@dataclass(frozen=True)
class Row:
    """An address, for A's invoice and for B's, and what each comer gets."""

    address: Callable[[Cast, Invoice], str]
    nobody: int | str = "login"
    own: int | str = 200
    of_others: int | str = 404
    closed: int | str = "login"
    staff: int | str = 404
    method: str = "get"


def _plain(path: str) -> Callable[[Cast, Invoice], str]:
    return lambda _cast, _invoice: path


def _of_invoice(path: str) -> Callable[[Cast, Invoice], str]:
    return lambda _cast, invoice: f"/factures/{invoice.pk}/{path}"


def _of_customer(path: str) -> Callable[[Cast, Invoice], str]:
    return lambda _cast, invoice: f"/factures/{path}?client={invoice.customer.code}"


def _public(path: str) -> Row:
    return Row(_plain(path), nobody=200, of_others=200, closed=200, staff=200)


# By the name of the address; several rows where an address takes what names a customer or not.
WALK: dict[str, list[Row]] = {
    "home": [Row(_plain("/"), own="/factures/", of_others="/factures/", staff="/gestion/")],
    "appearance": [_public("/apparence.css")],
    "logo": [Row(_plain("/logo"), nobody=404, own=404, of_others=404, closed=404, staff=404)],  # none was given
    "other_company": [Row(_plain("/societe/"), own=404, method="post")],
    "login": [Row(_plain("/connexion/"), nobody=200, own="/", of_others="/", closed=200, staff="/")],
    "ask_password_link": [_public("/connexion/oubli/")],
    "ask_sign_in_link": [_public("/connexion/lien/")],
    "sign_in_by_link": [
        Row(_plain("/connexion/lien/AAAA/"), nobody=410, own=410, of_others=410, closed=410, staff=410),
        Row(
            lambda cast, _invoice: f"/connexion/lien/{make_token(cast.closed, Purpose.SIGN_IN)}/",
            nobody=410,
            own=410,
            of_others=410,
            closed=410,
            staff=410,
        ),
    ],
    "password_by_link": [
        Row(_plain("/connexion/nouveau-mot-de-passe/AAAA/"), nobody=410, own=410, of_others=410, closed=410, staff=410)
    ],
    "sign_on": [  # no issuer of identities is set
        Row(_plain("/connexion/fournisseur/"), nobody=404, own=404, closed=404),
    ],
    "sign_on_return": [Row(_plain("/connexion/fournisseur/retour/"), nobody=404, own=404, closed=404)],
    "second_factor": [Row(_plain("/connexion/second-facteur/"), own="/", of_others="/", staff="/")],
    "prove": [Row(_plain("/connexion/confirmer/"), of_others=200, staff=200)],
    "enrol_second_factor": [Row(_plain("/compte/second-facteur/"), of_others=200, staff=200)],
    "renew_recovery_codes": [
        Row(
            _plain("/compte/second-facteur/codes/"),
            own="/compte/second-facteur/",
            of_others="/compte/second-facteur/",
            staff="/compte/second-facteur/",
            method="post",
        )
    ],
    "remove_second_factor": [
        Row(
            _plain("/compte/second-facteur/retirer/"),
            own="/compte/",
            of_others="/compte/",
            staff="/compte/",
            method="post",
        )
    ],
    "logout": [
        Row(
            _plain("/deconnexion/"),
            nobody="/connexion/",
            own="/connexion/",
            of_others="/connexion/",
            closed="/connexion/",
            staff="/connexion/",
            method="post",
        )
    ],
    "resume": [Row(_plain("/reprendre/"), own="/", of_others="/", staff="/")],
    "invoices": [
        Row(_plain("/factures/"), of_others=200, staff=200),
        Row(_of_customer("")),
        Row(_plain("/factures/?q=18"), of_others=200, staff=200),
    ],
    "invoices_csv": [Row(_plain("/factures/liste.csv"), of_others=200, staff=200), Row(_of_customer("liste.csv"))],
    "invoices_archive": [
        Row(_plain("/factures/archive.zip?annee=2025"), of_others=200, staff=200),
        Row(_of_customer("archive.zip")),
    ],
    "invoice": [Row(_of_invoice(""))],
    "invoice_pdf": [Row(_of_invoice("pdf/")), Row(_of_invoice("pdf/?telecharger=1"))],
    "invoice_xml": [Row(_of_invoice("xml/"))],
    "invoice_version": [Row(_of_invoice("versions/1/pdf/")), Row(_of_invoice("versions/9/pdf/"), own=404)],
    "account": [Row(_plain("/compte/"), of_others=200, staff=200)],
    "choose_password": [Row(_plain("/compte/mot-de-passe/"), of_others=200, staff=200)],
    "mails": [Row(_plain("/compte/mails/"), of_others=200, staff=200)],
    "close_session": [Row(_plain("/compte/sessions/"), own=404, method="post")],
    "own_data": [Row(_plain("/compte/donnees.zip"), of_others=200, staff=200)],
    "verification": [_public("/verification/")],
    "legal_notice": [_public("/mentions-legales/")],
    "accessibility": [_public("/accessibilite/")],
    "privacy": [_public("/donnees-personnelles/")],
    # No worker runs beside the tests, which it says to everybody alike.
    # Platforms sign what they say; a key that is none's is unknown, whoever asks.
    "platform_callback": [
        Row(
            _plain("/plateformes/7c7d0d94-0000-4000-8000-000000000000/rappel/"),
            nobody=404,
            own=404,
            of_others=404,
            closed=404,
            staff=404,
            method="post",
        )
    ],
    "metrics": [
        Row(_plain("/sante/metriques/"), nobody=404, own=404, of_others=404, closed=404, staff=404)
    ],  # no token
    "health": [Row(_plain("/sante/"), nobody=503, own=503, of_others=503, closed=503, staff=503)],
}
ADMIN = "gestion/"
ROWS = {f"{name}-{place}": row for name, rows in WALK.items() for place, row in enumerate(rows)}


@pytest.fixture
def cast() -> Cast:
    a, b = make_account(make_customer()), make_account(make_customer())
    waiting = make_invoice(customer=a.customers.get())
    freeze(waiting, PDF)
    return Cast(
        a=a,
        b=b,
        closed=make_account(make_customer(), is_active=False),
        staff=make_staff(),
        of_a=_whole_invoice(a),
        of_b=_whole_invoice(b),
        waiting=waiting,
    )


def _whole_invoice(account: Account) -> Invoice:
    invoice = make_published_invoice(PDF, customer=account.customers.get())
    freeze(invoice, PDF + b"corrected")
    Document.objects.create(
        invoice=invoice,
        role=Document.Role.XML,
        storage_name=default_storage.save(f"tests/{uuid4().hex}.xml", ContentFile(b"<Invoice/>")),
        sha256="0" * 64,
        size=10,
    )
    return invoice


def _addresses(patterns: list[URLPattern | URLResolver]) -> Iterator[str | None]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern) != ADMIN:
                yield from _addresses(pattern.url_patterns)
        else:
            yield pattern.name


def _walk(client: Client, account: Account | None, row: Row, cast: Cast, invoice: Invoice) -> tuple[int | str, bytes]:
    """What ``account`` gets at the address of ``row``: a status, «login», or where it is led; and the whole body."""
    if account is not None:
        client.force_login(account, backend=BACKEND)
    address = row.address(cast, invoice)
    response = getattr(client, row.method)(address)
    body: bytes = response.getvalue() if response.streaming else response.content
    if response.status_code != 302:
        return response.status_code, body
    target = response["Location"]
    return ("login" if target.startswith("/connexion/?next=") else target), body


def test_every_address_has_its_row() -> None:
    assert set(_addresses(get_resolver().url_patterns)) == set(WALK)


def test_every_page_is_looked_at_in_a_browser_and_read_in_every_language(client: Client, cast: Cast) -> None:
    client.force_login(cast.a, backend=BACKEND)
    shown = set()
    for name, (row, *_others) in WALK.items():
        answer = getattr(client, row.method)(row.address(cast, cast.of_a))
        if answer.streaming:
            answer.getvalue()  # to its end, which closes its files
        elif answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            shown.add(name)
    looked_at = [*public_addresses(), *own_addresses(cast.of_a)]
    read = [*ACCOUNT_PAGES, *MORE_PAGES, *PUBLIC_PAGES, *LEGAL_PAGES]
    assert shown - _names(looked_at) == set(), "missing in tests/browser/test_space.py"
    assert shown - _names(read) == set(), "missing in tests/portal/space/test_pseudo_language.py"


def _names(addresses: list[str]) -> set[str]:
    """The names of the pages at these addresses; of none for an address that leads nowhere."""
    names = set()
    for address in addresses:
        with suppress(Resolver404):
            names.add(str(resolve(address.partition("?")[0]).url_name))
    return names


def _walk_all(account: Account | None, cast: Cast, invoice: Invoice) -> dict[str, tuple[int | str, bytes]]:
    """The whole table for one comer, each address with a session of its own."""
    return {name: _walk(Client(), account, row, cast, invoice) for name, row in ROWS.items()}


def _outcomes(walked: dict[str, tuple[int | str, bytes]]) -> dict[str, int | str]:
    return {name: outcome for name, (outcome, _body) in walked.items()}


def test_a_visitor_without_account(cast: Cast) -> None:
    assert _outcomes(_walk_all(None, cast, cast.of_a)) == {name: row.nobody for name, row in ROWS.items()}


def test_customer_a_on_its_own(cast: Cast) -> None:
    assert _outcomes(_walk_all(cast.a, cast, cast.of_a)) == {name: row.own for name, row in ROWS.items()}


def test_customer_a_on_customer_bs(cast: Cast) -> None:
    walked = _walk_all(cast.a, cast, cast.of_b)

    assert _outcomes(walked) == {name: row.of_others for name, row in ROWS.items()}
    secrets = (cast.of_b.number, str(cast.of_b.pk), cast.of_b.customer.name, cast.of_b.customer.email)
    assert [(name, secret) for name, (_, body) in walked.items() for secret in secrets if secret.encode() in body] == []
    assert not Consultation.objects.filter(invoice=cast.of_b).exists()


def test_a_closed_account(cast: Cast) -> None:
    assert _outcomes(_walk_all(cast.closed, cast, cast.of_a)) == {name: row.closed for name, row in ROWS.items()}


def test_staff_without_a_customer(cast: Cast) -> None:
    walked = _walk_all(cast.staff, cast, cast.of_a)

    assert _outcomes(walked) == {name: row.staff for name, row in ROWS.items()}
    assert [name for name, (_, body) in walked.items() if cast.of_a.number.encode() in body] == []
    assert not Consultation.objects.exists()


def test_a_strangers_a_wrong_and_a_waiting_invoice_get_the_same_answer(client: Client, cast: Cast) -> None:
    client.force_login(cast.a, backend=BACKEND)

    for name in ("invoice", "invoice_pdf", "invoice_xml", "invoice_version"):
        address = WALK[name][0].address
        answers = [client.get(address(cast, invoice)) for invoice in (cast.of_b, cast.waiting, Invoice(pk=uuid4()))]

        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert len({answer.content for answer in answers}) == 1
        assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1


def test_the_archive_of_a_selection_takes_nothing_of_others(client: Client, cast: Cast) -> None:
    client.force_login(cast.a, backend=BACKEND)

    for foreign in (cast.of_b.pk, cast.waiting.pk, uuid4(), "../../etc/passwd"):
        answer = client.post("/factures/archive.zip", {"facture": [str(cast.of_a.pk), str(foreign)]})
        assert answer.status_code == 404

    assert not Consultation.objects.exists()


def test_a_session_of_somebody_else_is_not_closed(client: Client, cast: Cast) -> None:
    from portal.sessions import open_sessions, public_number

    other = Client()
    other.force_login(cast.b, backend=BACKEND)
    number = public_number(open_sessions(cast.b)[0])
    client.force_login(cast.a, backend=BACKEND)

    assert client.post("/compte/sessions/", {"session": number}).status_code == 404
    assert other.get("/compte/").status_code == 200


def test_the_door_of_the_back_office_is_closed_to_customers(client: Client, cast: Cast) -> None:
    client.force_login(cast.a, backend=BACKEND)

    assert client.get("/gestion/").status_code == 302
