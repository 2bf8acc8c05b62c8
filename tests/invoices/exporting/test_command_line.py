"""The command line of a selection, as shells, cron and systemd read it."""

import argparse
import shlex
import subprocess
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.recipients import ContactRules
from invoices.exporting.choices import CHOICES, Choice, Kind, criteria_of, describe_criteria
from invoices.exporting.command_line import (
    arguments_for,
    arguments_for_profile,
    cron_line,
    schedule_for,
    shell_command,
    systemd_units,
)
from invoices.exporting.criteria import Criteria, Period, Scope
from invoices.exporting.criteria_text import describe_period
from invoices.management.commands.export_invoices import Command

NASTY = 'l\'été 100% $HOME `rm` "x" --profile=y'


def parse(arguments: list[str]) -> argparse.Namespace:
    """What the command understands of ``arguments``."""
    parser = argparse.ArgumentParser()
    Command().add_arguments(parser)
    return parser.parse_args(arguments)


# Letters, and all that shells and options could take for something else.
WORDS = st.text("aé-=$%`'\"\\!#&*?~;|<>(){}[]", max_size=12)

BY_KIND: dict[Kind, st.SearchStrategy[Any]] = {Kind.FLAG: st.booleans(), Kind.TEXT: WORDS}
OF_VALUES: dict[str, st.SearchStrategy[Any]] = {"period": st.sampled_from(Period), "scope": st.sampled_from(Scope)}


def values_of_choice(choice: Choice) -> st.SearchStrategy[Any]:
    """What can be chosen, whatever the choice."""
    if choice.kind == Kind.ONE_OF:
        return OF_VALUES.get(choice.name, st.sampled_from([value for value, _label in choice.values]))
    return BY_KIND[choice.kind]


def made_of(values: dict[str, Any], dates: tuple[date, date]) -> Criteria:
    """The criteria of ``values`` by path; ``dates`` where the period is one of dates."""
    rules = {path.partition(".")[2]: value for path, value in values.items() if path.startswith("contacts.")}
    others = {path: value for path, value in values.items() if not path.startswith("contacts.")}
    days: dict[str, Any] = {"start": min(dates), "end": max(dates)} if others["period"] == Period.FIXED else {}
    return Criteria(contacts=ContactRules(**rules), **others, **days)


choices = st.builds(
    made_of,
    st.fixed_dictionaries({each.path: values_of_choice(each) for each in CHOICES if each.kind != Kind.DAY}),
    st.tuples(st.dates(min_value=date(1990, 1, 1)), st.dates(min_value=date(1990, 1, 1))),
)


@given(choices)
def test_the_command_line_makes_the_same_choices_as_the_screen(criteria: Criteria) -> None:
    line = shell_command(arguments_for(criteria), folder="/srv/portail", python="python")

    words = shlex.split(line)

    assert words[:6] == ["cd", "/srv/portail", "&&", "python", "manage.py", "export_invoices"]
    assert criteria_of(vars(parse(words[6:]))) == criteria


def test_a_shell_gives_the_name_of_a_selection_on_as_it_is() -> None:
    line = shell_command(arguments_for_profile(NASTY), folder="/tmp", python="printf '%s\\n'")
    # The interpreter is replaced by a program that says what it was given.
    said = subprocess.run(
        ["sh", "-c", line.replace(shlex.quote("printf '%s\\n'"), "printf '%s\\n'")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said.splitlines() == ["manage.py", "export_invoices", f"--profile={NASTY}"]


def test_cron_reads_no_percent_sign_as_the_end_of_the_command() -> None:
    line = cron_line(arguments_for_profile("100% pro"), schedule_for(Period.PREVIOUS_MONTH), folder="/p", python="py")

    assert line == r"0 6 1 * * cd /p && py manage.py export_invoices '--profile=100\% pro'"


def test_systemd_takes_percent_and_dollar_signs_literally() -> None:
    service, timer = systemd_units(
        arguments_for_profile('100% "$A"'),
        schedule_for(Period.CURRENT_MONTH),
        description="Export : 100%",
        folder="/srv/portail",
        python="/srv/portail/.venv/bin/python",
    )

    assert 'ExecStart=/srv/portail/.venv/bin/python manage.py export_invoices "--profile=100%% \\"$$A\\""\n' in service
    assert "Description=Export : 100%%\n" in service
    assert "OnCalendar=Mon..Fri 06:00:00\n" in timer


@pytest.mark.parametrize(
    ("criteria", "sentence"),
    [
        (Criteria(), "toutes les dates"),
        (Criteria(start=date(2025, 6, 1)), "à partir du 01/06/2025"),
        (Criteria(end=date(2025, 6, 30)), "jusqu’au 30/06/2025"),
        (Criteria(start=date(2025, 6, 7), end=date(2025, 6, 7)), "le 07/06/2025"),
        (Criteria(period=Period.PREVIOUS_MONTH), "mois dernier"),
        (
            Criteria(period=Period.PREVIOUS_MONTH).resolve_period(date(2026, 1, 15), None),
            "mois dernier (du 01/12/2025 au 31/12/2025)",
        ),
    ],
)
def test_a_period_is_said_as_people_say_it(criteria: Criteria, sentence: str) -> None:
    assert describe_period(criteria) == sentence


def test_the_choices_are_said_in_the_order_and_words_of_the_screen() -> None:
    criteria = Criteria(
        scope=Scope.ALL,
        kind="individual",
        contacts=ContactRules(use_contacts=True, main_contact_only=True, function="compta"),
        notify=True,
        attach_pdf=True,
    )

    said = {heading: sentence.replace("\u00a0", " ") for heading, sentence in describe_criteria(criteria)}

    assert said == {
        "Période d’export": "toutes les dates",
        "Sélection des factures": "toutes les factures",
        "Sélection des pièces": "pour les particuliers",
        "Adresses e-mail": "contacts rattachés aux fiches clients, interlocuteurs principaux seulement, "
        "fonction contenant « compta »",
        "Identifiants": "non générés",
        "Mail au client": "un par facture, avec le PDF joint",
    }


def test_every_choice_of_a_selection_is_offered_everywhere() -> None:
    template = Path("templates/backoffice/exports/selection.html").read_text()
    declared = [choice.path for choice in CHOICES]
    rules = [f"contacts.{item.name}" for item in fields(ContactRules)]

    assert sorted(declared) == sorted([item.name for item in fields(Criteria) if item.name != "contacts"] + rules)
    assert [choice.name for choice in CHOICES if f"form.{choice.name}" not in template] == []
