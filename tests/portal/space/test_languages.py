"""The language of a customer's pages and mails: who chooses it, where it is guessed, how amounts are written in it."""

import datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.utils.translation import override

from customers.languages import language_of_country
from customers.links import Purpose
from customers.models import Account
from customers.searching import search_key
from customers.services import generate_credentials, send_credentials, send_link
from invoices.cldr import write_day, write_moment, write_month
from invoices.exporting.run.mails import ExportedInvoice, draft_invoice_mail
from invoices.models import Company, Export
from invoices.money import write_amount, write_rate
from mailing.composition import load_template, save_template, save_translation
from mailing.models import MessageTemplate
from mailing.outbox import messages_to
from portal.space.searching import Period, read_search
from tests.support.factories import make_account, make_company, make_customer, make_published_invoice, make_staff

MOMENT = datetime.datetime(2025, 6, 7, 14, 5, tzinfo=datetime.UTC)
BACKEND = "customers.authentication.AccountBackend"


@pytest.fixture
def company() -> Company:
    """A company that writes in three languages besides French."""
    company = make_company(is_default=True)
    company.languages = ["en", "de", "es"]
    company.save()
    return company


def signed_in(account: Account) -> Client:
    client = Client()
    client.force_login(account, backend=BACKEND)
    return client


@pytest.mark.parametrize(
    ("language", "amount", "rate", "day", "moment", "month"),
    [
        ("fr", "1\u202f234,50\u00a0€", "5,5\u00a0%", "07/06/2025", "07/06/2025 14:05", "Juin 2025"),
        ("en", "€1,234.50", "5.5%", "7 Jun 2025", "7 Jun 2025 14:05", "June 2025"),
        ("de", "1.234,50\u00a0€", "5,5\u00a0%", "07.06.2025", "07.06.2025 14:05", "Juni 2025"),
        ("es", "1.234,50\u00a0€", "5,5\u00a0%", "7 jun 2025", "7 jun 2025 14:05", "Junio de 2025"),
        ("it", "1.234,50\u00a0€", "5,5%", "7 giu 2025", "7 giu 2025 14:05", "Giugno 2025"),
    ],
)
def test_amounts_and_dates_are_written_as_the_language_writes_them(
    language: str, amount: str, rate: str, day: str, moment: str, month: str
) -> None:
    with override(language):
        assert write_amount(Decimal("1234.5")) == amount
        assert write_rate(Decimal("5.50")) == rate
        assert write_day(MOMENT.date()) == day
        assert write_moment(MOMENT) == moment
        assert write_month(MOMENT.date()) == month


@pytest.mark.parametrize(
    ("country", "language"),
    [
        *(("FR", "fr"), ("BE", "fr"), ("LU", "fr"), ("MC", "fr"), ("RE", "fr"), ("SN", "fr")),
        *(("DE", "de"), ("AT", "de"), ("CH", "de"), ("LI", "de")),
        *(("ES", "es"), ("MX", "es"), ("AR", "es")),
        *(("GB", "en"), ("US", "en"), ("IE", "en"), ("IT", "en"), ("JP", "en")),
        *(("", "fr"), ("XI", "en"), ("QQ", "en")),
    ],
)
def test_the_country_of_a_customer_suggests_a_language(country: str, language: str) -> None:
    assert language_of_country(country) == language


@pytest.mark.django_db
def test_a_new_account_begins_with_the_language_of_its_customers_country(company: Company) -> None:
    account = generate_credentials(customer=make_customer(country="AT"), address="at@at.example").account
    assert signed_in(account).get("/compte/mot-de-passe/").headers["Content-Language"] == "de"


