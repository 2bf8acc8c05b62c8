"""Paramétrage société: an invoice as the settings in the form would make it, before anything is saved."""

import base64
import html
import io
from typing import Any

import pypdfium2
import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from customers.models import Account
from invoices.models import Company, Document, Invoice
from tests.support.factories import PASSWORD, make_company, make_customer, make_invoice, make_staff

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
LOGOS = ("logo", "dark_logo")
GREEN, BLUE = (0, 120, 60), (0, 85, 255)


@pytest.fixture
def company() -> Company:
    return make_company(colour="#8a1c2b")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff(), backend=BACKEND)
    return client


def address(company: Company) -> str:
    return f"/gestion/invoices/company/{company.pk}/apercu/"


def typed(company: Company, **fields: Any) -> dict[str, Any]:
    """What the form of ``company`` sends: its values, with those that were typed over them."""
    names = [field.name for field in Company._meta.fields if field.name not in ("id", "is_default", "updated_at")]
    values = {name: getattr(company, name) for name in names if name not in LOGOS}
    # A box that is not ticked and a field that is empty are not sent.
    return {name: value for name, value in {**values, **fields}.items() if value not in (None, False, "")}


def read_text(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def picture_of(answer: Any, template: str = "classic") -> Image.Image:
    head, _, data = answer.json()["pictures"][template].partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def colours(picture: Image.Image) -> list[tuple[int, int, int]]:
    counted = picture.getcolors(picture.width * picture.height) or []
    return [colour for _count, colour in counted]  # type: ignore[misc]


def holds(picture: Image.Image, wanted: tuple[int, int, int]) -> bool:
    return any(all(abs(a - b) < 12 for a, b in zip(colour, wanted, strict=True)) for colour in colours(picture))


def test_the_pdf_shows_what_is_typed_and_nothing_is_saved(staff: Client, company: Company) -> None:
    invoice = make_invoice(company=company, customer=make_customer(name="Garage Petit"))
    before = Company.objects.values().get()

    answer = staff.post(
        address(company),
        typed(company, name="Aquila Neuve SAS", legal_notice="Médiateur : Jean Dupont\nGarantie : deux ans")
        | {"preview": "pdf"},
    )

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    text = read_text(answer.content)
    assert "Aquila Neuve SAS" in text
    assert f"N° {invoice.number}" in text
    assert "Garage Petit" in text
    assert "Aperçu" in text
    assert text.count("Médiateur : Jean Dupont") == 1
    assert text.count("Garantie : deux ans") == 1
    assert Company.objects.values().get() == before
    assert not Document.objects.exists()


def test_three_pictures_show_the_three_templates_in_the_typed_colour(staff: Client, company: Company) -> None:
    make_invoice(company=company)

    answer = staff.post(address(company), typed(company, colour="#00783c"))

    pictures = {name: picture_of(answer, name) for name in Company.PdfTemplate.values}
    assert len({picture.tobytes() for picture in pictures.values()}) == 3
    assert all(holds(picture, GREEN) for picture in pictures.values())
    assert all(picture.width == 1240 for picture in pictures.values())
    assert Company.objects.get().colour == "#8a1c2b"


def test_a_logo_that_was_only_chosen_is_on_the_picture_and_in_no_store(
    staff: Client, company: Company, settings: Any
) -> None:
    make_invoice(company=company)
    out = io.BytesIO()
    Image.new("RGB", (300, 100), BLUE).save(out, format="PNG")
    logo = SimpleUploadedFile("logo.png", out.getvalue(), "image/png")
    without = picture_of(staff.post(address(company), typed(company)))

    answer = staff.post(address(company), typed(company) | {"logo": logo})

    assert holds(picture_of(answer), BLUE)
    assert not holds(without, BLUE)
    assert not Company.objects.get().logo


def test_public_pages_are_written_by_language_and_the_missing_ones_are_named(staff: Client, company: Company) -> None:
    card = f"/gestion/invoices/company/{company.pk}/change/"
    assert "ne propose que le français" in staff.get(card).content.decode()

    texts = {"page_translations-de-legal_page": " Impressum ", "page_translations-de-privacy_page": ""}
    answer = staff.post(
        card, typed(company, languages=["de"], legal_page="Mentions", privacy_page="Données") | texts, follow=True
    )
    page = answer.content.decode()

    assert Company.objects.get().page_translations == {"de": {"legal_page": "Impressum"}}
    assert "Pages publiques sans texte (Deutsch) : page « Données personnelles »." in html.unescape(page)
    assert "Impressum</textarea>" in staff.get(card).content.decode()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"page_translations-de-legal_page": "Impressum\x0b"}, {"de": {"legal_page": "Impressum"}}),
        (
            {"page_translations": '{"de": {"legal_page": "Im\\u0000press\\ud800um"}}'},
            {"de": {"legal_page": "Impressum"}},
        ),
        ({"page_translations": "[" * 100_000}, {}),
    ],
)
def test_a_public_page_holds_what_a_database_keeps(
    staff: Client, company: Company, sent: dict[str, str], kept: dict[str, Any]
) -> None:
    card = f"/gestion/invoices/company/{company.pk}/change/"
    staff.post(card, typed(company, languages=["de"]) | sent)
    assert Company.objects.get().page_translations == kept


