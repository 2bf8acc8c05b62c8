"""Plateformes agréées: how each is reached, with its secrets, which are typed and never shown."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.space_urls import site_url
from invoices.models import Platform
from invoices.platforms.client import PlatformClient, PlatformError
from portal.backoffice.ui.lists import BackOfficeAdmin, NextStep
from portal.proof import ask_for_proof
from portal.sessions import is_proved_lately


class PlatformForm(forms.ModelForm[Platform]):
    """The platform; an empty secret leaves the one that is kept."""

    new_client_secret = forms.CharField(
        label=gettext_lazy("Secret du client (client_secret)"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Gardé chiffré, jamais montré. Vide : inchangé."),
    )
    new_callback_secret = forms.CharField(
        label=gettext_lazy("Secret des rappels"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Celui dont la plateforme signe ses rappels. Gardé chiffré. Vide : inchangé."),
    )

    class Meta:
        model = Platform
        fields = ("name",)  # the card adds its own

    def clean_new_client_secret(self) -> str:
        """A new platform needs one."""
        secret: str = self.cleaned_data["new_client_secret"]
        if not secret and not self.instance.client_secret:
            raise forms.ValidationError(_("Saisissez le secret que la plateforme vous a donné."))
        return secret

    def clean(self) -> dict[str, Any]:
        """Callbacks that are signed need the secret they are signed with."""
        cleaned = super().clean() or self.cleaned_data
        signs = cleaned.get("signature") not in (None, Platform.Signature.NONE)
        if signs and not cleaned.get("new_callback_secret") and not self.instance.callback_secret:
            self.add_error("new_callback_secret", _("Des rappels signés demandent leur secret."))
        if not signs and cleaned.get("new_callback_secret"):
            self.add_error("signature", _("Choisissez comment ces rappels sont signés, ou laissez leur secret vide."))
        return cleaned

    def save(self, commit: bool = True) -> Platform:
        """Keep the secrets that were typed, encrypted."""
        if secret := self.cleaned_data["new_client_secret"]:
            self.instance.set_client_secret(secret)
        if secret := self.cleaned_data["new_callback_secret"]:
            self.instance.set_callback_secret(secret)
        return super().save(commit)


@admin.register(Platform)
class PlatformAdmin(BackOfficeAdmin[Platform]):
    """The platforms of this installation; which company goes through which is said in «Société»."""

    empty_sentence = gettext_lazy(
        "Aucune plateforme pour l’instant : les factures partent par mail et par l’espace client."
    )
    next_step = NextStep(gettext_lazy("Ajouter une plateforme"), "invoices_platform_add", "invoices.add_platform")
    form = PlatformForm
    # An address is typed here, not followed.
    formfield_overrides: ClassVar = {models.URLField: {"widget": forms.URLInput(attrs={"class": "vURLField"})}}
    list_display = ("name", "flow_url", "submits_by_itself", "polled_at", "problem")
    search_fields = ("name",)
    readonly_fields = ("callback_address", "polled_at", "paused_until", "problem")
    actions = ("try_connection",)
    fieldsets = (
        (
            gettext_lazy("Connexion"),
            {
                "fields": (
                    "name",
                    ("flow_url", "directory_url"),
                    "token_url",
                    ("client_id", "new_client_secret"),
                    "scope",
                    "submits_by_itself",
                )
            },
        ),
        (
            gettext_lazy("Rappels"),
            {"fields": ("signature", "new_callback_secret", "callback_address")},
        ),
        (
            gettext_lazy("Particularités"),
            {"fields": ("searches_tracking_id", "takes_processing_rule", "secret_in_body", "settle_seconds")},
        ),
        (gettext_lazy("Dernier contact"), {"fields": ("polled_at", "paused_until", "problem")}),
    )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The card, whose addresses and secrets say where invoices go: who is there is asked once more."""
        if self.has_change_permission(request) and not is_proved_lately(request):
            return ask_for_proof(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    @admin.display(description=gettext_lazy("adresse à donner à la plateforme"))
    def callback_address(self, platform: Platform) -> str:
        """Where the platform calls back, whole; what to do first where it is not saved yet."""
        if platform.pk is None:
            return _("Enregistrez la plateforme : son adresse paraît ici.")
        return format_html("<code>{}</code>", site_url("platform_callback", platform.callback_key))

    @admin.action(description=gettext_lazy("Essayer la connexion"), permissions=["change"])
    def try_connection(self, request: HttpRequest, queryset: QuerySet[Platform]) -> None:
        """Ask for a token and for the platform's health."""
        for platform in queryset:
            try:
                PlatformClient(platform).check_health()
            except PlatformError as problem:
                self.message_user(request, f"{platform} : {problem}", messages.WARNING)
            else:
                Platform.objects.filter(pk=platform.pk).update(paused_until=None, problem="")
                self.message_user(request, _("%(platform)s répond.") % {"platform": platform})
