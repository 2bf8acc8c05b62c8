"""Every page, mail and refusal in a language made for the test: what is not in its brackets was not translated."""

import html as html_module
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.template.loader import render_to_string
from django.test import Client, override_settings
from django.utils.translation import override

from customers.links import Purpose
from customers.models import Account
from customers.services import choose_password, send_credentials, send_link
from invoices.en16931.countries import country_name
from invoices.en16931.model import InvoiceContent
from invoices.en16931.vat import printed_reason
from invoices.exporting.run.mails import ExportedInvoice, draft_customer_mail, draft_invoice_mail
from invoices.models import Company, Export, Invoice, LifecycleStatus
from invoices.platforms.lifecycle import record_status
from invoices.printing import PrintStyle, wording
from invoices.printing.markup import to_html
from invoices.printing.page import compose
from mailing.composition import load_template
from mailing.outbox import messages_to
from portal import catalogues
from tests.support.factories import make_account, make_company, make_customer, make_published_invoice
from tests.support.invoice_examples import EXAMPLES

pytestmark = pytest.mark.django_db

PSEUDO = "it"  # a language that CLDR knows, and that has no catalogue
ACCOUNT_PAGES = ("/factures/", "/factures/?q=xyz", "/factures/?annee=1999", "/compte/", "/compte/mot-de-passe/")
MORE_PAGES = (
    "/compte/mails/",
    "/compte/second-facteur/",
    "/connexion/confirmer/",
    "/factures/00000000-0000-0000-0000-000000000000/",
)
PUBLIC_PAGES = ("/connexion/", "/connexion/oubli/", "/connexion/lien/", "/connexion/lien/stale/", "/verification/")
LEGAL_PAGES = ("/mentions-legales/", "/accessibilite/", "/donnees-personnelles/", "/reprendre/", "/nowhere/")
READ_OUT = re.compile(
    r'\s(?:aria-label|placeholder|alt|title|data-(?:copied|one|many|ticks|show|hide)[a-z-]*)="([^"]*)"'
)
INNERMOST = re.compile("‹[^‹›]*›")
CUT_SHORT = re.compile("‹[^‹›\\n]*…$", re.MULTILINE)  # a subject of more than 80 characters
# Dates as CLDR writes them, keys of a second factor, addresses, labels that nothing fills, fingerprints.
NO_WORDS = re.compile(
    r"\b\d{1,2} [a-z]{3} \d{4}\b|\b[A-Z2-7]{4}(?:\s[A-Z2-7]{4})+\b|\S+@\S+|https?://\S+|#[A-Z_]+|\b[0-9a-f]{4,}\b"
)
WORD = re.compile(r"[A-Za-zÀ-ÿ’]{2,}")
# Names of things, the months and rules of Django's own catalogue, and the data of this test.
NAMES = {
    "IBAN",
    "BIC",
    "SEPA",
    "PDF",
    "ZIP",
    "CSV",
    "XML",
    "SIREN",
    "SHA",
    "Factur",
    "QR",
    "EUR",
    "ICS",
    "GTIN",
    "EN",
    "English",
}
NAMES |= {"français", "Deutsch", "español", "italiano", "giu", "Giugno", "giugno", "lug", "luglio", "Luglio"}


def bracketed(message: str) -> str:
    """``message`` in brackets: around each plural form, after the code of a status."""
    if re.fullmatch(r"[\w ]+,\w[\w ]*", message):
        return ",".join(f"‹{form}›" for form in message.split(","))
    code, space, words = message.partition(" ")
    return f"{code} ‹{words}›" if space and code.isdigit() and len(code) == 3 else f"‹{message}›"


