"""The pages for users name what there is."""

import re

import pytest
from django.core.management import get_commands, load_command_class

from tests.house.test_rules import ROOMS, ROOT

COMMANDS = (ROOT / "docs/commandes.md").read_text()


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


def test_the_page_of_commands_names_each_command() -> None:
    named = set(re.findall(r"`([a-z_]+)`", COMMANDS))
    ours = {name for name, room in get_commands().items() if str(room).split(".")[0] in ROOMS}

    assert ours - named == set()


def test_the_page_of_commands_names_each_option_of_the_export() -> None:
    parser = load_command_class("invoices", "export_invoices").create_parser("manage.py", "export_invoices")
    of_django = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--skip-checks"}
    of_django |= {"--no-color", "--force-color"}
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}

    assert options - of_django - set(re.findall(r"--[a-z-]+", COMMANDS)) == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_the_paths_that_a_page_names_exist(page: str) -> None:
    """A path in backquotes that begins with a folder of the project; a module may be named without its ``.py``."""
    tops = "|".join((*ROOMS, "templates", "static", "tests", "docs", "deploy", "bin", "demo"))
    named = re.findall(rf"`((?:{tops})/[\w./-]*)`", (ROOT / page).read_text())

    assert [path for path in named if not ((ROOT / path).exists() or (ROOT / f"{path}.py").exists())] == []
