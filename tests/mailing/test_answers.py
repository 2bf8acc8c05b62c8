"""What servers say, read from a table of their real answers."""

import csv
from pathlib import Path

import pytest

from mailing.answer_rules import RULES
from mailing.answers import classify
from mailing.reasons import MEANINGS, Reason
from mailing.transports import Verdict, read_refusal

CASES = Path(__file__).parents[1] / "data" / "cases" / "mail"


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table of cases; a line break is written backslash and n."""
    with (CASES / name).open(encoding="utf-8", newline="") as table:
        return [
            {key: value.replace("\\n", "\n") for key, value in row.items()}
            for row in csv.DictReader(table, delimiter=";")
        ]


@pytest.mark.parametrize("row", rows("answers.csv"), ids=lambda row: row["case"])
def test_each_real_answer_has_its_state_and_blames_whom_it_should(row: dict[str, str]) -> None:
    outcome = read_refusal(int(row["reply"][:3]), row["reply"][4:].encode())
    assert outcome.verdict.value in row["state"].split("|")
    assert outcome.address_is_bad is (row["address_to_blame"] == "yes")


@pytest.mark.parametrize("row", rows("more-answers.csv") + rows("providers.csv"), ids=lambda row: row["reply"][:40])
def test_an_answer_is_about_the_address_about_our_server_or_about_neither(row: dict[str, str]) -> None:
    reason = classify(row["reply"])
    about = "address" if reason.blames_address else "our server" if reason.is_ours else "neither"
    assert about in row["about"].split("|"), reason


def test_what_may_pass_never_blames_the_address() -> None:
    outcome = read_refusal(450, b"4.1.1 <x@y.example>: Recipient address rejected: User unknown")
    assert (outcome.verdict, outcome.address_is_bad) == (Verdict.DEFERRED, False)


def test_the_words_of_an_address_are_no_reason() -> None:
    assert classify("550 5.7.1 <unknown.user@spamhaus.example>: refused") is Reason.POLICY
    assert classify("550 <utilisateur.inconnu@x.example> refused") is Reason.OTHER


def test_every_rule_names_its_source_and_every_reason_says_what_to_do() -> None:
    assert all(rule.source and bool(rule.words) != bool(rule.codes) for rule in RULES)
    assert set(MEANINGS) == set(Reason)
    assert all(reason.words and reason.remedy for reason in Reason)