@pytest.fixture(scope="module")
def pseudo_language(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One catalogue and one line of settings, read once by all tests."""
    catalogue = Catalog(locale=PSEUDO)
    for message in catalogues.messages():
        catalogue.add(message, bracketed(message))
    folder = tmp_path_factory.mktemp("locale")
    file = folder / PSEUDO / "LC_MESSAGES" / "django.mo"
    file.parent.mkdir(parents=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    file.write_bytes(compiled.getvalue())
    languages, places = [*settings.LANGUAGES, (PSEUDO, "italiano")], [folder, *settings.LOCALE_PATHS]
    with override_settings(LANGUAGES=languages, LOCALE_PATHS=places):
        yield


@pytest.fixture
def company(pseudo_language: None) -> Company:
    """A company that speaks the pseudo-language."""
    company = make_company(is_default=True, hosting="OVH", publication_director="KLM", website="https://a.example")
    company.languages = [PSEUDO, "en"]
    company.save()
    return company


@pytest.fixture
def account(company: Company) -> Account:
    """An account of two customers, one abroad, whose data are no words."""
    customers = [make_customer(code=code, name="NN", address="1", city="NN", country=land) for code, land in PLACES]
    return make_account(*customers, login="nn@nn.example", language=PSEUDO)


PLACES = (("C1", "FR"), ("C2", "CH"))


def bare_words(html: str, *data: str) -> set[str]:
    """The words of ``html`` that a reader meets outside of brackets, but names and ``data``."""
    text = re.sub(r"(?s)<(style|script)\b.*?</\1>", " ", html)
    text = re.sub(r"(?s)<!--.*?-->", " ", text)
    texts = [*READ_OUT.findall(text), html_module.unescape(re.sub(r"(?s)<[^>]*>", " ", text))]
    found: set[str] = set()
    for each in texts:
        while (shorter := INNERMOST.sub(" ", each)) != each:
            each = shorter
        each = NO_WORDS.sub(" ", CUT_SHORT.sub(" ", each))
        for given in sorted(data, key=len, reverse=True):
            each = each.replace(given, " ")
        found |= set(WORD.findall(each))
    return found - NAMES


def data_of(company: Company) -> tuple[str, ...]:
    """What this test's pages show that is no text of ours."""
    with override(PSEUDO):
        django = password_validators_help_texts()
    return (
        *django,
        *(
            company.name,
            company.address,
            company.city,
            company.legal_form,
            company.trade_register,
            company.share_capital,
        ),
        *("Prestation de service", "NN", "C1", "C2", "KLM", "OVH", company.vat_identifier, company.bic, company.iban),
        *("Svizzera", "nn@nn.example", "RCS"),
    )


def signed_in(account: Account) -> Client:
    client = Client()
    client.force_login(account, backend="customers.authentication.AccountBackend")
    return client


def invoice_of(account: Account, **fields: Any) -> Invoice:
    customer = account.customers.order_by("code").last()
    return make_published_invoice(customer=customer, company=make_company(), number=fields.pop("number", "1"), **fields)


@pytest.mark.parametrize("address", [*ACCOUNT_PAGES, *MORE_PAGES])
def test_a_page_of_the_account_has_no_bare_french(account: Account, company: Company, address: str) -> None:
    invoice = invoice_of(account, purchase_order_reference="R1")
    invoice_of(account, number="2", kind=Invoice.Kind.CREDIT_NOTE, corrects=invoice)
    send_link(login=account.login, purpose=Purpose.SIGN_IN)
    page = signed_in(account).get(address).content.decode()
    assert "‹" in page
    assert bare_words(page, *data_of(company)) == set()


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_ticked_before_the_sign_in_is_offered_without_bare_french(
    client: Client, account: Account, company: Company, count: int
) -> None:
    client.post("/factures/archive.zip", {"facture": ["1"] * count})
    client.force_login(account, backend="customers.authentication.AccountBackend")
    page = client.get("/reprendre/").content.decode()
    assert "‹" in page
    assert bare_words(page, *data_of(company)) == set()


@pytest.mark.parametrize("address", [*PUBLIC_PAGES, *LEGAL_PAGES])
def test_a_public_page_has_no_bare_french(client: Client, company: Company, address: str) -> None:
    page = client.get(address, headers={"Accept-Language": PSEUDO}, follow=True).content.decode()
    assert "‹" in page
    assert bare_words(page, *data_of(company)) == set()


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("/connexion/", {"username": "nobody", "password": "wrong"}),
        ("/connexion/oubli/", {"login": "nobody"}),
        ("/verification/", {}),
        ("/verification/", {"number": "1", "fingerprint": "zz"}),
        ("/verification/", {"number": "1", "fingerprint": "0" * 16}),
    ],
)
def test_an_answer_to_a_visitor_has_no_bare_french(
    client: Client, company: Company, address: str, sent: dict[str, str]
) -> None:
    page = client.post(address, sent, headers={"Accept-Language": PSEUDO}).content.decode()
    assert "‹" in page
    assert bare_words(page, "nobody", *data_of(company)) == set()


