"""``docs/asvs.md`` answers each requirement of OWASP ASVS 5.0.0, levels 1 and 2, and names what is there."""

import re

from tests.house.test_rules import ROOT

TABLE = (ROOT / "docs/asvs.md").read_text()


def test_every_requirement_has_one_answer() -> None:
    wanted = [line for line in (ROOT / "tests/data/asvs-5.0.0.txt").read_text().splitlines() if line[0] != "#"]
    rows = re.findall(r"^\| ((?:\d+\.\d+\.\d+(?:, )?)+) \| \S", TABLE, re.MULTILINE)
    answered = [number for row in rows for number in row.split(", ")]
    assert len(wanted) == 253
    assert sorted(answered) == sorted(wanted)


def test_what_it_names_is_there() -> None:
    named = set(re.findall(r"`([\w-]+(?:/[\w.-]+)+|[\w-]+\.(?:md|txt|toml))`", TABLE))
    assert len(named) > 60
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_a_requirement_that_applies_is_proved_or_its_lack_explained() -> None:
    rows = re.findall(r"^\| (\d[\d., ]+) \| (.+?) \| *(.*?) *\|$", TABLE, re.MULTILINE)
    unproved = [
        number
        for number, answer, proof in rows
        if not proof and not answer.startswith(("sans objet", "non", "aucun", "en partie"))
    ]
    assert unproved == []
