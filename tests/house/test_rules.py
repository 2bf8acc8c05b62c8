"""The rules of the house that no linter holds."""

import ast
import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("mailing", "customers", "invoices", "portal")
# The words that ``docs/style.md`` replaces.
INVENTED = re.compile(r"\b(?:told|untold|tell|tells|telling|nobody|stands?|anew)\b", re.IGNORECASE)
FIELDS = {"told_at", "told_seconds"}  # their columns are stored under these names
DRAWERS = {"utils.py", "helpers.py", "constants.py", "signals.py", "managers.py", "common.py", "misc.py"}


def tracked(pattern: str = "") -> list[Path]:
    """The files that git tracks (and those it will), as paths below the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [Path(name) for name in listed if name.endswith(pattern) and (ROOT / name).is_file()]


def room_modules() -> list[Path]:
    """The Python modules of the four rooms, migrations aside."""
    return [path for path in tracked(".py") if path.parts[0] in ROOMS and "migrations" not in path.parts]


def templates() -> list[Path]:
    """The HTML templates that browsers see: those of PDF and mails have rules of their own."""
    return [
        path
        for path in tracked(".html")
        if path.parts[0] == "templates" and path.parts[1] != "mail" and "pdf" not in path.parts
    ]


def test_no_module_is_a_drawer() -> None:
    assert [path for path in room_modules() if path.name in DRAWERS] == []


def test_modules_stay_short_enough_to_be_read_at_once() -> None:
    long = {str(path): lines for path in room_modules() if (lines := len((ROOT / path).read_text().splitlines())) > 400}
    assert long == {}


def test_every_module_and_every_public_function_says_what_it_is() -> None:
    silent = []
    for path in room_modules():
        if path.name == "__init__.py" and not (ROOT / path).read_text().strip():
            continue
        tree = ast.parse((ROOT / path).read_text())
        if ast.get_docstring(tree) is None:
            silent.append(str(path))
        silent += [
            f"{path}:{node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and ast.get_docstring(node) is None
        ]
    assert silent == []


def test_comments_and_docstrings_use_plain_words() -> None:
    """A name of code between backquotes is no word."""
    found = []
    for path in tracked(".py"):
        text = (ROOT / path).read_text()
        if path.name == "test_rules.py" or not INVENTED.search(text):
            continue
        said = {
            line
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            for line in range(node.lineno, (node.end_lineno or 0) + 1)
        }
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
        for number, line in enumerate(text.splitlines(), 1):
            words = re.sub(r"``.*?``", "", line if number in said else comments.get(number, ""))
            found += [f"{path}:{number}"] * bool(INVENTED.search(words))
    assert found == []


def names_given(path: Path) -> set[str]:
    """The names of the functions, classes, arguments, variables and attributes that the module ``path`` defines."""
    names: set[str | None] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.ExceptHandler() | ast.MatchAs():
                names.add(node.name)
            case ast.arg():
                names.add(node.arg)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.Attribute(ctx=ast.Store()):
                names.add(node.attr)
            case ast.alias():
                names.add(node.asname)
    return {name for name in names if name}


def test_names_use_plain_words() -> None:
    """Those of the product: ``_told``, ``TellOnce`` and ``last_told`` are no names, migrations and tests aside."""
    found = [
        f"{path}:{name}"
        for path in tracked(".py")
        if path.parts[0] != "tests" and "migrations" not in path.parts
        for name in sorted(names_given(path) - FIELDS)
        if INVENTED.search(" ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)))
    ]
    assert found == []


def test_no_page_has_an_inline_script_or_style() -> None:
    refused = re.compile(
        r"<style\b|<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|\sstyle=|\son[a-z]+=", re.IGNORECASE
    )
    found = {
        f"{path}:{number}"
        for path in templates()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if refused.search(line)
    }
    assert found == set()


def test_a_line_of_a_template_can_be_reviewed() -> None:
    long = [
        f"{path}:{number}"
        for path in tracked()
        if path.parts[0] == "templates" and path.suffix in (".html", ".txt")
        for number, line in enumerate((ROOT / path).read_bytes().splitlines(), 1)
        if len(line) > 160  # bytes: what counts characters is satisfied too
    ]
    assert long == []


def test_what_the_base_stylesheet_declares_no_wing_declares_again() -> None:
    def classes(path: Path) -> set[str]:
        bare = re.sub(r"/\*.*?\*/", "", (ROOT / path).read_text(), flags=re.DOTALL)
        selectors = ",".join(re.findall(r"([^{}]+)\{[^{}]*\}", bare)).split(",")
        return {each.strip() for each in selectors if re.fullmatch(r"\.[a-z_-]+", each.strip())}

    base = classes(Path("static/house.css"))
    wings = [path for path in tracked(".css") if path.parts[0] == "static" and path.name != "house.css"]

    assert {str(path): twice for path in wings if (twice := classes(path) & base)} == {}


def test_a_badge_has_its_colour_from_python() -> None:
    assert [str(path) for path in templates() if re.search(r"state--\{% if [^%]*==", (ROOT / path).read_text())] == []


def test_plurals_are_written_by_the_house_filter() -> None:
    assert [str(path) for path in tracked(".html") if "|pluralize" in (ROOT / path).read_text()] == []


def test_every_template_is_used() -> None:
    sources = "\n".join(
        (ROOT / path).read_text()
        for path in tracked()
        if path.suffix in (".py", ".html", ".txt") and "tests" not in path.parts
    )
    # Django itself asks for these: error pages, the admin's own names, registration.
    implied = ("admin/", "registration/", "400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html")
    unused = []
    for path in tracked():
        if path.parts[0] != "templates" or path.suffix not in (".html", ".txt"):
            continue
        name = str(path.relative_to("templates"))
        if f'"{path.name}"' not in sources and name not in sources and not name.startswith(implied):
            unused.append(name)
    assert unused == []


def test_every_setting_of_the_environment_is_explained_in_the_example() -> None:
    read = set(re.findall(r"\benv(?:\.\w+)?\(\s*\"([A-Z][A-Z0-9_]+)\"", (ROOT / "portal/settings.py").read_text()))
    explained = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read - explained == set()
    assert explained - read == set()


@pytest.mark.parametrize("view_folder", ["portal/space/views"])
def test_no_view_of_the_portal_reads_all_rows_of_a_table(view_folder: str) -> None:
    wrong = [
        str(path)
        for path in room_modules()
        if str(path).startswith(view_folder) and ".objects.all()" in (ROOT / path).read_text()
    ]
    assert wrong == []


def test_a_number_names_one_decision() -> None:
    numbers = [path.name.partition("-")[0] for path in tracked(".md") if path.parent == Path("docs/decisions")]

    assert sorted(numbers) == sorted(set(numbers))


def test_the_project_holds_no_download_address() -> None:
    names = {"uv.lock", "poetry.lock", "Pipfile.lock"}
    assert [path for path in tracked() if path.name in names or path.name.startswith("pylock")] == []
    locks = "\n".join(path.read_text() for path in ROOT.glob("requirements*.txt"))
    assert "http" not in locks
