"""Predefined messages: the list, the editor with its placeholders, the history of texts."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.models import Company
from mailing.composition import restore_version, save_template, save_translation
from mailing.models import MessageTemplate
from mailing.placeholders import PLACEHOLDERS, check_template_texts, missing_placeholders, placeholders_for
from mailing.shipped_texts import differs_from_shipped, has_newer_text, shipped_text
from portal.backoffice.ui.lists import BackOfficeAdmin, ObjectPage

PreviewChoices = Callable[[HttpRequest], list[tuple[str, str]]]
_preview_choices: list[PreviewChoices] = []


def register_preview_choices(provider: PreviewChoices) -> None:
    """Say on what a message can be previewed: pairs of a number and a name. The last provider registered holds."""
    _preview_choices[:] = [provider]


class TranslatedText:
    """The two fields of one language in the editor: both filled in, or none and the mail is in French."""

    def __init__(self, form: "MessageTemplateForm", language: str) -> None:
        self.form = form
        self.language = language
        self.name = dict(settings.LANGUAGES)[language]
        own = form.instance.translations.get(language)
        shipped = None if own or differs_from_shipped(form.instance) else shipped_text(form.instance.key, language)
        self.is_missing = own is None and shipped is None
        self.is_shipped = shipped is not None
        subject, body = own or ("", "")
        hints = (shipped.subject, shipped.body) if shipped else ("", "")
        form.fields[self._of("subject")] = forms.CharField(
            label=_("objet (%(language)s)") % {"language": self.name},
            required=False,
            max_length=200,
            initial=subject,
            widget=forms.TextInput(attrs={"class": "vLargeTextField", "placeholder": hints[0], "lang": language}),
        )
        form.fields[self._of("body")] = forms.CharField(
            label=_("texte (%(language)s)") % {"language": self.name},
            required=False,
            initial=body,
            strip=False,
            widget=forms.Textarea(
                attrs={"rows": 12, "class": "vLargeTextField", "placeholder": hints[1], "lang": language}
            ),
        )

    def _of(self, part: str) -> str:
        return f"{part}_{self.language}"

    @property
    def fields(self) -> list[forms.BoundField]:
        """Subject and text."""
        return [self.form[self._of("subject")], self.form[self._of("body")]]

    def check(self, data: dict[str, Any]) -> None:
        """Refuse what a predefined message may not hold, in the field that holds it."""
        subject, body = data.get(self._of("subject"), ""), data.get(self._of("body"), "")
        if not subject.strip() and not body.strip():
            return
        for part, problems in check_template_texts(self.form.instance.key, subject, body).items():
            for problem in problems:
                self.form.add_error(self._of(part), problem)

    def save(self) -> None:
        """Keep what was typed."""
        data = self.form.cleaned_data
        if {self._of("subject"), self._of("body")} & set(self.form.changed_data):
            save_translation(
                key=self.form.instance.key,
                language=self.language,
                subject=data[self._of("subject")],
                body=data[self._of("body")],
            )


class MessageTemplateForm(forms.ModelForm[MessageTemplate]):
    """Name, subject, text. The version that was read goes along, so that an unseen change is not overwritten."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    # The placeholders that the writer was warned of and leaves out all the same.
    without = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = MessageTemplate
        fields = ("name", "subject", "body")
        widgets = {
            "subject": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "body": forms.Textarea(attrs={"rows": 18, "class": "vLargeTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen_version" in self.fields:
            self.fields["seen_version"].initial = self.instance.version

        self.translations = [TranslatedText(self, code) for code in Company.objects.languages()]

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite a text that somebody saved meanwhile; what was typed stays in the fields."""
        data = super().clean() or self.cleaned_data
        for text in self.translations:
            text.check(data)
        seen = data.get("seen_version")
        current = MessageTemplate.objects.filter(pk=self.instance.pk).values_list("version", flat=True).first()
        if seen is not None and current is not None and seen != current:
            raise ValidationError(
                _(
                    "Ce message a été modifié entre-temps (version %(version)d). Copiez votre texte, "
                    "puis ouvrez de nouveau le message."
                )
                % {"version": current}
            )
        self._ask_about_missing(data)
        return data

    def _ask_about_missing(self, data: dict[str, Any]) -> None:
        """Say once that placeholders are missing without which the message serves nothing; saving again agrees."""
        missing = ", ".join(missing_placeholders(self.instance.key, data.get("body", "")))
        if not missing or missing == data.get("without") or "body" not in self.changed_data:
            return
        self.data = {**self.data.dict(), "without": missing} if isinstance(self.data, QueryDict) else self.data
        self.add_error(
            "body",
            _(
                "Ce texte ne contient pas %(names)s : le client ne recevra pas ses identifiants. "
                "Ajoutez ce qui manque, ou enregistrez de nouveau pour le garder ainsi."
            )
            % {"names": missing},
        )


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ObjectPage[MessageTemplate], BackOfficeAdmin[MessageTemplate]):
    """Messages prédéfinis."""

    keeps_meanwhile = False

    form = MessageTemplateForm
    list_display = ("name", "key", "subject", "excerpt", "version", "updated_at")
    fields = ("name", "subject", "body", "seen_version", "without")
    actions = ("edit",)
    change_form_template = "backoffice/mail/editor.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The product knows which messages it sends."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MessageTemplate | None = None) -> bool:
        """A message that is sent cannot be missing."""
        return False

    @admin.display(description=gettext_lazy("texte"))
    def excerpt(self, template: MessageTemplate) -> str:
        """The beginning of the text."""
        return Truncator(" ".join(template.body.split())).chars(90)

    @admin.action(description=gettext_lazy("Modifier le message coché"), permissions=["change"])
    def edit(self, request: HttpRequest, queryset: QuerySet[MessageTemplate]) -> HttpResponse | None:
        """As in the users' document: tick the message, then press the button."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Cochez un seul message à modifier."), messages.WARNING)
            return None
        return redirect("admin:mailing_messagetemplate_change", chosen[0].pk)

    def get_urls(self) -> list[Any]:
        """Restoring a version, beside the admin's own pages."""
        restore = self.admin_site.admin_view(self.restore)
        return [
            path(
                "<int:template_id>/versions/<int:number>/restaurer/",
                restore,
                name="mailing_messagetemplate_restore",
            ),
            path(
                "<int:template_id>/texte-d-origine/",
                self.admin_site.admin_view(self.take_shipped),
                name="mailing_messagetemplate_shipped",
            ),
            *super().get_urls(),
        ]

    def page_context(self, request: HttpRequest, obj: MessageTemplate | None) -> dict[str, Any]:
        """The editor, with the placeholders of this message and its earlier texts."""
        extra: dict[str, Any] = {}
        if obj is not None and self.has_view_permission(request, obj):
            extra = {
                "placeholders": [PLACEHOLDERS[name] for name in placeholders_for(obj.key)],
                "versions": list(obj.versions.order_by("-number")),
                "editor_tabs": [("texte", _("Message")), ("versions", _("Historique"))],
                "preview_invoices": _preview_choices[-1](request) if _preview_choices else [],
                "may_edit": self.has_change_permission(request, obj),
                "shipped": shipped_text(obj.key) if differs_from_shipped(obj) else None,
                "is_shipped_newer": has_newer_text(obj),
            }
        return extra

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool) -> None:
        """The text becomes the next version; the name is only a name."""
        MessageTemplate.objects.filter(pk=obj.pk).update(name=obj.name)
        save_template(key=obj.key, subject=obj.subject, body=obj.body, author=_name(request))
        for text in form.translations:
            text.save()

    def take_shipped(self, request: HttpRequest, template_id: int) -> HttpResponse:
        """*Reprendre le texte d'origine*: what this release ships becomes the next version."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        template = get_object_or_404(MessageTemplate, pk=template_id)
        if not self.has_change_permission(request, template):
            raise PermissionDenied
        text = shipped_text(template.key)
        if text is not None:
            saved = save_template(key=template.key, subject=text.subject, body=text.body, author=_name(request))
            sentence = _("Texte d’origine repris : c’est maintenant la version %(version)d.") % {
                "version": saved.version
            }
            self.log_change(request, template, sentence)
            messages.success(request, sentence)
        return redirect(reverse("admin:mailing_messagetemplate_change", args=[template.pk]))

    def restore(self, request: HttpRequest, template_id: int, number: int) -> HttpResponse:
        """Make an earlier text current again, as a new version."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        template = get_object_or_404(MessageTemplate, pk=template_id)
        if not self.has_change_permission(request, template):
            raise PermissionDenied
        try:
            restored = restore_version(key=template.key, number=number, author=_name(request))
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            sentence = _("Texte de la version %(number)d remis : c’est maintenant la version %(version)d.")
            sentence %= {"number": number, "version": restored.version}
            self.log_change(request, template, sentence)
            messages.success(request, sentence)
        return redirect(reverse("admin:mailing_messagetemplate_change", args=[template.pk]))


def _name(request: HttpRequest) -> str:
    return str(getattr(request.user, "name", "") or request.user.get_username())
