"""Forms of the customers' space."""

import json
import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers.logins import LONGEST_LOGIN
from customers.models import Account
from customers.passwords import known_about
from customers.typed_passwords import opens, with_signs_of_a_keyboard, without_edges, writings_of
from portal.proof import issuer_name, signs_in_by_issuer_only

REFUSED = _("Identifiant ou mot de passe incorrect. Majuscules et minuscules comptent dans le mot de passe.")


class LoginForm(AuthenticationForm):
    """Identifiant, Mot de passe, and whether to stay signed in."""

    remember = forms.BooleanField(label=_("Rester connecté sur cet appareil"), required=False)

    error_messages = {"invalid_login": REFUSED, "inactive": REFUSED}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_expired_provisional = False
        self.fields["username"].label = _("Identifiant")
        self.fields["username"].help_text = _("Votre adresse e-mail")
        self.fields["username"].widget.attrs.update(autocomplete="username", inputmode="email", spellcheck="false")
        self.fields["password"].label = _("Mot de passe")

    def clean_username(self) -> str:
        """No account has a login that long: refused as a wrong one is, before anything looks for it."""
        username: str = self.cleaned_data["username"]
        if len(username) > LONGEST_LOGIN:
            raise ValidationError(REFUSED, code="invalid_login")
        return username

    def confirm_login_allowed(self, user: Account) -> None:
        """Staff come by the company's issuer alone where it is the only way (OIDC_ONLY); one account is kept apart."""
        super().confirm_login_allowed(user)
        if signs_in_by_issuer_only(user):
            sentence = _("Votre compte se connecte avec %(issuer)s, par le bouton qui porte ce nom.")
            raise ValidationError(sentence % {"issuer": issuer_name()}, code="issuer_only")

    def get_invalid_login_error(self) -> ValidationError:
        """The same sentence for every refusal, except to the one who holds a provisional password that has run out.

        Hashing is done once more whoever asks, so that the time it takes reveals nothing either.
        """
        password = self.cleaned_data.get("password") or ""
        account = Account.objects.filter(login=self.cleaned_data.get("username") or "").first()
        if account is not None and account.is_active and account.has_expired_provisional:
            self.has_expired_provisional = opens(password, account.password)
        else:
            for writing in writings_of(password):
                make_password(writing)
        if self.has_expired_provisional:
            return ValidationError(_("Votre mot de passe provisoire a expiré."), code="expired_provisional")
        return super().get_invalid_login_error()


class LinkForm(forms.Form):
    """Whom to write a link to."""

    login = forms.CharField(
        label=_("Identifiant"),
        max_length=254,
        help_text=_("C’est l’adresse e-mail à laquelle vous recevez vos factures."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "inputmode": "email", "spellcheck": "false"}),
    )


def _password_rules() -> SafeString:
    return format_html_join("", "<li>{}</li>", ((text,) for text in password_validators_help_texts()))


class NewPasswordForm(forms.Form):
    """A new password, twice; the rules are shown."""

    new_password = forms.CharField(
        label=_("Nouveau mot de passe"),
        strip=False,
        max_length=512,
        help_text=lazy(lambda: "<ul>" + _password_rules() + "</ul>", str)(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Le même, une seconde fois"),
        strip=False,
        max_length=512,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    @property
    def known(self) -> str:
        """What the password must not be made of, as JSON: for the page, which shows its strength while it is typed."""
        return json.dumps(known_about(self.account))

    def clean_new_password(self) -> str:
        """Refuse what is too short, too common or too like the login; what was pasted around it is no part of it."""
        password = without_edges(self.cleaned_data["new_password"])
        validate_password(password, self.account)
        return password

    def clean_again(self) -> str:
        """As the first time."""
        return without_edges(self.cleaned_data["again"])

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        found = super().clean() or {}
        first, second = found.get("new_password"), found.get("again")
        if first and second and first != second:
            self.add_error("again", ValidationError(_("Les deux mots de passe ne sont pas les mêmes.")))
        return found


class ChangePasswordForm(NewPasswordForm):
    """A new password, after the present one."""

    present = forms.CharField(
        label=_("Mot de passe actuel"),
        strip=False,
        max_length=512,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("present", "new_password", "again")

    def clean_present(self) -> str:
        """It must be the account's own."""
        present: str = self.cleaned_data["present"]
        if not opens(present, self.account.password):
            raise ValidationError(_("Ce n’est pas votre mot de passe actuel."))
        return present


class PreferencesForm(forms.ModelForm[Account]):
    """What the account receives, and in which of ``languages`` it is written to; no choice where there is only one."""

    class Meta:
        model = Account
        fields = ("notify_by_mail", "language")
        labels = {"notify_by_mail": _("Recevoir un mail à chaque nouvelle facture")}
        help_texts = {"notify_by_mail": _("Sans mail, vos factures apparaissent quand même dans votre espace.")}

    def __init__(self, *args: Any, languages: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(languages) < 2:
            del self.fields["language"]
            return
        choices = [(code, name) for code, name in settings.LANGUAGES if code in languages]
        self.fields["language"] = forms.ChoiceField(label=_("Langue de l’espace et des mails"), choices=choices)


class VerificationForm(forms.Form):
    """Either the PDF, or the number and the fingerprint."""

    pdf = forms.FileField(
        label=_("Le PDF reçu"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
    )
    number = forms.CharField(label=_("Numéro de la facture"), max_length=100, required=False)
    fingerprint = forms.CharField(
        label=_("Empreinte"),
        max_length=200,
        required=False,
        help_text=_("Les 16 premiers caractères suffisent. Elle est écrite sur la page de la facture."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )

    def clean_fingerprint(self) -> str:
        """Hexadecimal, without what makes it readable: its name before it, spaces and signs between its groups."""
        typed = with_signs_of_a_keyboard(self.cleaned_data["fingerprint"]).lower()
        text = re.sub(r"[\s:-]|^.*sha-?256", "", typed)
        if text and (len(text) < 16 or len(text) > 64 or any(char not in "0123456789abcdef" for char in text)):
            raise ValidationError(_("Une empreinte compte 16 à 64 caractères, de 0 à 9 et de a à f."))
        return text

    def clean(self) -> dict[str, Any]:
        """One of both ways, and whole."""
        found = super().clean() or {}
        if found.get("pdf") or self.errors:
            return found
        if not found.get("number") and not found.get("fingerprint"):
            raise ValidationError(_("Choisissez le PDF, ou saisissez le numéro et l’empreinte."))
        if not found.get("number"):
            self.add_error("number", ValidationError(_("Saisissez aussi le numéro de la facture.")))
        if not found.get("fingerprint"):
            self.add_error("fingerprint", ValidationError(_("Saisissez aussi l’empreinte.")))
        return found
