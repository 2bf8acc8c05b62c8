"""Forms of the export screens: the selection, its name, and the correction of a line on the spot."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Contact, Customer
from customers.recipients import ContactRules
from customers.searching import search_key
from invoices.exporting.criteria import Criteria, Period, Scope
from invoices.exporting.criteria_text import describe_dates
from invoices.exporting.exports import last_export_day
from invoices.models import SavedSelection
from mailing.addresses import InvalidAddressError, parse_address

KNOWN_FUNCTIONS_SHOWN = 6


def _date_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": _("Cette date n’existe pas : écrivez-la jj/mm/aaaa.")},
    )


class SelectionForm(forms.Form):
    """The choices exactly as accounting staff know them; gives a :class:`Criteria`."""

    scope = forms.ChoiceField(
        label=_("Sélection des factures"),
        choices=[
            (Scope.WITH_CREDENTIALS, _("Uniquement les factures des clients ayant des identifiants de connexion")),
            (Scope.ALL, _("Toutes les factures")),
        ],
        widget=forms.RadioSelect,
    )
    kind = forms.ChoiceField(
        label=_("Sélection des pièces"),
        choices=[
            (Customer.Kind.PROFESSIONAL, _("Pour les « professionnels »")),
            (Customer.Kind.INDIVIDUAL, _("Pour les « particuliers »")),
            ("", _("Les deux")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    period = forms.ChoiceField(label=_("Période d’export"), choices=[], widget=forms.RadioSelect)
    start = _date_field(_("Début"))
    end = _date_field(_("Fin"))
    use_contacts = forms.BooleanField(
        label=_("Sélectionner les adresses mail des contacts rattachés aux fiches clients"), required=False
    )
    require_contact = forms.BooleanField(
        label=_("Ne pas faire apparaître les clients n’ayant pas de contacts"), required=False
    )
    main_contact_only = forms.BooleanField(
        label=_("Sélectionner seulement les contacts « interlocuteur principal »"), required=False
    )
    function = forms.CharField(
        label=_("Filtrer les contacts dont la fonction contient"),
        required=False,
        max_length=200,
        help_text=_("Majuscules et accents ne comptent pas. Exemple : « compta »."),
    )
    generate_credentials = forms.BooleanField(
        label=_("Générer les identifiants de connexion à l’espace client"), required=False
    )
    notify = forms.BooleanField(
        label=_("Accompagner la mise à jour de l’espace client d’un mail pour avertir le client"), required=False
    )
    attach_pdf = forms.BooleanField(label=_("Joindre le PDF de la facture au mail envoyé"), required=False)
    one_mail_per_customer = forms.BooleanField(
        label=_("Un seul mail par client"),
        required=False,
        help_text=_("Toutes ses factures du même export ; au-delà d’une certaine taille, le lien seul."),
    )

    mail_only_reason = forms.CharField(
        label=_("Dérogation à la plateforme agréée : motif"),
        required=False,
        max_length=500,
        help_text=_(
            "À remplir seulement pour envoyer par mail des factures que la loi destine à une plateforme agréée. "
            "Le motif est gardé avec l’export."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_%s", "label_suffix": "", **kwargs})
        today, last = timezone.localdate(), last_export_day()
        relative = {
            Period.PREVIOUS_MONTH: _("Mois dernier"),
            Period.CURRENT_MONTH: _("Mois en cours"),
            Period.SINCE_LAST_EXPORT: _("Depuis le dernier export"),
        }
        choices: list[tuple[str, Any]] = [(Period.FIXED, _("Dates de facture (début et fin incluses)"))]
        for period, label in relative.items():
            seen = Criteria(period=period).resolve_period(today, last)
            dates = describe_dates(seen.start, seen.end)
            if period == Period.SINCE_LAST_EXPORT:
                dates = str(_("pas encore exportées, quelle que soit leur date"))
            choices.append((period, f"{label} : {dates}"))
        period_field = self.fields["period"]
        if isinstance(period_field, forms.ChoiceField):
            period_field.choices = choices

    @staticmethod
    def values_of(criteria: Criteria) -> dict[str, Any]:
        """What the form shows for ``criteria``."""
        contacts = criteria.contacts
        is_fixed = criteria.period == Period.FIXED
        return {
            "scope": str(criteria.scope),
            "kind": criteria.kind,
            "period": str(criteria.period),
            "start": criteria.start if is_fixed else None,
            "end": criteria.end if is_fixed else None,
            "use_contacts": contacts.use_contacts,
            "require_contact": contacts.require_contact,
            "main_contact_only": contacts.main_contact_only,
            "function": contacts.function,
            "generate_credentials": criteria.generate_credentials,
            "notify": criteria.notify,
            "attach_pdf": criteria.attach_pdf,
            "one_mail_per_customer": criteria.one_mail_per_customer,
            "mail_only_reason": criteria.mail_only_reason,
        }

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
        for field in ("attach_pdf", "one_mail_per_customer"):
            if data.get(field) and not data.get("notify"):
                self.add_error(field, _("Cochez aussi « Accompagner la mise à jour de l’espace client d’un mail »."))
        return data

    def criteria(self) -> Criteria:
        """The choices as they would be saved: a relative period has no dates yet. Only after ``is_valid()``."""
        data = self.cleaned_data
        return Criteria(
            start=data["start"],
            end=data["end"],
            period=Period(data["period"]),
            kind=data["kind"],
            scope=Scope(data["scope"]),
            contacts=ContactRules(
                use_contacts=data["use_contacts"],
                require_contact=data["require_contact"],
                main_contact_only=data["main_contact_only"],
                function=data["function"],
            ),
            generate_credentials=data["generate_credentials"],
            notify=data["notify"],
            attach_pdf=data["attach_pdf"],
            one_mail_per_customer=data["one_mail_per_customer"],
            mail_only_reason=data["mail_only_reason"].strip(),
        )

    def criteria_today(self) -> Criteria:
        """The choices with the dates that a relative period has today."""
        return self.criteria().resolve_period(timezone.localdate(), last_export_day())


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
    use_required_attribute = False

    def clean_address(self) -> str:
        """One ``local@domain``."""
        return clean_address(self.cleaned_data["address"])


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