def test_the_history_names_the_translated_pages_without_their_stored_form(staff: Client, company: Company) -> None:
    card = f"/gestion/invoices/company/{company.pk}/change/"
    staff.post(card, typed(company) | {"page_translations-de-legal_page": "Impressum"})

    history = html.unescape(staff.get("/gestion/admin/logentry/").content.decode())

    assert "a changé « Textes dans les autres langues »" in history
    assert "legal_page" not in history


def test_the_saved_settings_have_their_picture_without_a_form(staff: Client, company: Company) -> None:
    make_invoice(company=company)

    answers = {name: staff.get(address(company), {"modele": name}) for name in Company.PdfTemplate.values}

    assert {answer["Content-Type"] for answer in answers.values()} == {"image/png"}
    assert len({answer.content for answer in answers.values()}) == 3
    assert staff.get(address(company)).content == answers["classic"].content
    assert staff.get(address(company), {"modele": "baroque"}).status_code == 404
    assert Company.objects.get().pdf_template == "classic"


def test_the_invoice_is_the_latest_of_this_company_or_the_one_that_is_named(staff: Client, company: Company) -> None:
    make_invoice(company=company, number="A1", issue_date="2025-01-31")
    make_invoice(company=company, number="A2", issue_date="2025-02-28")
    make_invoice(company=make_company(siren="443061841", name="Autre"), number="B1", issue_date="2025-03-31")

    latest = staff.post(address(company), typed(company))
    named = staff.post(address(company), typed(company) | {"preview_invoice": " A1 "})
    foreign = staff.post(address(company), typed(company) | {"preview_invoice": "B1"})

    assert "A2" in latest.json()["caption"]
    assert "A1" in named.json()["caption"]
    assert foreign.status_code == 422
    assert foreign.json()["problems"] == ["Aucune facture de cette société ne porte le numéro « B1 »."]


def test_an_invoice_that_came_as_a_pdf_is_not_drawn_again(staff: Client, company: Company) -> None:
    make_invoice(company=company, number="A1", issue_date="2025-01-31")
    make_invoice(company=company, number="P1", issue_date="2025-02-28", origin=Invoice.Origin.PDF)

    latest = staff.post(address(company), typed(company))
    named = staff.post(address(company), typed(company) | {"preview_invoice": "P1"})

    assert "A1" in latest.json()["caption"]
    assert named.status_code == 422
    assert "publié tel quel : le modèle n’y change rien" in named.json()["problems"][0]


def test_without_an_invoice_there_is_an_example_that_says_so(staff: Client, company: Company) -> None:
    answer = staff.post(address(company), typed(company))
    pdf = staff.post(address(company), typed(company) | {"preview": "pdf"})

    assert answer.json()["caption"] == "Un exemple : ni ce client ni cette facture n’existent."
    text = read_text(pdf.content)
    assert "Exemple" in text
    assert "Aquila Test SAS" in text
    assert "1 028,75" in text.replace("\u202f", " ").replace("\xa0", " ")
    assert "1 234,50" in text.replace("\u202f", " ").replace("\xa0", " ")
    assert not Invoice.objects.exists()


def test_the_example_of_a_company_without_vat_charges_none(staff: Client) -> None:
    company = make_company(vat_exemption="TVA non applicable, art. 293 B du CGI")

    text = read_text(staff.post(address(company), typed(company) | {"preview": "pdf"}).content)

    assert "TVA non applicable, art. 293 B du CGI" in text
    assert "1 028,75" in text.replace("\u202f", " ").replace("\xa0", " ")
    assert "234,50" not in text


