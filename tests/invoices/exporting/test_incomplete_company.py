"""Nothing is frozen in the name of an issuer whose legal identity is not complete."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from invoices.documents.versions import VersionRefusedError, publish_new_version
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.importing.run import import_erp
from invoices.models import Company, Document, ExportItem, Invoice
from invoices.models.company import UNNAMED
from portal.demonstration import create_demo_company
from tests.support.back_office import SCREEN, list_url, words
from tests.support.factories import (
    COMPANY_IDENTITY,
    freeze,
    make_company,
    make_customer,
    make_invoice,
    make_published_invoice,
)

ALL = Criteria(scope=Scope.ALL)


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, []),
        ({"name": UNNAMED}, ["raison sociale"]),
        ({"address": "  "}, ["adresse"]),
        ({"postcode": ""}, ["adresse"]),
        ({"city": ""}, ["adresse"]),
        ({"siren": ""}, ["SIREN"]),
        ({"siren": "", "siret": "73282932000074"}, []),
        ({"vat_identifier": ""}, ["n° de TVA ou motif d’exonération"]),
        ({"vat_identifier": "", "vat_exemption": "TVA non applicable, art. 293 B du CGI"}, []),
        ({"legal_form": ""}, ["forme juridique"]),
        ({"country": "DE", "siren": "", "postcode": "", "vat_identifier": "DE123456789"}, []),
        (
            {"country": "CH", "siren": "", "vat_identifier": "", "vat_exemption": "hors UE"},
            ["numéro d’immatriculation"],
        ),
        ({"country": "RE", "siren": ""}, ["SIREN"]),
    ],
)
def test_an_issuer_states_who_it_is(fields: dict[str, str], missing: list[str]) -> None:
    assert Company(**(COMPANY_IDENTITY | fields)).missing_identity() == missing


@pytest.mark.parametrize(
    ("legal_form", "mentions"),
    [
        ("SAS", ["capital social", "RCS"]),
        ("S.A.R.L.", ["capital social", "RCS"]),
        ("Société par actions simplifiée à associé unique", ["capital social", "RCS"]),
        ("société à responsabilité limitée", ["capital social", "RCS"]),
        ("SCI", ["capital social", "RCS"]),
        ("Société civile immobilière", ["capital social", "RCS"]),
        ("SNC", ["RCS"]),
        ("Association", []),
        ("Société coopérative de production", []),
    ],
)
def test_a_company_with_a_capital_states_it_and_its_register(legal_form: str, mentions: list[str]) -> None:
    assert Company(**(COMPANY_IDENTITY | {"legal_form": legal_form})).missing_mentions() == mentions


@pytest.mark.parametrize(
    ("name", "legal_form", "is_named_so"),
    [
        ("Jeanne Durand", "EI", False),
        ("Jeanne Durand", "Entrepreneur individuel", False),
        ("Jeanne Durand EI", "EI", True),
        ("E.I. Jeanne Durand", "entreprise individuelle", True),
        ("Einstein Conseil", "EI", False),
        ("Durand", "Association", True),
    ],
)
def test_a_sole_trader_says_so_beside_his_name(name: str, legal_form: str, is_named_so: bool) -> None:
    mentions = Company(**(COMPANY_IDENTITY | {"name": name, "legal_form": legal_form})).missing_mentions()
    assert mentions == ([] if is_named_so else ["« EI » à côté du nom, dans la raison sociale"])


def ask(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("export_invoices", "--scope", "all", "--json", *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.mark.django_db
def test_json_is_an_object_even_where_there_is_no_company() -> None:
    assert ask()["candidates"] == 0
    assert not Company.objects.exists()


@pytest.mark.django_db
def test_invoices_imported_before_their_company_wait_for_it_and_are_completed_by_it(tmp_path: Any) -> None:
    make_customer(code="C1")
    (tmp_path / "factures.csv").write_text(
        "numero;date;code_client;total_ht;total_tva;total_ttc\nF1;07/06/2025;C1;100,00;20,00;120,00\n"
    )
    (tmp_path / "lignes.csv").write_text(
        "numero;designation;quantite;prix_unitaire_ht;taux_tva;total_ht\nF1;Prestation;1;100,00;20;100,00\n"
    )
    report = import_erp([tmp_path])
    assert any("Aucune société n’est paramétrée" in notice for notice in report.notices)
    answer = ask()
    assert (answer["ready"], answer["left_out"], answer["published"]) == (0, {"company_incomplete": 1}, 0)
    assert not Document.objects.exists()

    company = create_demo_company()

    assert Invoice.objects.get().company == company
    assert Company.objects.get().is_default
    assert ask()["published"] == 1


@pytest.mark.django_db
def test_an_invoice_that_came_with_its_pdf_is_not_held_back() -> None:
    company = make_company(vat_identifier="")
    received = make_invoice(company=company, origin=Invoice.Origin.PDF)
    document = freeze(received)
    Invoice.objects.update(document=None)
    written = make_invoice(company=company)

    run_lines(start_export(export=create_export(criteria=ALL)))

    received.refresh_from_db()
    written.refresh_from_db()
    assert received.document == document
    assert not written.is_published


@pytest.mark.django_db
def test_the_run_looks_at_the_identity_again_before_it_freezes() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=ALL))
    Company.objects.update(address="")

    run_lines(export)

    item = ExportItem.objects.get()
    assert (item.state, item.reason) == (ExportItem.State.LEFT_OUT, "company_incomplete")
    assert not Document.objects.exists()


@pytest.mark.django_db
def test_no_new_version_is_frozen_either() -> None:
    invoice = make_published_invoice()
    Company.objects.update(siren="", siret="")
    invoice.refresh_from_db()

    with pytest.raises(VersionRefusedError, match=r"il manque : SIREN"):
        publish_new_version(invoice=Invoice.objects.get(), reason="adresse")


@pytest.mark.django_db
def test_staff_see_what_is_missing_and_the_list_is_ready_once_it_is_filled_in(staff_client: Client) -> None:
    company = make_company(legal_form="")
    invoice = make_invoice(company=company, number="F-1")
    export = create_export(criteria=ALL)

    page = staff_client.get(list_url(export))

    assert "1 à corriger" in words(page)
    assert "à corriger identité de la société incomplète compléter la société" in words(page)
    assert 'type="submit" disabled' in page.content.decode()
    banner = f"Identité de la société incomplète : {company.name}. Il manque : forme juridique."
    assert banner in words(page)
    assert banner in words(staff_client.get(SCREEN))
    url = f"/gestion/invoices/company/{company.pk}/change/"
    form = staff_client.get(url).context["adminform"].form
    typed = {name: form[name].value() or "" for name in form.fields if name != "logo"}
    again = words(staff_client.post(url, typed | {"share_capital": ""}, follow=True))
    assert "il manque : forme juridique. 1 facture ne peut pas être exportée : F-1." in again

    done = words(staff_client.post(url, typed | {"legal_form": "SAS", "share_capital": ""}, follow=True))

    assert "La forme juridique SAS oblige à mentionner aussi : capital social." in done
    assert "Il manque" not in done
    assert ExportItem.objects.get(invoice=invoice).state == ExportItem.State.READY
