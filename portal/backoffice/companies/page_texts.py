"""The public pages of a company in its other languages: one text for each language and page, in one field."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from invoices.models import Company
from invoices.models.company import PAGES
from mailing.json_text import parse_json
from mailing.letters import harmless


class PageTextsInput(forms.Widget):
    """A box for each language and page, and which texts are missing."""

    template_name = "backoffice/companies/page_texts.html"
    company: Company | None = None
    """Whose pages they are: the languages that it offers have boxes, those with a text keep theirs."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The boxes, by language."""
        typed = value if isinstance(value, dict) else {}
        company = self.company or Company()
        missing = company.missing_page_texts()
        names = dict(settings.LANGUAGES)
        languages = [
            {
                "code": code,
                "name": names[code],
                "missing": missing.get(code, []),
                "boxes": [
                    {
                        "name": _box(name, code, page),
                        "label": Company._meta.get_field(page).verbose_name,  # type: ignore[union-attr]
                        "text": typed.get(code, {}).get(page, ""),
                    }
                    for page in PAGES
                ],
            }
            for code in names
            if code != settings.LANGUAGE_CODE and (code in company.languages or typed.get(code))
        ]
        return {**super().get_context(name, value, attrs), "languages": languages}

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """The texts that were typed; or the whole value where it was given as one."""
        if name in data:
            return data[name]
        found = {
            code: {page: str(data.get(_box(name, code, page), "")).strip() for page in PAGES}
            for code, _language in settings.LANGUAGES
            if code != settings.LANGUAGE_CODE
        }
        return _as_stored(found)

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Never: a box that is not there is a language that is not offered."""
        return False

    def id_for_label(self, id_: str) -> str:
        """None: each box has a label of its own."""
        return ""


class PageTextsField(forms.Field):
    """Texts by language and page (``{"en": {"legal_page": "…"}}``), as a file of settings writes them too."""

    widget = PageTextsInput

    def to_python(self, value: Any) -> dict[str, dict[str, str]]:
        """Raises ValidationError, in French, where it is of another shape."""
        if isinstance(value, str) and value.strip():
            try:
                value = parse_json(value)
            except ValueError:
                value = None
        if value in ("", {}):
            return {}
        languages = {code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE}
        is_right = isinstance(value, dict) and all(
            code in languages
            and isinstance(texts, dict)
            and all(page in PAGES and isinstance(text, str) for page, text in texts.items())
            for code, texts in value.items()
        )
        if not is_right:
            raise ValidationError(
                _("Des textes par langue (%(languages)s) puis par page (%(pages)s) sont attendus.")
                % {"languages": ", ".join(sorted(languages)), "pages": ", ".join(PAGES)}
            )
        return _as_stored(value)


def _box(name: str, language: str, page: str) -> str:
    return f"{name}-{language}-{page}"


def _as_stored(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """``texts`` without the empty ones, and without characters that no database keeps."""
    kept = {
        code: {page: kept for page, text in each.items() if (kept := harmless(text).strip())}
        for code, each in texts.items()
    }
    return {code: each for code, each in kept.items() if each}
