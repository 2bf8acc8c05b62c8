"""The spelling of what people read: each catalogue by the hunspell dictionary of its language, and the French sources.

``bin/spell`` runs it by hand. What a dictionary does not know and is right is in ``locale/words/<language>.txt``;
``locale/words/all.txt`` has names and abbreviations of every language.
"""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from typing import Final

from portal.catalogues import CATALOGUES, ROOT, languages, load, marked_texts, template_texts

WORDS: Final = CATALOGUES / "words"
# The dictionaries of Debian where they are not named as the language is.
DICTIONARIES: Final = {"en": "en_GB", "de": "de_DE", "es": "es_ES"}
SOURCES: Final = ("portal", "invoices", "customers", "mailing", "templates")
# What is in a text and is no word of it: values, tags, placeholders, addresses, names of settings and of files.
_NO_WORDS: Final = re.compile(
    r"%\(\w+\)[sd]|%[sd%]|\{[^}]*\}|<[^>]+>|#[A-Z_]+|https?://\S+|[?&]\w+=\S+|\S+@\S+|&\w+;|\b[A-Z]+(?:_[A-Z\d]+)+\b"
    r"|[\w-]+[._/]\w[\w./-]*|(?<!\w)--?[a-z][\w-]*|\bmanage\.py \w+"
)
_WORD: Final = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")


class UnreadableError(Exception):
    """hunspell or a dictionary is missing; the message is a French sentence."""


def french_texts() -> set[str]:
    """Every text of the sources that is marked for gettext, for customers and staff alike."""
    texts: set[str] = set()
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix == ".py":
                texts.update(marked_texts(ast.parse(path.read_text())))
            elif path.suffix in (".html", ".txt"):
                texts.update(template_texts(path.read_text()))
    return texts


def translations(language: str) -> set[str]:
    """What the catalogue of ``language`` says."""
    return {str(message.string) for message in load(language) if message.id and message.string}


def words_of(texts: Iterable[str]) -> set[str]:
    """The words of ``texts`` as a reader meets them, apostrophes made straight as dictionaries have them."""
    return {word.replace("’", "'") for text in texts for word in _WORD.findall(_NO_WORDS.sub(" ", text))}


def accepted(language: str) -> set[str]:
    """The words that are right though a dictionary does not know them."""
    lists = (WORDS / "all.txt", WORDS / f"{language}.txt")
    return {word for path in lists if path.exists() for word in path.read_text().split()}


def unknown_words(language: str, texts: Iterable[str]) -> list[str]:
    """The words of ``texts`` that neither hunspell knows nor the list of accepted ones. Raises UnreadableError."""
    dictionary = DICTIONARIES.get(language, language)
    program = shutil.which("hunspell")
    if program is None:
        raise UnreadableError("hunspell n’est pas installé : apt-get install hunspell hunspell-fr hunspell-de-de …")
    done = subprocess.run(  # noqa: S603 - a fixed program, no shell
        [program, "-d", dictionary, "-i", "utf-8", "-l"],
        input="\n".join(sorted(words_of(texts))),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or "Can't open" in done.stderr:
        raise UnreadableError(
            f"hunspell n’a pas de dictionnaire {dictionary} (paquet hunspell-{dictionary.lower().replace('_', '-')}, "
            f"ou hunspell-{language})."
        )
    return sorted(set(done.stdout.split()) - accepted(language))


def main() -> int:
    """0 where every word is known, 1 where one is not, 3 where it is unknown."""
    found = 0
    for language in ("fr", *languages()):
        texts = french_texts() if language == "fr" else translations(language)
        try:
            unknown = unknown_words(language, texts)
        except UnreadableError as error:
            print(error, file=sys.stderr)
            return 3
        print(f"{language} : {len(words_of(texts))} mots, {len(unknown)} inconnus")
        for word in unknown:
            print(f"    {word}")
        found += len(unknown)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
