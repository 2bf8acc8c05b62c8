"""The form with which an invoice is sent again."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class ResendForm(forms.Form):
    """Who receives an invoice again, and whether with the PDF."""

    accounts = forms.MultipleChoiceField(
        label=_("Destinataires"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Cochez au moins un destinataire.")},
    )
    attach_pdf = forms.BooleanField(label=_("Joindre le PDF de la facture au mail envoyé"), required=False)
    sending = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, accounts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        field = self.fields["accounts"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = accounts