@pytest.mark.parametrize("is_credit_note", [False, True])
def test_the_page_of_an_invoice_has_no_bare_french(account: Account, company: Company, is_credit_note: bool) -> None:
    corrected = invoice_of(account, number="7")
    more = {"kind": Invoice.Kind.CREDIT_NOTE, "corrects": corrected} if is_credit_note else {}
    invoice = invoice_of(account, purchase_order_reference="R1", **more)
    line = invoice.lines.get()
    line.unit, line.quantity = "SET", 3
    line.save()
    record_status(invoice=invoice, code=LifecycleStatus.Code.SUBMITTED)
    page = signed_in(account).get(f"/factures/{invoice.pk}/").content.decode()
    assert bare_words(page, *data_of(company), *legal_mentions(company)) == set()


def legal_mentions(company: Company) -> tuple[str, ...]:
    """What the law has the company say, in French whoever reads it."""
    capital = f"au capital de {company.share_capital}"
    return (company.late_penalty, company.recovery_fee, company.discount_terms, capital, "FR")


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_a_printed_invoice_has_no_bare_french_but_its_own(company: Company, name: str) -> None:
    content, style = EXAMPLES[name].content, PrintStyle(late_penalty=company.late_penalty, iban=company.iban)
    with override(PSEUDO):
        html = to_html(compose(content, style), style, seller="NN")
    reasons = [printed_reason(category) for category in wording.CATEGORIES | {"Z": ""}]
    own = WORD.findall(f"{content} {style} {reasons}".replace("\\n", " "))
    country_names = WORD.findall(" ".join(country_name(code, PSEUDO) for code in countries_of(content)))
    assert bare_words(html, "NN") - {*own, *country_names} == set()


def countries_of(content: InvoiceContent) -> set[str]:
    """The countries that the page of ``content`` may name."""
    return set(re.findall(r"country='([A-Z]{2})'", str(content)))


@pytest.mark.parametrize("path", sorted((catalogues.ROOT / "static/space").glob("*.js")), ids=lambda path: path.name)
def test_a_script_says_nothing_by_itself(path: Path) -> None:
    texts = re.findall(r'"([^"\n]*)"|`([^`]*)`', re.sub(r"(?m)//.*$", "", path.read_text()))
    assert [text for pair in texts for text in pair if re.match(r"[A-ZÀ-Ý][a-zà-ÿ]", text)] == []


@pytest.mark.parametrize("template", ["400", "403", "403_csrf", "404", "413", "429", "500"])
def test_a_refusal_has_no_bare_french(company: Company, template: str) -> None:
    with override(PSEUDO):
        page = render_to_string(f"{template}.html", {"company": company, "minutes": 5})
    assert bare_words(page, *data_of(company)) == set()


def test_the_mails_of_an_account_have_no_bare_french(account: Account, company: Company) -> None:
    send_credentials(accounts=[account])
    send_link(login=account.login, purpose=Purpose.SIGN_IN)
    send_link(login=account.login, purpose=Purpose.PASSWORD)
    choose_password(account=account, password="tortue-verte-77-lampe")
    mails = messages_to([account.login])
    assert len(mails) == 4
    for mail in mails:
        assert bare_words(f"{mail.subject}\n{mail.text}", *data_of(company)) == set()


@pytest.mark.parametrize("count", [1, 2, 12])
def test_the_mail_of_invoices_has_no_bare_french(account: Account, company: Company, count: int) -> None:
    kinds = [Invoice.Kind.INVOICE, Invoice.Kind.CREDIT_NOTE]
    invoices = [invoice_of(account, number=f"{n}", kind=kinds[n % 2], due_date=None) for n in range(count)]
    exported = [ExportedInvoice(each, each.document) for each in invoices if each.document]
    told: dict[str, Any] = {"account": account, "attach_pdf": False, "export": Export()}
    if count == 1:
        draft = draft_invoice_mail(exported=exported[0], template=load_template("invoice"), **told)
    else:
        draft = draft_customer_mail(
            exported=exported, first_line=1, template=load_template("invoices"), size_limit=0, **told
        )
    assert bare_words(f"{draft.subject}\n{draft.text}", *data_of(company)) == set()
    assert bare_words(draft.html, *data_of(company)) == set()
