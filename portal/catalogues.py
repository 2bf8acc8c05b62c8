"""The catalogues of what customers read: which sources hold their words, and how a catalogue follows them.

A message is the French text as it is. The back-office is French only and has no catalogue. ``bin/messages`` writes
``locale/<language>/LC_MESSAGES/django.po`` (to translate) and ``django.mo`` (what the pages read); Babel does it, so
that no tool of GNU gettext is needed.
"""

import ast
import datetime
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT: Final = Path(__file__).parent.parent
CATALOGUES: Final = Path(__file__).parent / "locale"
# What Django's admin says, in the product's own words: written by hand, and compiled with the others.
STAFF_WORDS: Final = Path(__file__).parent / "backoffice" / "locale" / "fr" / "LC_MESSAGES" / "django.po"

# The pages of customers in French: the sources say it already, with the spaces of a keyboard. Compiled alone.
FRENCH_SPACES: Final = CATALOGUES / "fr" / "LC_MESSAGES" / "django.mo"
_PAGES: Final = ("templates/*.html", "templates/space/**/*.html", "portal/space/**/*.py", "portal/bodies.py")
# What only customers see, as patterns of paths.
WHOLE_FILES: Final = (
    *_PAGES,
    "templates/mail/*",
    "portal/devices.py",
    "customers/passwords.py",
    "invoices/exporting/run/mail*.py",
    "templates/pdf/invoice.html",
    "invoices/printing/[!l]*.py",  # layouts.py names the templates for staff
)
# Of files that staff's pages use too: the classes and functions whose words customers see.
PARTS_OF_FILES: Final = (
    ("invoices/models/invoice.py", ("Kind", "__str__")),
    ("invoices/models/lifecycle.py", ("Code",)),
    ("mailing/models.py", ("State",)),
    ("mailing/rendering.py", ("_text_part",)),
    ("customers/mails.py", ("draft_credentials_mail",)),
    ("invoices/documents/zip_archive.py", ("_write_note",)),
    ("portal/notices.py", ("report_incomplete_archive",)),
)
# Tables of words that are looked up and then translated.
TABLES: Final = (
    (
        "invoices/printing/wording.py",
        ("UNITS", "COUNTED", "TITLES", "CATEGORIES", "SHORT_CATEGORIES", "SUPPORTING_DOCUMENTS", "PAYMENT_MEANS"),
    ),
    ("invoices/printing/wording.py", ("OPERATION_CATEGORIES", "VAT_ON_DEBITS", "SELF_BILLING")),
)
# Is in the head of a compiled catalogue, which says the same whenever it was written.
_NO_TIME: Final = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_MARKS: Final = frozenset(("_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "translate"))
# What is registered with a label for staff: the editor of messages is in French.
_STAFF_ONLY: Final = frozenset(("Placeholder",))
_IN_TEMPLATE: Final = re.compile(r"""\b(?:_|gettext)\(\s*u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_FRENCH_SPACE: Final = re.compile(r"(?<=«) | (?=»)|(?<=\S) (?=[:;!?](?:[\s<]|$))|(?<=\d) (?=%|€|\d{3}\b)")
_PLURAL_FORMS: Final = re.compile(r'\|plural:"([^"]+)"')


def messages() -> list[str]:
    """Every message that customers may read, in French, sorted."""
    found = _texts_of_files(WHOLE_FILES)
    for name, parts in PARTS_OF_FILES:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name in parts:
                found.update(marked_texts(node))
    for name, tables in TABLES:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in tables:
                value = ast.literal_eval(node.value)
                found.update(text for text in (value.values() if isinstance(value, dict) else (value,)) if text)
    found.update(_legal_texts())
    # The predefined messages as they are shipped, where mailing.shipped_texts finds them: read without the database.
    for _key, _name, subject, body in import_module("mailing.migrations.0002_predefined_messages").MESSAGES:
        found.update((subject, body))
    return sorted(found)


def _texts_of_files(patterns: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        for path in ROOT.glob(pattern):
            if path.suffix in (".html", ".txt"):
                found.update(template_texts(path.read_text()))
            elif path.suffix == ".py":
                found.update(marked_texts(ast.parse(path.read_text())))
    return found


def set_spaces(text: str) -> str:
    """French ``text`` whose spaces inside « », before : ; ! ? % € and in numbers never begin or end a line."""
    return _FRENCH_SPACE.sub("\u00a0", text)


def _legal_texts() -> Iterator[str]:
    """What the law has an invoice say, as this release words it: why no VAT is charged, terms of payment."""
    for node in ast.walk(ast.parse((ROOT / "invoices/en16931/vat.py").read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "VatTreatment" and len(node.args) > 1:
            yield from _texts(node.args[1:2])
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) in (
            "_WORDS_WITHOUT_REASON",
            "_REASONS_OF_CODES",
        ):
            table = getattr(node.value, "right", node.value)  # of several dictionaries the one that is written out
            yield from _texts(getattr(table, "values", []))
    for node in ast.walk(ast.parse((ROOT / "invoices/models/company.py").read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "models.TextField":
            yield from _texts([keyword.value for keyword in node.keywords if keyword.arg == "default"])


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def marked_texts(tree: ast.AST) -> Iterator[str]:
    """The texts of calls of gettext below ``tree``, those that only staff read aside (labels of placeholders)."""
    called = tree.func.id if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) else ""
    if called in _STAFF_ONLY:
        return
    if isinstance(tree, ast.Call) and called in _MARKS:
        texts = tree.args[:2] if called.startswith("ngettext") else tree.args[:1]
        yield from _texts(texts)
    for child in ast.iter_child_nodes(tree):
        yield from marked_texts(child)


def template_texts(source: str) -> Iterator[str]:
    """The texts of a template that are marked for gettext."""
    for found in _IN_TEMPLATE.finditer(templatize(source)):
        yield str(ast.literal_eval(found[1]))
    yield from _PLURAL_FORMS.findall(source)


def languages() -> list[str]:
    """The languages that have a catalogue."""
    return sorted(path.parts[-3] for path in CATALOGUES.glob("*/LC_MESSAGES/django.po"))


def po_path(language: str) -> Path:
    """Where the catalogue of ``language`` is translated; its compiled form is beside it."""
    return CATALOGUES / language / "LC_MESSAGES" / "django.po"


def load(language: str) -> Catalog:
    """The catalogue of ``language``."""
    return _read(po_path(language), language)


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def follow_sources(language: str) -> list[str]:
    """Write the catalogue of ``language`` again: messages of the sources only, translations kept.

    Makes the catalogue where there is none. Returns the messages that have no translation.
    """
    path = po_path(language)
    known = {message.id: message.string for message in load(language)} if path.exists() else {}
    catalogue = Catalog(locale=language, project="portail", charset="utf-8")
    for message in messages():
        catalogue.add(message, known.get(message, ""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_written(catalogue))
    path.with_suffix(".mo").write_bytes(compiled(language))
    return [str(message.id) for message in load(language) if message.id and not message.string]


def _written(catalogue: Catalog) -> bytes:
    """The catalogue as a file whose head names no time: the same messages give the same bytes."""
    file = BytesIO()
    write_po(file, catalogue, width=120, no_location=True, omit_header=True, sort_output=True)
    head = f'msgid ""\nmsgstr ""\n"Language: {catalogue.locale}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return head.encode() + file.getvalue()


def compiled(language: str) -> bytes:
    """The compiled form of the catalogue of ``language``, as it should be beside it."""
    return _compile(load(language))


def compiled_staff_words() -> bytes:
    """The compiled form of :data:`STAFF_WORDS`, as it should be beside it."""
    return _compile(_read(STAFF_WORDS, "fr"))


def compiled_french_spaces() -> bytes:
    """The compiled form of what the pages of customers say in French, as :data:`FRENCH_SPACES` should hold it."""
    catalogue = Catalog(locale="fr")
    for text in sorted(_texts_of_files(_PAGES)):
        if set_spaces(text) != text:
            catalogue.add(text, set_spaces(text))
    return _compile(catalogue)


def _compile(catalogue: Catalog) -> bytes:
    file = BytesIO()
    catalogue.creation_date = catalogue.revision_date = _NO_TIME
    write_mo(file, catalogue)
    return file.getvalue()


def main(begun: list[str]) -> int:
    """Bring every catalogue up to date, those of the languages ``begun`` too; 1 where something is to translate."""
    STAFF_WORDS.with_suffix(".mo").write_bytes(compiled_staff_words())
    FRENCH_SPACES.parent.mkdir(parents=True, exist_ok=True)
    FRENCH_SPACES.write_bytes(compiled_french_spaces())
    missing = [(each, text) for each in sorted({*languages(), *begun}) for text in follow_sources(each)]
    for language, message in missing:
        print(f"{language} : {message}")
    print(f"Textes à traduire dans portal/locale : {len(missing)}." if missing else "Les catalogues sont à jour.")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
