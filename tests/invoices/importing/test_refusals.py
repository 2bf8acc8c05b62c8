"""Tables of an ERP with something wrong in them: each refused with its place, reason and correction, the rest imported."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest

from customers.models import Contact, Customer
from invoices.files.archives import GivenFile
from invoices.importing.run import import_erp
from invoices.models import Invoice
from tests.support.import_files import (
    CUSTOMERS,
    INVOICES,
    LINES,
    TABLES,
    Rows,
    as_csv,
    changed,
    import_tables,
    import_tables_strictly,
    only_rejection,
    with_column,
    write_export,
)

pytestmark = pytest.mark.django_db


def cell(table: str, index: int, **values: str) -> dict[str, Rows]:
    return {table: changed(TABLES[table], index, **values)}


@pytest.mark.parametrize(
    ("tables", "line", "column", "value", "reason"),
    [
        (cell("clients", 0, code=""), 2, "code", "", "Cette valeur est obligatoire."),
        (cell("clients", 1, raison_sociale=""), 3, "raison_sociale", "", "Cette valeur est obligatoire."),
        (cell("clients", 1, code="C1"), 3, "code", "C1", "Le client « C1 » figure déjà ligne 2."),
        (cell("clients", 0, email="a@"), 2, "email", "a@", "« a@ » n’est pas une adresse e-mail."),
        (cell("clients", 0, email="a b@c.example"), 2, "email", "a b@c.example", "« a b@c.example » n’est pas une adresse e-mail."),
        (cell("clients", 0, email="a@local"), 2, "email", "a@local", "« a@local » n’est pas une adresse e-mail."),
        (cell("clients", 0, type="autre"), 2, "type", "autre", "« autre » n’est pas un type de client (attendu professionnel ou particulier)."),
        (cell("clients", 0, nb_factures="X"), 2, "nb_factures", "X", "« X » n’est ni D (démat) ni un nombre d’exemplaires papier."),
        (cell("clients", 0, pays="Narnia"), 2, "pays", "Narnia", "« Narnia » n’est pas un pays : donnez son code à deux lettres (FR, DE…)."),
        (cell("clients", 0, raison_sociale="x" * 201), 2, "raison_sociale", "x" * 79 + "…", "Ce texte est trop long : 200 caractères au plus, 201 trouvés."),
        (cell("contacts", 0, code_client="C7"), 2, "code_client", "C7", "Le client « C7 » n’existe pas."),
        (cell("contacts", 1, email="anne@bois"), 3, "email", "anne@bois", "« anne@bois » n’est pas une adresse e-mail."),
        (cell("contacts", 1, email="ANNE@bois.example"), 3, "email", "ANNE@bois.example", "Ce client a déjà un contact à l’adresse « ANNE@bois.example », ligne 2."),
        (cell("contacts", 1, interlocuteur_principal="O"), 3, "interlocuteur_principal", "O", "Ce client a déjà un interlocuteur principal, ligne 2."),
        (cell("contacts", 1, interlocuteur_principal="?"), 3, "interlocuteur_principal", "?", "« ? » n’est ni oui ni non (attendu O ou N)."),
        (cell("factures", 0, date="31/02/2025"), 2, "date", "31/02/2025", "« 31/02/2025 » n’est pas une date du calendrier (attendu jj/mm/aaaa)."),
        (cell("factures", 0, date=""), 2, "date", "", "Cette valeur est obligatoire."),
        (cell("factures", 1, echeance="bientôt"), 3, "echeance", "bientôt", "« bientôt » n’est pas une date (attendu jj/mm/aaaa)."),
        (cell("factures", 1, devise="euro symbolique"), 3, "devise", "euro symbolique", "« euro symbolique » n’est pas un code de devise à trois lettres (EUR)."),
        (cell("factures", 1, code_client="C7"), 3, "code_client", "C7", "Le client « C7 » n’existe pas."),
        (cell("factures", 1, total_ht="dix"), 3, "total_ht", "dix", "« dix » n’est pas un nombre."),
        (cell("factures", 1, total_ttc="12,01"), 3, "total_ttc", "12,01", "Total HT 10,00 + TVA 2,00 = 12,00, et non 12,01."),
        (cell("factures", 1, total_ht="11,00", total_ttc="13,00"), 3, "total_ht", "11,00", "Facture F2 : Total HT 11,00, mais la somme des lignes est 10,00."),
        (cell("factures", 1, total_tva="2,01", total_ttc="12,01"), 3, "total_tva", "2,01", "Facture F2 : Total TVA 2,01, mais les lignes donnent 2,00 : 2,00 (20,00 % de 10,00)."),
        (cell("lignes", 3, taux_tva="abc"), 5, "taux_tva", "abc", "« abc » n’est pas un nombre."),
        (cell("lignes", 3, designation="", article=""), 5, "designation", "", "Cette valeur est obligatoire."),
        (cell("lignes", 3, numero=""), 5, "numero", "", "Cette valeur est obligatoire."),
        (cell("lignes", 3, quantite="2"), 5, "total_ht", "10,00", "2 × 10,00 = 20,00, et non 10,00."),
        (cell("lignes", 3, remise="120"), 5, "remise", "120", "« 120 » n’est pas une remise : un pourcentage de 0 à 100."),
        (cell("lignes", 3, total_ht="", prix_unitaire_ht=""), 5, "total_ht", "", "Cette valeur est obligatoire sans quantité et prix unitaire."),
    ],
)  # fmt: skip
def test_a_refused_row_names_file_line_column_value_and_reason(
    tables: dict[str, Rows], line: int, column: str, value: str, reason: str
) -> None:
    report = import_tables(**tables)
    (table,) = tables
    warned = report.as_json()["warnings" if (table, column) == ("clients", "email") else "rejected"]
    first = next(each for each in warned if each["file"] == f"{table}.csv" and each["line"] == line)
    assert first.pop("correction")
    assert first == {"file": f"{table}.csv", "line": line, "column": column, "value": value, "reason": reason}


@pytest.mark.parametrize(
    ("tables", "customers", "contacts", "invoices"),
    [
        ({"factures": changed(INVOICES, 1, total_ttc="99,00")}, ["C1", "C2"], 2, ["F1"]),
        ({"factures": changed(INVOICES, 0, date="")}, ["C1", "C2"], 2, ["F2"]),
        ({"lignes": changed(LINES, 1, taux_tva="abc")}, ["C1", "C2"], 2, ["F2"]),
        ({"lignes": changed(LINES, 3, numero="")}, ["C1", "C2"], 2, ["F1"]),
        ({"lignes": [*LINES, {**LINES[0], "numero": "F9"}]}, ["C1", "C2"], 2, ["F1", "F2"]),
        ({"factures": [*INVOICES, {**INVOICES[0], "reference": "BC 8"}]}, ["C1", "C2"], 2, ["F2"]),
        ({"clients": changed(CUSTOMERS, 0, type="autre")}, ["C2"], 0, ["F2"]),
        ({"clients": changed(CUSTOMERS, 1, raison_sociale="")}, ["C1"], 2, ["F1"]),
        ({"clients": [*CUSTOMERS, {**CUSTOMERS[0], "ville": "Lyon"}]}, ["C2"], 0, ["F2"]),
        ({"contacts": changed(TABLES["contacts"], 1, email="anne@bois")}, ["C1", "C2"], 1, ["F1", "F2"]),
        ({"contacts": changed(TABLES["contacts"], 0, code_client="C7")}, ["C1", "C2"], 1, ["F1", "F2"]),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_a_refused_row_costs_only_its_own_invoice_card_or_contact(
    tables: dict[str, Rows], customers: list[str], contacts: int, invoices: list[str], strict: bool
) -> None:
    report = import_tables_strictly(**tables) if strict else import_tables(**tables)

    assert not report.is_clean
    if strict:
        (name,) = tables
        kind = {"clients": Customer, "contacts": Contact}.get(name, Invoice)
        assert not kind._default_manager.exists()
        return
    assert sorted(Customer.objects.values_list("code", flat=True)) == customers
    assert Contact.objects.count() == contacts
    assert sorted(Invoice.objects.values_list("number", flat=True)) == invoices

    again = import_tables()  # once the ERP has corrected it, only what was missing comes in

    assert again.is_clean
    assert again.unchanged["invoices"] == len(invoices)
    assert (Customer.objects.count(), Contact.objects.count(), Invoice.objects.count()) == (2, 2, 2)


def test_a_card_whose_address_is_wrong_comes_in_without_it_and_keeps_the_one_it_had() -> None:
    assert import_tables(clients=changed(CUSTOMERS, 0, email="a@")).is_clean
    assert Customer.objects.get(code="C1").email == ""
    import_tables()

    report = import_tables(clients=changed(CUSTOMERS, 0, email="a@", ville="Lyon"))

    assert [each["value"] for each in report.as_json()["warnings"]] == ["a@"]
    assert Customer.objects.values_list("email", "city").get(code="C1") == ("a@bois.example", "Lyon")


def test_the_invoices_of_a_card_that_is_there_already_come_in_though_its_change_is_refused() -> None:
    import_tables(factures=[], lignes=[])

    report = import_tables(clients=changed(CUSTOMERS, 0, type="autre"))

    assert report.created["invoices"] == 2
    assert [each["file"] for each in report.as_json()["rejected"]] == ["clients.csv"]


def test_what_says_the_same_twice_is_taken_once_and_said() -> None:
    report = import_tables(clients=[*CUSTOMERS, CUSTOMERS[0]], factures=[*INVOICES, INVOICES[0]])

    assert report.is_clean
    assert report.created["invoices"] == report.created["customers"] == 2
    assert [(each["file"], each["line"]) for each in report.as_json()["skipped"]] == [
        ("clients.csv", 4),
        ("factures.csv", 4),
    ]


@pytest.mark.parametrize("table", ["clients", "contacts", "factures", "lignes"])
def test_a_table_that_breaks_is_refused_with_all_that_depends_on_it(table: str) -> None:
    given = [
        GivenFile(f"{name}.csv", (as_csv(rows) + ('"F9";"sans fin' if name == table else "")).encode())
        for name, rows in TABLES.items()
    ]

    report = import_erp(given)

    assert (f"{table}.csv", "Un guillemet ouvert n’est pas fermé.") in {
        (each.file, each.reason) for each in report.rejected
    }
    assert all(each.line is None or each.file == f"{table}.csv" for each in report.rejected)  # each file once
    assert (Customer.objects.count(), Contact.objects.count(), Invoice.objects.count()) == {
        "clients": (0, 0, 0),
        "contacts": (2, 0, 2),
        "factures": (2, 2, 0),
        "lignes": (2, 2, 0),
    }[table]


def test_files_without_a_common_invoice_stand_alone(tmp_path: Path) -> None:
    write_export(tmp_path, factures=[], lignes=[])
    good, bad = as_csv(INVOICES[:1]), as_csv(changed(INVOICES[1:], 0, total_ttc="99"))
    for name, text in (("f1", good), ("f2", bad), ("l1", as_csv(LINES[:3])), ("l2", as_csv(LINES[3:]))):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    report = import_erp([tmp_path])
    assert report.created["invoices"] == 1
    assert list(Invoice.objects.values_list("number", flat=True)) == ["F1"]
    assert {each["file"].rpartition("/")[2] for each in report.as_json()["rejected"]} == {"f2.csv"}


def test_what_belongs_to_a_refused_new_card_is_refused_with_it_and_names_it() -> None:
    rejected = import_tables(clients=changed(CUSTOMERS, 0, type="?")).as_json()["rejected"]
    assert [(each["file"], each["line"]) for each in rejected] == [
        ("clients.csv", 2),
        ("contacts.csv", 2),
        ("contacts.csv", 3),
        ("factures.csv", 2),
    ]
    assert rejected[3]["reason"] == "La fiche du client « C1 » est refusée (clients.csv, ligne 2)."


def test_the_same_number_twice_with_another_content_is_refused_at_both_places() -> None:
    first, second = import_tables(factures=[*INVOICES, {**INVOICES[0], "reference": "autre"}]).rejected
    assert (first.line, second.line, second.value) == (2, 4, "F1")
    assert first.reason == "La facture « F1 » figure aussi, avec un autre contenu, ligne 4."
    assert second.reason == "La facture « F1 » figure déjà ligne 2."


def test_lines_without_invoice_and_invoices_without_lines_are_refused() -> None:
    orphan = only_rejection(import_tables(lignes=[*LINES, {**LINES[0], "numero": "F9"}]))
    assert (orphan["file"], orphan["line"], orphan["value"]) == ("lignes.csv", 6, "F9")
    assert orphan["reason"] == "La facture « F9 » n’est pas dans les factures données."
    bare = only_rejection(import_tables(lignes=LINES[:3]))
    assert (bare["file"], bare["line"], bare["reason"]) == ("factures.csv", 3, "La facture « F2 » n’a pas de ligne.")


def test_invoices_and_lines_are_given_together() -> None:
    assert "Les lignes manquent" in only_rejection(import_tables(lignes=[]))["reason"]
    assert "Les factures de ces lignes manquent" in only_rejection(import_tables(factures=[]))["reason"]


def test_a_missing_obligatory_column_is_named() -> None:
    rows = [{name: value for name, value in row.items() if name not in ("total_ttc", "date")} for row in INVOICES]
    rejections = [each for each in import_tables(factures=rows).as_json()["rejected"] if each["file"] == "factures.csv"]
    assert rejections[0]["line"] == 1
    assert rejections[0]["column"] == "date, total_ttc"
    assert "il y manque les colonnes obligatoires « date », « total_ttc »" in rejections[0]["reason"]


def test_an_unknown_header_says_what_was_found_and_what_is_expected() -> None:
    rejection = only_rejection(import_erp([GivenFile("stock.csv", b"depot;etagere\nA;1\n")]))
    assert rejection["file"] == "stock.csv"
    assert "Trouvé : « depot », « etagere »" in rejection["reason"]
    assert "clients (code, raison_sociale)" in rejection["reason"]


def test_a_file_that_breaks_half_way_imports_nothing() -> None:
    text = as_csv(CUSTOMERS) + '"C3";"sans fin;;;\r\n'
    rejection = only_rejection(import_erp([GivenFile("clients.csv", text.encode())]))
    assert (rejection["line"], rejection["reason"]) == (4, "Un guillemet ouvert n’est pas fermé.")
    assert not Customer.objects.exists()


def test_a_row_with_too_many_cells_is_refused() -> None:
    text = as_csv(CUSTOMERS).replace('"Bourg"', '"Bourg";"en";"Bresse"')
    rejection = import_erp([GivenFile("clients.csv", text.encode())]).as_json()["rejected"][0]
    assert (rejection["line"], rejection["value"]) == (2, "FR")
    assert "La ligne a 11 cellules et l’en-tête 9" in rejection["reason"]


def test_an_unclosed_identifier_check_names_the_number() -> None:
    report = import_tables(clients=with_column(CUSTOMERS, "siren", "732829321", ""))
    rejection = report.as_json()["rejected"][0]
    assert (rejection["column"], rejection["value"]) == ("siren", "732829321")
    assert "n’est pas un SIREN" in rejection["reason"]


def test_a_siret_in_the_siren_s_column_is_both() -> None:
    assert import_tables(clients=with_column(CUSTOMERS, "siren", "732 829 320 00074", "")).is_clean
    customer = Customer.objects.get(code="C1")
    assert (customer.siren, customer.siret) == ("732829320", "73282932000074")


def test_refusals_beyond_what_anybody_reads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoices.importing.report.MAX_REJECTIONS", 3)
    rows = [{"code": f"C{number}", "raison_sociale": ""} for number in range(10)]
    rejected = import_tables(clients=rows, contacts=[], factures=[], lignes=[]).as_json()["rejected"]
    assert len(rejected) == 4
    assert rejected[-1]["reason"].startswith("7 autres refus")