def test_a_company_that_is_not_there_yet_is_shown_too(staff: Client) -> None:
    new = "/gestion/invoices/company/apercu/"
    company = Company(name="Aquila Neuve SAS")

    answer = staff.post(new, typed(company) | {"preview": "pdf"})

    assert "Aquila Neuve SAS" in read_text(answer.content)
    assert staff.get(new)["Content-Type"] == "image/png"
    assert staff.get("/gestion/invoices/company/add/").status_code == 200
    assert not Company.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("colour", "vert", "Couleur : Une couleur s’écrit #rrggbb."),
        ("siren", "123", "SIREN : « 123 » n’est pas un SIREN : 9 chiffres, le dernier étant une clé."),
        ("name", "", "Raison sociale : Ce champ est obligatoire."),
        ("pdf_template", "baroque", "Modèle de facture : Sélectionnez un choix valide."),
        (
            "logo",
            b"no picture at all",
            "Logo : Le logo n’est pas une image PNG, JPEG, GIF, WebP ou SVG lisible.",
        ),
        (
            "dark_logo",
            b"no picture at all",
            "Logo sur fond sombre : Le logo n’est pas une image PNG, JPEG, GIF, WebP ou SVG lisible.",
        ),
        (
            "dark_logo",
            b"<svg viewBox='0 0 2 1' xmlns='http://www.w3.org/2000/svg'/>",
            "Logo sur fond sombre : L’extension du logo ne dit pas ce qu’il est.",
        ),
    ],
)
def test_a_bad_value_gets_its_sentence_instead_of_a_picture(
    staff: Client, company: Company, field: str, value: Any, sentence: str
) -> None:
    make_invoice(company=company)

    def fields() -> dict[str, Any]:
        is_file = isinstance(value, bytes)
        return typed(company, **{field: SimpleUploadedFile("logo.png", value) if is_file else value})

    answer = staff.post(address(company), fields())
    page = staff.post(address(company), fields() | {"preview": "pdf"})

    assert answer.status_code == page.status_code == 422
    assert answer.json()["problems"][0].startswith(sentence)
    assert sentence in page.content.decode()
    assert "Fermez cet onglet" in page.content.decode()


def test_a_preview_costs_the_same_statements_however_many_invoices_there_are(staff: Client, company: Company) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert staff.post(address(company), typed(company)).status_code == 200
        return len(asked)

    make_invoice(company=company)
    count()  # what is asked for once and remembered
    few = count()
    for _ in range(12):
        make_invoice(company=company)
    assert count() == few


@pytest.mark.parametrize(
    ("group", "sees", "types"),
    [("Comptabilité", 200, 200), ("Paramétrage", 200, 200), ("Lecture", 200, 403)],
)
def test_who_may_change_the_company_may_try_and_who_may_see_it_sees(
    client: Client, company: Company, group: str, sees: int, types: int
) -> None:
    make_invoice(company=company)
    company.logo = SimpleUploadedFile("logo.svg", b"<svg viewBox='0 0 2 1' xmlns='http://www.w3.org/2000/svg'/>")
    company.save()
    account = Account.objects.create_user("membre@aquila.example", PASSWORD, is_staff=True)
    account.groups.add(Group.objects.get(name=group))
    client.force_login(account, backend=BACKEND)

    assert client.get(address(company)).status_code == sees
    assert client.post(address(company), typed(company)).status_code == types
    # Who may only read has pictures and nothing to press.
    page = client.get(f"/gestion/invoices/company/{company.pk}/change/").content.decode()
    assert ("Aperçu en PDF" in page) is (types == 200)
    assert company.logo.name in page


def test_who_may_not_see_invoices_tries_on_the_example(client: Client, company: Company) -> None:
    make_invoice(company=company, number="SECRET1", customer=make_customer(name="Client discret"))
    account = Account.objects.create_user("membre@aquila.example", PASSWORD, is_staff=True)
    account.groups.add(Group.objects.get(name="Paramétrage"))
    client.force_login(account, backend=BACKEND)

    answer = client.post(address(company), typed(company) | {"preview_invoice": "SECRET1", "preview": "pdf"})
    page = client.get(f"/gestion/invoices/company/{company.pk}/change/").content.decode()

    text = read_text(answer.content)
    assert "Exemple" in text
    for secret in ("SECRET1", "Client discret"):
        assert secret not in text
        assert secret not in page


def test_what_is_wrong_is_said_at_the_top_with_a_link_to_its_field(staff: Client, company: Company) -> None:
    page = staff.post(
        f"/gestion/invoices/company/{company.pk}/change/", typed(company, siren="123", iban="FR76 1234")
    ).content.decode()

    summary = page[page.index('role="alert"') :].partition("</div>")[0]
    for field in ("siren", "iban"):
        assert f'<a href="#id_{field}">' in summary
        assert f'id="id_{field}"' in page
