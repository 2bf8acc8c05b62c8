"""Boîte d'envoi: states, reasons, next tries; retry, give up, hold everything back; the stored mail, masked."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from invoices.files.csv_tables import Column
from mailing import outbox
from mailing.forecasts import forecast
from mailing.models import FailedAddress, Message, OutboxControl
from portal.backoffice.ui.confirmation import Plan, ask, is_confirmed, make_group
from portal.backoffice.ui.lists import LimitedPaginator, NextStep, ObjectPage, ReadOnlyAdmin
from portal.backoffice.ui.mail_frames import framed, show_mail
from portal.backoffice.ui.pages import log_change, log_change_of_all

SEND = "mailing.change_message"
CANCELLABLE = (Message.State.QUEUED, Message.State.DEFERRED)


class KindFilter(admin.SimpleListFilter):
    """What the mails are about."""

    title = gettext_lazy("nature")
    parameter_name = "nature"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The messages that the product sends, by their names, and what has no predefined text."""
        return [
            ("credentials", _("identifiants")),
            ("invoice", _("facture")),
            ("invoices", _("plusieurs factures")),
            ("account", _("compte et mot de passe")),
            ("answer", _("réponse à un client")),
            ("alert", _("alerte technique")),
            ("test", _("essai")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """The mails of that kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Message)
class MessageAdmin(ObjectPage[Message], ReadOnlyAdmin[Message]):
    """The outbox."""

    empty_sentence = _("Aucun mail pour l’instant : un export les écrit.")
    next_step = NextStep(_("Ouvrir l’écran d’export"), "export_web", "invoices.view_export")
    list_display = ("created_at", "recipient", "subject", "state_word", "attempts", "next_attempt_at", "short_reason")
    list_display_links = ("created_at", "subject")
    list_filter = ("state", KindFilter, ("created_at", admin.DateFieldListFilter))
    search_fields = ("recipient__iexact", "subject")
    search_help_text = _("Adresse entière du destinataire, ou mots de l’objet")
    paginator = LimitedPaginator
    workbook_values: ClassVar = {"short_reason": lambda message: message.reason}
    workbook_more = (Column(gettext_lazy("Envoyé le"), lambda message: message.accepted_at),)
    actions = ("retry", "give_up")
    change_list_template = "backoffice/mail/outbox.html"
    change_form_template = "backoffice/mail/message.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Without the parts of the mails, which a list does not show."""
        return super().get_queryset(request).defer("text", "html")

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may send again, give up, hold back."""
        return request.user.has_perm(SEND)

    @admin.display(description=gettext_lazy("état"), ordering="state")
    def state_word(self, message: Message) -> str:
        """The state as a word in its colour."""
        return format_html('<span class="state state--{}">{}</span>', message.state, Message.State(message.state).label)

    @admin.display(description=gettext_lazy("motif"))
    def short_reason(self, message: Message) -> str:
        """The beginning of the reason."""
        return message.reason if len(message.reason) <= 90 else f"{message.reason[:89]}…"

    # ─── The list ────────────────────────────────────────────────────────────────────────────────────────────────────
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list below what waits, until when, and whether anything leaves."""
        now = timezone.now()
        paused, rest = outbox.why_nothing_leaves()
        extra = {
            "title": _("Boîte d’envoi"),
            "summary": outbox.summary(now),
            "is_estimated": outbox.is_estimated(),
            "forecast": forecast(now),
            "paused": paused,
            "rest": rest,
            "may_send": self.has_send_permission(request),
        }
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.action(description=gettext_lazy("Réessayer"), permissions=["send"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        """Queue again what is deferred, refused, returned or given up."""
        chosen = queryset.filter(state__in=Message.RETRYABLE_STATES)
        count, total = chosen.count(), queryset.count()
        plan = Plan(
            title=_("Réessayer"),
            sentence=ngettext("%(count)d mail sera remis en file.", "%(count)d mails seront remis en file.", count)
            % {"count": count},
            button=_("Réessayer"),
            count=count,
            groups=[
                make_group(_("À qui"), _recipients(chosen), count=count),
                make_group(_("Déjà envoyés, en file ou en cours : laissés tels quels"), (), count=total - count),
            ],
        )
        if not is_confirmed(request, plan):
            return ask(self, request, queryset, plan)
        rows = list(chosen)
        done = outbox.retry([row.pk for row in rows], by=_name(request))
        log_change_of_all(request, rows, _("Remis en file."))
        self.message_user(
            request, ngettext("%(count)d mail remis en file.", "%(count)d mails remis en file.", done) % {"count": done}
        )
        return None

    @admin.action(description=gettext_lazy("Abandonner"), permissions=["send"])
    def give_up(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        """Give up what waits."""
        chosen = queryset.filter(state__in=CANCELLABLE)
        count, total = chosen.count(), queryset.count()
        plan = Plan(
            title=_("Abandonner"),
            sentence=ngettext("%(count)d mail ne partira pas.", "%(count)d mails ne partiront pas.", count)
            % {"count": count},
            button=_("Abandonner"),
            count=count,
            warning=_("Les factures restent déposées sur l’espace client : seuls les mails sont abandonnés.")
            if count
            else "",
            groups=[
                make_group(_("À qui"), _recipients(chosen), count=count),
                make_group(_("Déjà envoyés ou finis : laissés tels quels"), (), count=total - count),
            ],
        )
        if not is_confirmed(request, plan):
            return ask(self, request, queryset, plan)
        rows = list(chosen)
        done = outbox.cancel([row.pk for row in rows], by=_name(request))
        log_change_of_all(request, rows, _("Abandonné."))
        self.message_user(
            request, ngettext("%(count)d mail abandonné.", "%(count)d mails abandonnés.", done) % {"count": done}
        )
        return None

    # ─── One mail, and the switch of all ─────────────────────────────────────────────────────────────────────────────
    def get_urls(self) -> list[Any]:
        """The mail for its frame, its two actions, and the switch."""
        wrap = self.admin_site.admin_view
        return [
            path("suspendre/", wrap(self.pause), name="mailing_message_pause"),
            path("reprendre/", wrap(self.resume), name="mailing_message_resume"),
            path("<uuid:message_id>/mail/", wrap(framed(require_safe(self.show))), name="mailing_message_mail"),
            path("<uuid:message_id>/reessayer/", wrap(self.retry_one), name="mailing_message_retry"),
            path("<uuid:message_id>/abandonner/", wrap(self.give_up_one), name="mailing_message_give_up"),
            *super().get_urls(),
        ]

    def page_context(self, request: HttpRequest, obj: Message | None) -> dict[str, Any]:
        """One mail: where it is, what can be done, and the mail itself."""
        extra: dict[str, Any] = {}
        if obj is not None:
            may_send = self.has_send_permission(request)
            extra = {
                "attachments": list(obj.attachments.all()),
                "may_retry": may_send and obj.state in Message.RETRYABLE_STATES,
                "may_give_up": may_send and obj.state in CANCELLABLE,
            }
        return extra

    def show(self, request: HttpRequest, message_id: Any) -> HttpResponse:
        """The stored mail. It holds no password: where one goes, it shows the mask."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        message = get_object_or_404(Message, pk=message_id)
        return show_mail(request, subject=message.subject, text=message.text, html=message.html)

    def retry_one(self, request: HttpRequest, message_id: Any) -> HttpResponse:
        """*Réessayer* one mail."""
        return self._one(request, message_id, outbox.retry, _("Remis en file."), _("Ce mail n’est plus à réessayer."))

    def give_up_one(self, request: HttpRequest, message_id: Any) -> HttpResponse:
        """*Abandonner* one mail."""
        return self._one(request, message_id, outbox.cancel, _("Abandonné."), _("Ce mail ne peut plus être abandonné."))

    def _one(self, request: HttpRequest, message_id: Any, verb: Any, done: str, too_late: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_send_permission(request):
            raise PermissionDenied
        message = get_object_or_404(Message.objects.defer("text", "html"), pk=message_id)
        if verb([message.pk], by=_name(request)):
            self.log_change(request, message, done)
            messages.success(request, done)
        else:
            messages.warning(request, too_late)
        return redirect(reverse("admin:mailing_message_change", args=[message.pk]))

    def pause(self, request: HttpRequest) -> HttpResponse:
        """Let no further mail leave."""
        return self._switch(request, is_paused=True)

    def resume(self, request: HttpRequest) -> HttpResponse:
        """Let mails leave again."""
        return self._switch(request, is_paused=False)

    def _switch(self, request: HttpRequest, *, is_paused: bool) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_send_permission(request):
            raise PermissionDenied
        if is_paused:
            outbox.pause(by=_name(request))
            sentence = _("Envoi suspendu : plus aucun mail ne part.")
        else:
            outbox.resume()
            sentence = _("Envoi repris.")
        control, _made = OutboxControl.objects.get_or_create(pk=1)
        log_change(request, control, sentence)
        messages.success(request, sentence)
        return redirect("admin:mailing_message_changelist")


@admin.register(FailedAddress)
class FailedAddressAdmin(ReadOnlyAdmin[FailedAddress]):
    """Every address that was ever refused, with when it was put right; what is to be done is in the work list."""

    list_display = ("address", "reason", "failures", "last_failed_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    search_fields = ("address", "reason")


def _recipients(chosen: QuerySet[Message]) -> list[str]:
    return list(chosen.order_by("recipient").values_list("recipient", flat=True)[:50])


def _name(request: HttpRequest) -> str:
    return str(getattr(request.user, "name", "") or request.user.get_username())
