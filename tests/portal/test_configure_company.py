"""``configure_company``: a company set up without a browser, checked as its form checks, and the same twice."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from invoices.models import Company
from invoices.models.company import UNNAMED
from tests.support.factories import COMPANY_IDENTITY, make_company

pytestmark = pytest.mark.django_db

VALUES = COMPANY_IDENTITY | {
    "share_capital": "10 000 €",
    "trade_register": "RCS Lyon 732 829 320",
    "siren": "732 829 320",
    "postcode": 69002,
    "vat_on_debits": True,
    "payment_delay_days": 30,
    "einvoice_from": "2027-09-01",
}


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 10), "navy").save(out, format="PNG")
    return out.getvalue()


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("configure_company", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def _refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as refusal:
        _run(*arguments)
    assert refusal.value.returncode == 2
    return str(refusal.value)


def _file(folder: Path, content: Any) -> str:
    path = folder / "societe.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def test_a_file_makes_the_company_and_given_twice_changes_nothing(tmp_path: Path) -> None:
    file = _file(tmp_path, VALUES)

    told = json.loads(_run("--file", file, "--json"))

    company = Company.objects.get()
    assert (company.siren, company.postcode, company.vat_on_debits) == ("732829320", "69002", True)
    assert company.missing_identity() == told["missing_identity"] == []
    assert told["created"]
    assert told["company"] == {"id": company.pk, "name": "Aquila Test SAS", "siren": "732829320", "is_default": True}
    again = json.loads(_run("--file", file, "--json"))
    assert (again["created"], again["changed"]) == (False, [])
    assert Company.objects.get().updated_at == company.updated_at


def test_options_win_over_the_file_and_what_is_not_given_stays(tmp_path: Path) -> None:
    company = make_company(city="Lyon")

    told = _run("--file", _file(tmp_path, {"city": "Paris"}), "--city", "Nantes", "--vat-on-debits", "oui")

    after = Company.objects.get()
    assert told.startswith(f"Société « {company.name} » modifiée : city, vat_on_debits.")
    assert (after.city, after.vat_on_debits, after.legal_form) == ("Nantes", True, company.legal_form)


def test_the_unnamed_company_of_a_first_import_gets_its_name() -> None:
    unnamed = Company.objects.create(name=UNNAMED)

    told = _run("--name", "Aquila", "--siren", "732829320")

    assert Company.objects.get().pk == unnamed.pk
    assert "Il manque : adresse, n° de TVA ou motif d’exonération, forme juridique." in told


def test_another_siren_makes_a_second_issuer_and_another_name_alone_is_asked_about() -> None:
    make_company()
    assert "Donnez aussi le SIREN" in _refused("--name", "Autre")
    _run("--name", "Autre", "--siren", "552100554")
    assert sorted(Company.objects.values_list("name", "is_default")) == [("Aquila Test SAS", True), ("Autre", False)]


def test_a_logo_is_taken_once_and_looked_at_as_the_form_does(tmp_path: Path) -> None:
    make_company()
    (tmp_path / "logo.png").write_bytes(_png())
    (tmp_path / "faux.png").write_bytes(b"<html>")
    file = _file(tmp_path, {"logo": "logo.png"})

    assert "modifiée : logo." in _run("--file", file)
    with Company.objects.get().logo.open("rb") as stored:
        assert stored.read() == _png()
    assert "rien à changer" in _run("--file", file)
    assert _refused("--logo", str(tmp_path / "faux.png")).startswith("logo : ")
    assert "est illisible" in _refused("--logo", str(tmp_path / "absent.png"))


def test_public_pages_by_language_come_from_the_file(tmp_path: Path) -> None:
    make_company(languages=["en"])
    texts = {"en": {"legal_page": "Legal notice of ours"}}
    file = _file(tmp_path, {"page_translations": texts})

    assert "modifiée : page_translations." in _run("--file", file)
    assert Company.objects.get().page_translations == texts
    assert "rien à changer" in _run("--file", file)
    _run("--name", "Aquila Neuve SAS", "--siren", "732829320")
    assert Company.objects.get().page_translations == texts


def test_a_logo_for_dark_schemes_goes_beside_the_other(tmp_path: Path) -> None:
    make_company()
    (tmp_path / "logo.png").write_bytes(_png())

    alone = _refused("--dark-logo", str(tmp_path / "logo.png"))
    file = _file(tmp_path, {"logo": "logo.png", "dark_logo": "logo.png"})

    assert alone.startswith("dark_logo : Donnez aussi le logo")
    assert "modifiée : logo, dark_logo." in _run("--file", file)
    assert "rien à changer" in _run("--file", file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"siren": "123456789"}, "siren : "),
        ({"iban": "FR76"}, "iban : "),
        ({"page_translations": {"it": {"legal_page": "Note legali"}}}, "page_translations : Des textes par langue"),
        ({"page_translations": {"en": "Legal notice"}}, "page_translations : Des textes par langue"),
        ({"page_translations": "[1]"}, "page_translations : Des textes par langue"),
        ({"colour": "rouge"}, "colour : Une couleur s’écrit #rrggbb."),
        ({"country": "France"}, "country : "),
        ({"payment_delay_days": "trente"}, "payment_delay_days : "),
        ({"einvoice_from": "2027-13-01"}, "einvoice_from : "),
        ({"vat_on_debits": "peut-être"}, "vat_on_debits : attend oui ou non, pas « peut-être »."),
        ({"name": ["a"]}, "name : attend un texte ou un nombre."),
        ({"name": float("nan")}, "name : attend un texte ou un nombre."),
        ({"name": "\ud800"}, "name : contient un caractère qui n’existe pas"),
        ({"name": "a\0b"}, "name : "),
        ({"name": ""}, "name : "),
        ({"platform": "PA inconnue"}, "platform : aucune plateforme connectée ne s’appelle « PA inconnue »."),
        ({"adress": "1 rue"}, "adress : ce réglage n’existe pas. Vouliez-vous dire « address » ?"),
        (b'{"city": "Lyon", "city": "Paris"}', "city : est donné deux fois."),
        (b'{"city": "Lyon"\n"a"}', "n’est pas du JSON : ligne 2, colonne 1."),
        (b'{"city": "Orl\xe9ans"}', "n’est pas en UTF-8 (octet 13)."),
        (b"[]", "doit contenir un objet JSON"),
        (b"[" * 200_000, "ne se lit pas comme un objet JSON."),
        (b"{}", "Rien à régler"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(tmp_path: Path, content: Any, sentence: str) -> None:
    company = make_company()

    told = _refused("--file", _file(tmp_path, content))

    assert sentence in told
    assert told.endswith("Rien n’a été écrit.")
    assert Company.objects.get().updated_at == company.updated_at


def test_a_missing_file_is_named_and_json_gives_the_problems_by_field(tmp_path: Path) -> None:
    assert "est illisible" in _refused("--file", str(tmp_path / "absent.json"))
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("configure_company", "--siren", "1", "--name", "A", "--json", stdout=out)
    assert list(json.loads(out.getvalue())["errors"]) == ["siren"]


def test_the_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(VALUES).encode())))
    assert "créée" in _run("--file", "-")
