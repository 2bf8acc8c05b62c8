"""Forms of the customer card: addresses are checked as they are typed, and one contact at most is the main one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Contact, Customer
from invoices.platforms.directory import choices_for
from portal.backoffice.ui.lists import LabelledInlineFormSet
from portal.backoffice.ui.mail_addresses import check_email
from portal.backoffice.ui.meanwhile import MeanwhileMixin
from portal.backoffice.ui.text_fields import IdentifierField, UpperField


class CustomerForm(forms.ModelForm[Customer]):
    """Entête and Édition."""

    class Meta:
        model = Customer
        fields = ("email", "country", "invoice_copies")  # the card adds its own
        field_classes = {
            "country": UpperField,
            "invoice_copies": UpperField,
            "siren": IdentifierField,
            "siret": IdentifierField,
            "vat_identifier": IdentifierField,
        }
        help_texts = {
            "email": gettext_lazy("Sert d’identifiant à l’espace client, sauf si un contact le remplace."),
            "country": gettext_lazy("Code à deux lettres : FR, DE, BE…"),
            "invoice_copies": gettext_lazy(
                "D : démat. Les factures sont déposées sur l’espace du client, qui en est averti par mail. "
                "Un nombre (0, 1, 2…) : exemplaires papier ; les factures de ce client ne sont pas exportées."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer_addresses()

    def _offer_addresses(self) -> None:
        """Where the directory gives several addresses, or another one than the card's, they are there to choose."""
        field = self.fields.get("electronic_address")
        choices = choices_for(self.instance) if field is not None and self.instance.pk else []
        known = {address for address, _name in choices}
        kept = self.instance.electronic_address
        if field is None or not choices or (len(choices) == 1 and (kept or self.instance.siren) in known):
            return
        if kept and kept not in known:
            choices.insert(0, (kept, _("%(address)s (plus dans l’annuaire)") % {"address": kept}))
        empty = _("le SIREN") if self.instance.siren in known else _("à choisir")
        field.widget = forms.Select(choices=[("", empty), *choices])
        field.help_text = _(
            "Les adresses ouvertes que donne l’annuaire. Celle qui est choisie est écrite sur l’e-facture."
        )

    def clean_email(self) -> str:
        """One address or none."""
        return check_email(self.cleaned_data["email"])


class ContactForm(forms.ModelForm[Contact]):
    """A contact."""

    class Meta:
        model = Contact
        fields = ("customer", "name", "function", "email", "is_main")

    def clean_email(self) -> str:
        """One address or none."""
        return check_email(self.cleaned_data["email"])


class CardContactForm(MeanwhileMixin, ContactForm):
    """A contact among those of the card, which are looked at together: see :class:`ContactFormSet`."""

    def validate_constraints(self) -> None:
        """Nothing row by row: the main place may change hands within one saving."""


class ContactFormSet(LabelledInlineFormSet[Contact, Customer, forms.ModelForm[Contact]]):
    """The contacts of one customer, looked at together."""

    def clean(self) -> None:
        """One main contact at most, every address once; contacts that somebody added meanwhile count too."""
        super().clean()
        kept: list[tuple[str, bool]] = []
        shown = {form.instance.pk for form in self.initial_forms}
        for form in self.forms:
            data = getattr(form, "cleaned_data", None)
            if data and not data.get("DELETE"):
                kept.append(((data.get("email") or "").lower(), bool(data.get("is_main"))))
        if self.instance.pk:
            unseen = self.instance.contacts.exclude(pk__in=shown).values_list("email", "is_main")
            kept += [(email.lower(), is_main) for email, is_main in unseen]
        if sum(is_main for _email, is_main in kept) > 1:
            raise ValidationError(_("Un seul contact peut être l’interlocuteur principal."))
        addresses = [email for email, _is_main in kept if email]
        twice = sorted({address for address in addresses if addresses.count(address) > 1})
        if twice:
            raise ValidationError(_("Deux contacts ont la même adresse : %(address)s.") % {"address": ", ".join(twice)})

    def save(self, commit: bool = True) -> list[Contact]:
        """Save, after freeing what changes hands: at no moment does the database allow two main contacts."""
        if commit:
            changed = [form for form in self.initial_forms if form.has_changed() and form.instance.pk]
            keys = [form.instance.pk for form in changed]
            Contact.objects.filter(pk__in=keys).update(is_main=False, email="")
        saved: list[Contact] = super().save(commit=commit)
        return saved
