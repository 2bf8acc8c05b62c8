"""The command line that does the same selection as the screen, and its place in a scheduler.

Three readers, three ways of quoting: a shell, cron (where ``%`` ends a line) and systemd (where ``%`` and ``$`` are
for something else).
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from invoices.exporting.choices import CHOICE_BY_NAME, Kind, values_of
from invoices.exporting.criteria import Criteria, Period

COMMAND = "export_invoices"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a selection runs by itself, for cron and for systemd."""

    cron: str
    calendar: str


def schedule_for(period: Period) -> Schedule:
    """On the first of the month for «mois dernier», else on working days; at six o'clock."""
    if period == Period.PREVIOUS_MONTH:
        return Schedule("0 6 1 * *", "*-*-01 06:00:00")
    return Schedule("0 6 * * 1-5", "Mon..Fri 06:00:00")


def arguments_for(criteria: Criteria) -> list[str]:
    """The arguments of ``export_invoices`` that make the same selection; a relative period stays relative."""
    usual, arguments = values_of(Criteria()), [COMMAND]
    for name, value in values_of(criteria).items():
        choice = CHOICE_BY_NAME[name]
        if value == usual[name]:
            continue
        match choice.kind:
            case Kind.FLAG:
                arguments.append(choice.option)
            case Kind.TEXT:
                # One word: a text that begins with a dash is no option.
                arguments.append(f"{choice.option}={value.strip()}")
            case Kind.DAY | Kind.ONE_OF:
                arguments += [choice.option, str(value)]
    return arguments


def arguments_for_profile(name: str) -> list[str]:
    """The arguments that run the selection saved as ``name``."""
    return [COMMAND, f"--profile={name}"]


def shell_command(arguments: Sequence[str], *, folder: str, python: str) -> str:
    """A line for a shell, which may be pasted whatever the names hold."""
    return f"cd {shlex.quote(folder)} && {shlex.join([python, 'manage.py', *arguments])}"


def cron_line(arguments: Sequence[str], schedule: Schedule, *, folder: str, python: str) -> str:
    """A line of a crontab: ``%`` would end the command, so each is escaped."""
    return f"{schedule.cron} {shell_command(arguments, folder=folder, python=python)}".replace("%", r"\%")


def systemd_units(
    arguments: Sequence[str], schedule: Schedule, *, description: str, folder: str, python: str
) -> tuple[str, str]:
    """The texts of ``export-factures.service`` and ``export-factures.timer``."""
    command = " ".join(_systemd_word(word) for word in (python, "manage.py", *arguments))
    title = description.replace("%", "%%").replace("\n", " ")
    service = (
        f"[Unit]\nDescription={title}\nAfter=network-online.target\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={folder.replace('%', '%%')}\nExecStart={command}\n"
    )
    timer = (
        f"[Unit]\nDescription={title}\n\n"
        f"[Timer]\nOnCalendar={schedule.calendar}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
    )
    return service, timer


def _systemd_word(word: str) -> str:
    """A word of ``ExecStart=``: quoted where needed, with specifiers and variables taken literally."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    is_plain = word and all(char.isalnum() or char in "-_./=:@+," for char in word)
    return escaped if is_plain else f'"{escaped}"'