@pytest.mark.django_db
def test_french_is_all_there_is_until_a_company_switches_a_language_on(client: Client) -> None:
    company = make_company(is_default=True)
    account = make_account(make_customer(country="DE"), language="de")
    page = signed_in(account).get("/compte/").content.decode()
    assert '<html lang="fr">' in page
    assert 'name="language"' not in page
    assert "Mot de passe" in client.get("/connexion/", headers={"Accept-Language": "de"}).content.decode()

    company.languages = ["de"]
    company.save()
    page = signed_in(account).get("/compte/").content.decode()
    assert '<html lang="de">' in page
    assert 'value="de" selected' in page
    assert 'value="es"' not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("nl,en-US;q=0.8", "en"),
        ("es-MX", "es"),
        ("fr-CA,en;q=0.9", "fr"),
        ("ja", "fr"),
        ("*", "fr"),
        ("", "fr"),
        ("en;q=0,de", "de"),
        (";;;,\u00e9=1", "fr"),
    ],
)
def test_before_the_login_the_browser_says_the_language(
    client: Client, company: Company, asked: str, given: str
) -> None:
    answer = client.get("/connexion/", headers={"Accept-Language": asked})
    assert answer.headers["Content-Language"] == given
    assert f'<html lang="{given}">' in answer.content.decode()
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.django_db
def test_the_customer_chooses_and_the_browser_has_no_say_any_more(company: Company) -> None:
    account = make_account(make_customer())
    client = signed_in(account)
    german = {"Accept-Language": "de"}
    assert client.get("/compte/", headers=german).headers["Content-Language"] == "fr"
    saved = client.post("/compte/", {"notify_by_mail": "on", "language": "es"}, headers=german, follow=True)
    assert "Sus preferencias" in saved.content.decode()
    assert "Vos préférences" not in saved.content.decode()
    page = client.get("/compte/", headers=german)
    assert page.headers["Content-Language"] == "es"
    assert "Mi cuenta" in page.content.decode()


@pytest.mark.django_db
def test_a_language_that_is_not_offered_cannot_be_chosen(company: Company) -> None:
    account = make_account(make_customer())
    signed_in(account).post("/compte/", {"notify_by_mail": "on", "language": "it"})
    account.refresh_from_db()
    assert account.language == "fr"


@pytest.mark.django_db
def test_the_back_office_is_french_whatever_the_browser_and_the_account_say(company: Company) -> None:
    staff = make_staff(language="en")
    page = signed_in(staff).get("/gestion/", headers={"Accept-Language": "en"}, follow=True)
    assert '<html lang="fr"' in page.content.decode()


@pytest.mark.django_db
def test_refusals_and_lists_speak_the_language_of_the_account(company: Company) -> None:
    customer = make_customer()
    make_published_invoice(customer=customer, company=company)
    client = signed_in(make_account(customer, language="de"))
    assert "Seite nicht gefunden" in client.get("/factures/00000000-0000-0000-0000-000000000000/").content.decode()
    listed = b"".join(client.get("/factures/liste.csv?annee=2025")).decode()
    assert "Fälligkeit" in listed.splitlines()[0]
    assert "Rechnung" in listed.splitlines()[1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "subject", "amount", "button"),
    [
        ("fr", "Votre facture", "120,00\u00a0€", "Ouvrir ma facture"),
        ("en", "Your invoice", "€120.00", "Open my invoice"),
        ("de", "Ihre Rechnung", "120,00\u00a0€", "Meine Rechnung öffnen"),
        ("es", "Su factura", "120,00\u00a0€", "Abrir mi factura"),
        ("it", "Votre facture", "120,00\u00a0€", "Ouvrir ma facture"),
    ],
)
def test_the_mail_of_an_invoice_is_in_the_language_of_its_reader_not_of_who_exports(
    company: Company, language: str, subject: str, amount: str, button: str
) -> None:
    invoice = make_published_invoice(company=company)
    assert invoice.document is not None
    account = make_account(invoice.customer, language=language)
    with override("es"):
        draft = draft_invoice_mail(
            export=Export(),
            exported=ExportedInvoice(invoice, invoice.document),
            account=account,
            template=load_template("invoice"),
            attach_pdf=False,
        )
    assert draft.subject.startswith(subject)
    assert amount in draft.text
    # French alone has a space before a colon.
    assert f"\n{button}{':' if language in ('en', 'de', 'es') else ' :'}\n" in draft.text
    assert button in draft.html
    assert f'<html lang="{"fr" if language == "it" else language}"' in draft.html


