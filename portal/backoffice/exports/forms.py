"""Forms of the export screens: the selection, its name, and the correction of a line on the spot."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Contact
from customers.searching import search_key
from invoices.exporting.choices import CHOICE_BY_NAME, CHOICES, Choice, Kind, criteria_of
from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.criteria_text import describe_days
from invoices.exporting.exports import last_export_day
from invoices.models import SavedSelection
from mailing.addresses import InvalidAddressError, parse_address
from portal.backoffice.ui.meanwhile import MeanwhileMixin

KNOWN_FUNCTIONS_SHOWN = 6


def _field_of(choice: Choice) -> forms.Field:
    words: dict[str, Any] = {"label": choice.label, "help_text": choice.help_text, "required": False}
    match choice.kind:
        case Kind.FLAG:
            # exports.js ticks what a choice needs, and unticks a choice whose need is unticked.
            needs = {"data-needs": choice.needs} if choice.needs else {}
            return forms.BooleanField(**words, widget=forms.CheckboxInput(attrs=needs))
        case Kind.TEXT:
            return forms.CharField(**words, max_length=choice.max_length)
        case Kind.DAY:
            return forms.DateField(
                **words,
                input_formats=["%Y-%m-%d", "%d/%m/%Y"],
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
                error_messages={"invalid": _("Cette date n’existe pas : écrivez-la jj/mm/aaaa.")},
            )
        case Kind.ONE_OF:
            is_required = "" not in dict(choice.values)
            return forms.ChoiceField(
                **{**words, "required": is_required}, choices=choice.values, widget=forms.RadioSelect
            )


class SelectionForm(forms.Form):
    """The choices exactly as accounting staff know them; gives a :class:`Criteria`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_%s", "label_suffix": "", **kwargs})
        self.fields |= {choice.name: _field_of(choice) for choice in CHOICES}
        period = self.fields["period"]
        if isinstance(period, forms.ChoiceField):
            period.choices = [
                (value, self._with_days(value, label)) for value, label in CHOICE_BY_NAME["period"].values
            ]

    @staticmethod
    def _with_days(value: str, label: Any) -> str:
        """«Mois dernier : du 01/10/2026 au 31/10/2026», as it would be today."""
        criteria = Criteria(period=Period(value)).resolve_period(timezone.localdate(), None)
        days = describe_days(criteria)
        return f"{label} : {days}" if days else str(label)

    def clean_function(self) -> str:
        """Refuse a text that no contact's function contains: it would silently empty the selection."""
        text: str = self.cleaned_data["function"].strip()
        if text and not Contact.objects.filter(function_key__contains=search_key(text)).exists():
            known = Contact.objects.exclude(function="").order_by("function").values_list("function", flat=True)
            functions = ", ".join(known.distinct()[:KNOWN_FUNCTIONS_SHOWN])
            raise ValidationError(
                _("Aucun contact n’a une fonction contenant « %(text)s ». Fonctions connues : %(known)s.")
                if functions
                else _("Aucun contact n’a une fonction contenant « %(text)s »."),
                params={"text": text, "known": functions},
            )
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it starts, dates beside a relative period, a PDF without a mail."""
        data = self.cleaned_data
        start, end, period = data.get("start"), data.get("end"), data.get("period")
        if start and end and end < start:
            self.add_error("end", _("La fin de la période précède son début."))
        if period and period != Period.FIXED and (start or end):
            self.add_error(
                "period", _("Choisissez « Dates de facture » pour vous servir de ces dates, ou effacez-les.")
            )
        for choice in CHOICES:
            if choice.needs and data.get(choice.name) and not data.get(choice.needs):
                self.add_error(
                    choice.name, _("Cochez aussi « %(label)s ».") % {"label": CHOICE_BY_NAME[choice.needs].label}
                )
        return data

    def criteria(self) -> Criteria:
        """The choices as they would be saved: a relative period has no dates yet. Only after ``is_valid()``."""
        return criteria_of(self.cleaned_data)

    def criteria_today(self) -> Criteria:
        """The choices with the dates that a relative period has today."""
        return self.criteria().resolve_period(timezone.localdate(), last_export_day())


class SavedSelectionForm(MeanwhileMixin, SelectionForm):
    """The choices of a selection that is saved already; ``initial`` is what it holds now."""


class SelectionNameForm(forms.Form):
    """The name under which the choices are kept."""

    name = forms.CharField(
        label=_("Nom de la sélection"),
        max_length=100,
        error_messages={"required": _("Donnez un nom à la sélection pour l’enregistrer.")},
    )

    def __init__(self, *args: Any, reopened: SavedSelection | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.reopened = reopened
        self.fields["name"].required = True
        self.fields["name"].widget.attrs.pop("required", None)
        self.use_required_attribute = False

    def clean_name(self) -> str:
        """A name is free, or that of the selection that was reopened."""
        name: str = self.cleaned_data["name"].strip()
        taken = SavedSelection.objects.filter(name__iexact=name)
        if self.reopened is not None:
            taken = taken.exclude(pk=self.reopened.pk)
        if taken.exists():
            raise ValidationError(
                _("Une sélection s’appelle déjà « %(name)s » : rouvrez-la pour la changer, ou donnez un autre nom."),
                params={"name": name},
            )
        return name


def clean_address(text: str) -> str:
    """``text`` as an address; raises ValidationError, in French, where it is none."""
    try:
        parse_address(text)
    except InvalidAddressError as error:
        raise ValidationError(str(error)) from error
    return text.strip()


class AddressForm(forms.Form):
    """The address of a customer card, or the right one in place of a wrong one."""

    address = forms.CharField(
        label=_("Adresse e-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Saisissez une adresse e-mail.")},
    )
    old = forms.CharField(required=False, widget=forms.HiddenInput)
    # Whether a login that is on the address follows: for those who manage accounts.
    moves_login = False
    use_required_attribute = False

    def clean_address(self) -> str:
        """One ``local@domain``."""
        return clean_address(self.cleaned_data["address"])


class DirectoryAddressForm(forms.Form):
    """One of the open addresses that the directory gives for a customer."""

    address = forms.ChoiceField(
        label=_("Adresse de l’annuaire"),
        error_messages={
            "required": _("Choisissez une adresse."),
            "invalid_choice": _("L’annuaire ne donne pas cette adresse pour ce client."),
        },
    )
    use_required_attribute = False

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        field = self.fields["address"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("à choisir")), *choices]


class NewContactForm(forms.ModelForm[Contact]):
    """A contact added to a customer who has none that the selection retains."""

    use_required_attribute = False

    class Meta:
        model = Contact
        fields = ("name", "function", "email", "is_main")
        error_messages = {"name": {"required": _("Saisissez le nom du contact.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.fields["email"].required = True
        self.fields["email"].error_messages["required"] = str(_("Saisissez l’adresse e-mail du contact."))

    def clean_email(self) -> str:
        """One ``local@domain``, which no other contact of this customer has."""
        address = clean_address(self.cleaned_data["email"])
        if self._others().filter(email__iexact=address).exists():
            raise ValidationError(_("Ce client a déjà un contact à cette adresse."))
        return address

    def clean_is_main(self) -> bool:
        """One main contact at most."""
        is_main: bool = self.cleaned_data["is_main"]
        if is_main and self._others().filter(is_main=True).exists():
            raise ValidationError(_("Ce client a déjà un interlocuteur principal : changez-le sur sa fiche."))
        return is_main

    def _others(self) -> "QuerySet[Contact]":
        return Contact.objects.filter(customer=self.instance.customer_id)

    @staticmethod
    def suggestion(criteria: Criteria) -> dict[str, Any]:
        """What the selection asks of a contact, filled in."""
        return {"function": criteria.contacts.function, "is_main": criteria.contacts.main_contact_only}
