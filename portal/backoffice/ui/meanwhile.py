"""Forms that are open twice at once: what was saved meanwhile, in another tab or by others, is not written over."""

import json
from typing import Any, Final

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.crypto import salted_hmac
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mailing.json_text import parse_json
from portal.backoffice.ui.changes import as_text

MARKS: Final = "vu"
_SALT: Final = "portal.backoffice.ui.meanwhile"


class MeanwhileMixin(forms.BaseForm):
    """Named before a form class whose ``initial`` is what is stored now, also when the form comes back.

    The page carries a mark of every value that it shows. Of a value that was changed since, the one that is stored
    remains where this page left it alone (:attr:`kept`); where it was changed here too, the field says so once, and is
    saved as it was typed the next time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: list[str] = []
        """The labels of the fields in which what was saved meanwhile was kept."""

    @property
    def marks(self) -> SafeString:
        """The hidden field; ``form_top`` of the page writes it."""
        marks = {name: _mark(name, self._stored(name)) for name in self._marked()}
        return format_html('<input type="hidden" name="{}" value="{}">', self.add_prefix(MARKS), json.dumps(marks))

    def _marked(self) -> list[str]:
        return [
            name
            for name, field in self.fields.items()
            if not field.disabled and not isinstance(field, forms.FileField) and not field.widget.is_hidden
        ]

    def _stored(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name)

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]  # the stubs leave it out
        try:
            shown = parse_json(self.data.get(self.add_prefix(MARKS), "{}"))
        except ValueError:
            return
        if not isinstance(shown, dict):
            return
        for name in self._marked():
            mark, stored = shown.get(name), self._stored(name)
            if mark is None or mark == _mark(name, stored) or name not in self.cleaned_data:
                continue
            typed = _mark(name, self.cleaned_data[name])
            if typed == _mark(name, stored):
                continue
            if typed == mark and self._keep(name, stored):
                self.kept.append(str(self.fields[name].label or name))
            else:
                self.add_error(name, self._sentence(name, stored))

    def _keep(self, name: str, stored: Any) -> bool:
        """Take ``stored`` for what was sent in the field; False where the field would refuse it, or its widget is none
        that is known here."""
        field = self.fields[name]
        widget: Any = field.widget.widget if isinstance(field.widget, RelatedFieldWidgetWrapper) else field.widget
        if not isinstance(self.data, QueryDict):
            return False
        data, key, value = self.data.copy(), self.add_prefix(name), field.prepare_value(stored)
        if isinstance(widget, forms.CheckboxInput):
            data.setlist(key, ["on"] if stored else [])
        elif isinstance(widget, (forms.widgets.Input, forms.Textarea, forms.widgets.ChoiceWidget)):
            shown = widget.format_value(value)
            data.setlist(key, [str(each) for each in (shown if isinstance(shown, list) else [shown or ""])])
        else:
            return False
        try:
            self.cleaned_data[name] = field.clean(widget.value_from_datadict(data, self.files, key))
        except ValidationError:
            return False
        self.data = data
        return True

    def _sentence(self, name: str, stored: Any) -> str:
        words = as_text(self.fields[name], name, stored)
        if words is None:
            return _("Modifié entre-temps par ailleurs. Enregistrez de nouveau pour garder votre saisie.")
        if not words:
            return _("Vidé entre-temps par ailleurs. Enregistrez de nouveau pour garder votre saisie.")
        sentence = _("Devenu entre-temps « %(stored)s ». Enregistrez de nouveau pour garder votre saisie.")
        return sentence % {"stored": words}


def _mark(name: str, value: Any) -> str:
    """Some letters that are others for another ``value``, and do not reveal it."""
    return salted_hmac(_SALT, f"{name}={_plain(value)}", algorithm="sha256").hexdigest()[:12]


def _plain(value: Any) -> str:
    """``value`` as text, the same whether it was read from the database or from a form."""
    if value is None:
        return ""
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, (list, tuple, set, QuerySet)):
        return json.dumps(sorted(map(_plain, value)))
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, default=str)
    return str(value).replace("\r\n", "\n").strip()
