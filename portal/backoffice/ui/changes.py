"""What a form changed, with the values before and after: kept in Django's history, and read from it as a sentence."""

import json
from typing import Any, Final

from django import forms
from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet
from django.utils.formats import localize
from django.utils.translation import gettext as _

# Of a text as long as this two versions are not readable in a line.
LONGEST: Final = 80
_HIDDEN: Final = ("password", "secret", "token", "key")


def changed_values(form: Any) -> list[list[str]]:
    """For each field that ``form`` changed its label, and what stood in it before and is in it now.

    Files, long texts and what is secret have their label alone.
    """
    changed = []
    for name in form.changed_data:
        if (field := form.fields.get(name)) is None:
            continue
        label = str(field.label or name)
        before, after = form.initial.get(name), form.cleaned_data.get(name)
        words = [as_text(field, name, value) for value in (before, after)]
        pair = [word for word in words if word is not None]
        changed.append([label, *pair] if len(pair) == len(words) and pair[0] != pair[1] else [label])
    return changed


def as_text(field: forms.Field, name: str, value: Any) -> str | None:
    """``value`` of ``field`` as a reader knows it; None where it is not shown (secret, long, a file, several)."""
    is_secret = isinstance(field.widget, forms.PasswordInput) or any(word in name for word in _HIDDEN)
    if is_secret or isinstance(field, forms.FileField) or isinstance(value, (list, tuple, set, dict, QuerySet)):
        return None
    if isinstance(field, forms.ModelChoiceField):
        if value and not isinstance(value, Model) and field.queryset is not None:
            value = field.queryset.filter(pk=value).first()
        return str(value or "")
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return str(dict(choices).get(value, value if value is not None else ""))
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    text = str(localize(value)) if value is not None else ""
    return text if len(text) <= LONGEST and "\n" not in text else None


def describe_values(entry: LogEntry) -> str:
    """«a changé « E-mail » de a@x à b@x», or nothing where the history holds no values of it."""
    try:
        parts = json.loads(entry.change_message)
    except ValueError:
        return ""
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return ""
    values = [each for part in parts for each in part.get("changed", {}).get("values", [])]
    others = [part for part in parts if "values" not in part.get("changed", {})] if values else []
    sentences = [_sentence(*each) for each in values]
    if others:
        rest = LogEntry(action_flag=entry.action_flag, change_message=json.dumps(others)).get_change_message()
        sentences.append(rest)
    return " ; ".join(sentences)


def _sentence(label: str, before: str | None = None, after: str | None = None) -> str:
    if before is None or after is None:
        return _("a changé « %(field)s »") % {"field": label}
    if not before:
        return _("a rempli « %(field)s » : %(after)s") % {"field": label, "after": after}
    if not after:
        return _("a vidé « %(field)s », qui était %(before)s") % {"field": label, "before": before}
    return _("a changé « %(field)s » de %(before)s à %(after)s") % {"field": label, "before": before, "after": after}
