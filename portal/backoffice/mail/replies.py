"""Réponses de clients: what people wrote to the return address, until somebody dealt with it."""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Account
from invoices.exporting.replies import Subject, find_subjects
from invoices.files.csv_tables import Column
from mailing import correspondence
from mailing.addresses import InvalidAddressError
from mailing.identity import default_identity
from mailing.models import Reply
from mailing.outbox import Draft, write_messages
from portal.backoffice.ui.lists import LimitedPaginator, ObjectPage, ReadOnlyAdmin, read_key
from portal.backoffice.ui.pages import acting_account, staff_name
from portal.backoffice.ui.workbooks import CHUNK

HANDLE = "mailing.change_reply"
NAMED = 3  # customers and invoices named in a line of the list


class PileFilter(admin.SimpleListFilter):
    """What waits, by default; what is dealt with, and what machines wrote, apart."""

    title = gettext_lazy("pile")
    parameter_name = "pile"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The other piles."""
        return [
            ("moi", _("confiées à moi")),
            ("traitees", _("traitées")),
            ("automatiques", _("réponses automatiques")),
        ]

    def choices(self, changelist: Any) -> Any:
        """As Django makes them, the first under its own name."""
        first, *others = super().choices(changelist)
        yield {**first, "display": _("à traiter")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reply]) -> QuerySet[Reply]:
        """The replies of the pile."""
        if self.value() == "automatiques":
            return queryset.filter(kind=Reply.Kind.AUTOMATIC)
        if self.value() == "traitees":
            return queryset.exclude(kind=Reply.Kind.AUTOMATIC).exclude(state__in=Reply.OPEN_STATES)
        waiting = queryset.filter(state__in=Reply.OPEN_STATES)
        return waiting.filter(handed_to=request.user.pk) if self.value() == "moi" else waiting


@admin.register(Reply)
class ReplyAdmin(ObjectPage[Reply], ReadOnlyAdmin[Reply]):
    """Réponses de clients."""

    empty_sentence = gettext_lazy("Aucune réponse de client pour l’instant.")
    list_display = ("received_at", "heading", "who", "about", "state_word")
    list_display_links = ("heading",)
    list_filter = (PileFilter, "kind")
    list_select_related = ("message", "handed_to")
    search_fields = ("sender", "sender_name", "subject")
    search_help_text = _("Adresse, nom ou mots de l’objet")
    paginator = LimitedPaginator
    workbook_values: ClassVar = {
        "heading": str,
        "who": lambda reply: ", ".join(customer.name for customer in reply.subject_found.customers),
    }
    workbook_more = (
        Column(gettext_lazy("Expéditeur"), lambda reply: reply.sender),
        Column(gettext_lazy("Texte"), lambda reply: reply.text),
    )
    change_list_template = "backoffice/mail/replies.html"
    change_form_template = "backoffice/mail/reply.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        """Without the parts of the mails they answer."""
        return super().get_queryset(request).defer("message__text", "message__html")

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Who may answer, hand over, and say that a reply is dealt with."""
        return request.user.has_perm(HANDLE)

    # ─── The list ────────────────────────────────────────────────────────────────────────────────────────────────────
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The page of the list; each row knows what it is about, by four queries for all."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = _with_subjects(list(changelist.result_list))
        return changelist

    def workbook_rows(self, rows: QuerySet[Reply]) -> Iterator[Reply]:
        """Each knows what it is about, by four queries for many."""
        for some in batched(rows.iterator(chunk_size=CHUNK), CHUNK):
            yield from _with_subjects(some)

    @admin.display(description=gettext_lazy("objet"), ordering="subject")
    def heading(self, reply: Reply) -> str:
        """The subject, and the beginning of the text."""
        start = " ".join(reply.text[:300].split())
        start = start if len(start) <= 110 else f"{start[:109]}…"
        return format_html('{}<br><span class="hint">{}</span>', str(reply), start)

    @admin.display(description=gettext_lazy("de"))
    def who(self, reply: Reply) -> SafeString:
        """The customers, or the address where it belongs to no customer."""
        customers = reply.subject_found.customers[:NAMED]  # type: ignore[attr-defined]
        names = format_html_join(", ", "{}", ((customer.name,) for customer in customers))
        return format_html('{}<br><span class="hint">{}</span>', names or reply.sender_name, reply.sender)

    @admin.display(description=gettext_lazy("factures"))
    def about(self, reply: Reply) -> str:
        """The numbers of the invoices of the mail that it answers."""
        invoices = reply.subject_found.invoices  # type: ignore[attr-defined]
        more = ["…"] if len(invoices) > NAMED else []
        return ", ".join([*(invoice.number for invoice in invoices[:NAMED]), *more])

    @admin.display(description=gettext_lazy("état"), ordering="state")
    def state_word(self, reply: Reply) -> SafeString:
        """The state as a word in its colour, to whom it was handed, and what kind of mail it is if no person's."""
        kind = "" if reply.kind == Reply.Kind.PERSON else reply.get_kind_display()
        note = reply.handed_to.get_full_name() if reply.is_open and reply.handed_to else kind
        return format_html(
            '<span class="state state--{}">{}</span> <span class="hint">{}</span>',
            _colour(reply),
            reply.get_state_display(),
            note,
        )

    # ─── One reply ───────────────────────────────────────────────────────────────────────────────────────────────────
    def get_urls(self) -> list[Any]:
        """What can be done with a reply, beside the admin's own pages."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:reply_id>/repondre/", wrap(self.answer), name="mailing_reply_answer"),
            path("<int:reply_id>/confier/", wrap(self.hand_over), name="mailing_reply_hand_over"),
            path("<int:reply_id>/traitee/", wrap(self.done), name="mailing_reply_done"),
            path("<int:reply_id>/rouvrir/", wrap(self.reopen), name="mailing_reply_reopen"),
            *super().get_urls(),
        ]

    def page_context(self, request: HttpRequest, obj: Reply | None) -> dict[str, Any]:
        """The mail, whose it is and what it answers, and what can be done."""
        extra: dict[str, Any] = {}
        if obj is not None:
            may_handle = self.has_handle_permission(request)
            [subject] = _subjects([obj])
            extra = {
                "subject": subject,
                "colour": _colour(obj),
                "may_handle": may_handle,
                "colleagues": _colleagues() if may_handle and obj.is_open else [],
                "draft": _first_words(request),
            }
        return extra

    def answer(self, request: HttpRequest, reply_id: int) -> HttpResponse:
        """*Répondre*: a mail to the one who wrote; an empty one, or one that cannot be delivered, is refused."""
        reply = self._reply(request, reply_id)
        if reply is None:
            return HttpResponseNotAllowed(["POST"])
        text = request.POST.get("text", "").replace("\r\n", "\n").strip()
        problem = "" if text and text != _first_words(request).strip() else _("Écrivez votre réponse.")
        if not problem:
            try:
                correspondence.answer_by_mail(reply.pk, text, staff_name(request))
            except (InvalidAddressError, correspondence.TooLateError) as error:
                problem = str(error)
        if problem:
            extra = {"problem": problem, "typed": text}
            request.method = "GET"  # the page itself, with what was typed
            response = self.changeform_view(request, str(reply.pk), "", extra)
            response.status_code = 422
            return response
        return self._confirm(request, reply, _("Réponse écrite dans la boîte d’envoi, pour %s.") % reply.sender)

    def hand_over(self, request: HttpRequest, reply_id: int) -> HttpResponse:
        """*Confier*: to a colleague, who is notified by mail."""
        reply = self._reply(request, reply_id)
        if reply is None:
            return HttpResponseNotAllowed(["POST"])
        colleague = _colleagues().filter(pk=read_key(request.POST.get("colleague", ""))).first()
        if colleague is None:
            messages.error(request, _("Choisissez à qui confier cette réponse."))
            return self._back(reply)
        try:
            correspondence.hand_over(reply.pk, colleague.pk)
        except correspondence.TooLateError as error:
            messages.warning(request, str(error))
            return self._back(reply)
        if colleague.pk != acting_account(request).pk:
            write_messages([_notice(request, reply, colleague)])
        return self._confirm(request, reply, _("Confiée à %s.") % (colleague.get_full_name() or colleague.login))

    def done(self, request: HttpRequest, reply_id: int) -> HttpResponse:
        """*Marquer comme traitée*."""
        reply = self._reply(request, reply_id)
        if reply is None:
            return HttpResponseNotAllowed(["POST"])
        try:
            correspondence.mark_done(reply.pk, staff_name(request))
        except correspondence.TooLateError as error:
            messages.warning(request, str(error))
            return self._back(reply)
        return self._confirm(request, reply, _("Marquée comme traitée."), back="admin:mailing_reply_changelist")

    def reopen(self, request: HttpRequest, reply_id: int) -> HttpResponse:
        """*Remettre à traiter*."""
        reply = self._reply(request, reply_id)
        if reply is None:
            return HttpResponseNotAllowed(["POST"])
        correspondence.reopen(reply.pk)
        return self._confirm(request, reply, _("Remise à traiter."))

    def _reply(self, request: HttpRequest, reply_id: int) -> Reply | None:
        """The reply that a POST is about, by those who may; None for another method."""
        if request.method != "POST":
            return None
        if not self.has_handle_permission(request):
            raise PermissionDenied
        return get_object_or_404(Reply, pk=reply_id)

    def _confirm(self, request: HttpRequest, reply: Reply, sentence: str, back: str = "") -> HttpResponse:
        self.log_change(request, reply, sentence)
        messages.success(request, sentence)
        return redirect(back) if back else self._back(reply)

    def _back(self, reply: Reply) -> HttpResponse:
        return redirect(reverse("admin:mailing_reply_change", args=[reply.pk]))


def _with_subjects(replies: Sequence[Reply]) -> Sequence[Reply]:
    """``replies``, each with the customers and invoices that it is about as ``subject_found``."""
    for reply, subject in zip(replies, _subjects(replies), strict=True):
        reply.subject_found = subject  # type: ignore[attr-defined]
    return replies


def _subjects(replies: Sequence[Reply]) -> list[Subject]:
    return find_subjects(
        (reply.sender, reply.message.recipient if reply.message else "", reply.message_id) for reply in replies
    )


def _colour(reply: Reply) -> str:
    """The state of the palette whose colour fits."""
    return {"open": "deferred", "handed": "sending", "answered": "accepted", "done": "ready"}[reply.state]


def _colleagues() -> QuerySet[Account]:
    """Those who may deal with replies."""
    by_right = Q(user_permissions__codename="change_reply") | Q(groups__permissions__codename="change_reply")
    found = Account.objects.filter(Q(is_superuser=True) | by_right, is_staff=True, is_active=True)
    return found.distinct().order_by("name", "login")


def _first_words(request: HttpRequest) -> str:
    """What an answer begins and ends with."""
    name, company = staff_name(request), default_identity().company
    return _("Bonjour,") + "\n\n\n\n" + "\n".join(filter(None, [name, company]))


def _notice(request: HttpRequest, reply: Reply, colleague: Account) -> Draft:
    """The mail that announces a reply to the ``colleague`` who has to answer it."""
    identity = default_identity()
    address = request.build_absolute_uri(reverse("admin:mailing_reply_change", args=[reply.pk]))
    text = _("%(name)s vous confie une réponse de client : « %(subject)s », de %(sender)s.\n\n%(url)s\n") % {
        "name": staff_name(request),
        "subject": reply,
        "sender": reply.sender_name or reply.sender,
        "url": address,
    }
    return Draft(
        key=f"handed:{reply.pk}:{colleague.pk}",
        kind="account",
        recipient=colleague.login,
        recipient_name=colleague.get_full_name(),
        sender=identity.address,
        sender_name=identity.name,
        subject=_("Réponse de client confiée : %s") % reply,
        text=text,
    )