@pytest.mark.django_db
def test_a_message_that_staff_rewrote_stays_french_as_a_whole(company: Company) -> None:
    save_template(key="credentials", subject="Vos accès", body="#LOGIN_CONNEXION #PWD_CONNEXION", author="Compta")
    account = make_account(make_customer(), language="de")
    send_credentials(accounts=[account])
    [mail] = messages_to([account.login])
    assert mail.subject == "Vos accès"
    assert "Ouvrir mon espace" in mail.text


@pytest.mark.django_db
def test_the_mails_of_an_account_are_in_its_language(company: Company) -> None:
    account = make_account(make_customer(), language="en")
    send_link(login=account.login, purpose=Purpose.SIGN_IN)
    [mail] = messages_to([account.login])
    assert mail.subject == "Your sign-in link"
    assert "Hello " in mail.text


@pytest.mark.django_db
def test_a_rewritten_message_goes_out_in_the_languages_that_have_a_text(company: Company) -> None:
    save_template(key="credentials", subject="Vos accès", body="#LOGIN_CONNEXION #PWD_CONNEXION", author="Compta")
    save_translation(
        key="credentials", language="de", subject="Ihr Zugang", body="#LOGIN_CONNEXION #PWD_CONNEXION steht bereit"
    )
    accounts = {code: make_account(make_customer(), language=code) for code in ("de", "es")}
    send_credentials(accounts=accounts.values())
    subjects = {code: messages_to([account.login])[0].subject for code, account in accounts.items()}
    assert subjects == {"de": "Ihr Zugang", "es": "Vos accès"}

    save_translation(key="credentials", language="de", subject="", body="")
    send_credentials(accounts=[accounts["de"]])
    assert messages_to([accounts["de"].login])[0].subject == "Vos accès"


@pytest.mark.django_db
def test_the_editor_says_which_languages_are_missing_and_takes_their_texts(company: Company) -> None:
    company.languages = ["de"]
    company.save()
    staff = signed_in(make_staff())
    template = MessageTemplate.objects.get(key="invoice")
    url = f"/gestion/mailing/messagetemplate/{template.pk}/change/"
    missing = "manque : le mail part en français"
    assert missing not in staff.get(url).content.decode()  # the text as it was shipped is there in German

    sent = {"name": template.name, "subject": "À vous", "body": "Voici #REFFACTURE", "seen_version": template.version}
    staff.post(url, sent)
    assert missing in staff.get(url).content.decode()

    sent |= {"seen_version": template.version + 1, "subject_de": "Für Sie", "body_de": "Hier ist #REFACTURE"}
    assert "vouliez-vous dire #REFFACTURE" in staff.post(url, sent).content.decode()
    staff.post(url, sent | {"body_de": "Hier ist #REFFACTURE"})
    page = staff.get(url).content.decode()
    assert missing not in page
    assert "Hier ist #REFFACTURE" in page
    assert load_template("invoice").in_language("de").body == "Hier ist #REFFACTURE"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "juin 2025 1 234,50"),
        ("en", "June 2025 1,234.50"),
        ("de", "Juni 2025 1.234,50 €"),
        ("es", "junio de 2025 1.234,50"),
        ("it", "giugno 2025 1.234,50"),
    ],
)
def test_the_search_reads_the_months_and_amounts_of_the_language(language: str, text: str) -> None:
    with override(language):
        found = read_search(text)
    assert found.periods == (Period(datetime.date(2025, 6, 1), datetime.date(2025, 6, 30)),)
    assert found.amounts == (Decimal("1234.50"),)
    assert found.words == ()


@pytest.mark.parametrize(("language", "text"), [("de", "Gutschriften"), ("es", "abono"), ("en", "credit notes")])
def test_the_search_reads_credit_notes_in_the_language(language: str, text: str) -> None:
    with override(language):
        assert [search_key(word) in ("avoir", "avoirs") for word in read_search(text).words] == [True]
