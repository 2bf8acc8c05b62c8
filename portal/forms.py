"""Forms of the customers' space."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class LoginForm(AuthenticationForm):
    """Identifiant, Mot de passe, and whether to stay signed in."""

    remember = forms.BooleanField(label=_("Rester connecté sur cet appareil"), required=False)

    error_messages = {
        "invalid_login": _(
            "Identifiant ou mot de passe incorrect. Le mot de passe distingue majuscules et minuscules."
        ),
        "inactive": _("Identifiant ou mot de passe incorrect. Le mot de passe distingue majuscules et minuscules."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Identifiant")
        self.fields["username"].widget.attrs.update(autocomplete="username", inputmode="email", spellcheck="false")
        self.fields["password"].label = _("Mot de passe")
