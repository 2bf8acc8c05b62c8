"""Which words of a text are spelt, and what is said where nothing can read them."""

import pytest

from portal.spelling import UnreadableError, french_texts, unknown_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L’export n° %(number)s de {{ company.name }}", {"export", "de"}),
        ("<strong>Envoyé</strong> à compta@exemple.fr, https://exemple.fr/aide", {"Envoyé"}),
        ("Voir #REFFACTURE et EMAIL_URL dans docs/import.md", {"Voir", "et", "dans"}),
        ("manage.py run_worker, avec --only", {"avec"}),
        ("USt-IdNr. sous-traitance", {"USt-IdNr", "sous-traitance"}),
    ],
)
def test_the_words_of_a_text_are_those_that_a_reader_meets(text: str, words: set[str]) -> None:
    assert words_of([text]) == words


def test_texts_of_staff_and_of_customers_are_read() -> None:
    texts = french_texts()
    assert {"Se déconnecter", "Paramétrage société"} <= texts


def test_a_machine_without_hunspell_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnreadableError, match="apt-get install hunspell"):
        unknown_words("fr", ["bonjour"])
