"""The report of an import in French sentences: what is refused for one reason is said once."""

from typing import Any

import pytest

from invoices.importing.journal import Journal
from invoices.importing.report import ImportReport, Rejection
from invoices.importing.report_text import describe_report, group_alike

pytestmark = pytest.mark.without_database


def rejected(*lines: int, value: str = "Ma société") -> list[dict[str, Any]]:
    return [Rejection("f.csv", line, "societe", value, "La société est inconnue.").as_json() for line in lines]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ((2,), 2),
        ((2, 3, 4), "2 à 4"),
        ((9, 2), "2 et 9"),
        ((2, 3, 7, 9, 10), "2 à 3, 7 et 9 à 10"),
        (tuple(range(2, 42, 2)), "2, 4, 6, 8, 10, 12, 14, 16 et 12 autres"),
    ],
)
def test_lines_refused_for_one_reason_are_one_sentence(lines: tuple[int, ...], shown: object) -> None:
    [alike] = group_alike(rejected(*lines))
    assert (alike.at, alike.number, alike.shown["line"]) == (0, len(lines), shown)


def test_another_value_is_another_sentence_and_a_whole_file_is_alone() -> None:
    whole = [Rejection("", None, "", "", "Illisible.").as_json()] * 2
    found = group_alike([*rejected(2), *rejected(3, value="Autre"), *rejected(4), *whole])
    assert [(each.at, each.number, each.shown["line"]) for each in found] == [
        (0, 2, "2 et 4"),
        (1, 1, 3),
        (3, 1, None),
        (4, 1, None),
    ]


def test_a_company_missing_from_600_lines_is_said_in_two_rows_and_counted_in_full() -> None:
    report = ImportReport()
    report.refuse(*(Rejection("f.csv", line, "societe", "X", "La société est inconnue.") for line in range(2, 602)))
    told = list(describe_report({**report.as_json(), "rejections": report.rejections}))
    assert "Refusés : 600" in told
    assert [line for line in told if "inconnue" in line] == [
        "  f.csv, lignes 2 à 601, colonne societe : La société est inconnue."
    ]


def test_rates_of_the_journal_are_in_the_order_of_their_size() -> None:
    journal = Journal()
    for rate in ("20.00", "5.50", "10.00", "", "0.00"):
        journal.add_amounts("EUR", rate, 100, 0)
    assert [each["rate"] for each in journal.as_json()["rates"]] == ["", "0.00", "5.50", "10.00", "20.00"]
