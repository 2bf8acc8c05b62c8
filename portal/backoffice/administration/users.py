"""The users of the back-office: made here, with a provisional password that is shown once."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from customers.credentials import read_provisional
from customers.models import Account, StaffAccount
from customers.second_factor import turn_off
from customers.services import close_sessions_of_closed, draw_credentials, renew_credentials
from customers.staff_rights import givable_groups, has_more_rights
from portal.backoffice.ui.confirmation import Plan, ask_page, is_confirmed, make_group
from portal.backoffice.ui.lists import BackOfficeAdmin
from portal.backoffice.ui.mail_addresses import check_email
from portal.proof import ask_for_proof
from portal.sessions import is_proved_lately

# What the groups are for as they are shipped; a group that somebody made says it by its name.
_PURPOSES = {
    "Comptabilité": gettext_lazy("clients, imports, exports et mails"),
    "Lecture": gettext_lazy("tout voir, ne rien changer"),
    "Paramétrage": gettext_lazy("société, messages et utilisateurs"),
}


class UserForm(forms.ModelForm[StaffAccount]):
    """A member of staff: the login is an address that no customer logs in with."""

    class Meta:
        model = StaffAccount
        fields = ("login", "name", "is_active", "groups")
        help_texts = {"login": gettext_lazy("Son adresse e-mail."), "groups": ""}
        widgets = {"groups": forms.CheckboxSelectMultiple}

    def clean_groups(self) -> Any:
        """One group at least for a new user, who could open nothing otherwise."""
        groups = self.cleaned_data["groups"]
        if self.instance.pk is None and not groups:
            field = self.fields["groups"]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            offered = ", ".join(group.name for group in field.queryset or ())
            sentence = _(
                "Cochez au moins un groupe, sans lui cet utilisateur ne pourrait rien ouvrir. Au choix : %(groups)s."
            )
            raise ValidationError(sentence % {"groups": offered or _("aucun, demandez à un administrateur")})
        return groups

    def clean_login(self) -> str:
        """One mail address that no account has."""
        login = check_email(self.cleaned_data["login"])
        if Account.objects.filter(login=login).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Un compte porte déjà cet identifiant."))
        return login


def _giver(request: HttpRequest) -> Account:
    """The signed-in person, whose rights bound those that he gives."""
    if not isinstance(request.user, Account):
        raise PermissionDenied
    return request.user


@admin.register(StaffAccount)
class StaffAccountAdmin(BackOfficeAdmin[StaffAccount]):
    """Users of the back-office."""

    form = UserForm
    list_display = ("login", "name", "is_active", "group_names", "is_superuser", "last_login")
    list_filter = ("is_active", "groups", "is_superuser")
    search_fields = ("login", "name")
    readonly_fields = ("last_login", "is_superuser")
    actions = None
    change_form_template = "backoffice/administration/user.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffAccount]:
        """Staff only, with their groups."""
        return super().get_queryset(request).filter(is_staff=True).prefetch_related("groups")

    def get_fields(self, request: HttpRequest, obj: StaffAccount | None = None) -> Any:
        """What a person decides; the rest is shown."""
        decided = ("login", "name", "is_active", "groups")
        return (*decided, "is_superuser", "last_login") if obj else decided

    def get_readonly_fields(self, request: HttpRequest, obj: StaffAccount | None = None) -> Any:
        """Users cannot lock themselves out or give themselves rights; of one with more only name and state change."""
        if obj is not None and obj.pk == request.user.pk:
            return (*self.readonly_fields, "is_active", "groups")
        if obj is not None and has_more_rights(obj, _giver(request)):
            return (*self.readonly_fields, "login", "groups")
        return self.readonly_fields

    def has_change_permission(self, request: HttpRequest, obj: StaffAccount | None = None) -> bool:
        """A superuser is changed by a superuser only."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or bool(getattr(request.user, "is_superuser", False)))

    def has_delete_permission(self, request: HttpRequest, obj: StaffAccount | None = None) -> bool:
        """A user is deactivated, so that the history keeps its names."""
        return False

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Boxes to tick instead of a list to hold keys on: the groups that the signed-in person may give."""
        more = {"widget": forms.CheckboxSelectMultiple, "queryset": givable_groups(_giver(request))}
        return super().formfield_for_manytomany(db_field, request, **{**kwargs, **more})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Groups are made on their own page, not on the way."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.widget.can_add_related = False
        return field

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Say what the groups are for, which ones are not offered, and who gives them."""
        offered = givable_groups(_giver(request))
        known = offered.filter(name__in=_PURPOSES).order_by("name").values_list("name", flat=True)
        purposes = " ; ".join(f"{name} : {_PURPOSES[name]}" for name in known)
        sentences = [f"{purposes}."] if purposes else []
        others = Group.objects.exclude(pk__in=offered.values("pk")).order_by("name")
        if names := ", ".join(others.values_list("name", flat=True)):
            sentence = _("On ne donne que les droits que l’on a. Un administrateur donne aussi : %(groups)s.")
            sentences.append(sentence % {"groups": names})
        kwargs["help_texts"] = {**UserForm.Meta.help_texts, "groups": " ".join(sentences)}
        return super().get_form(request, obj, change, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add to the page whether the user has rights beyond those of the one who looks."""
        user = context.get("original")
        context["has_more_rights"] = user is not None and has_more_rights(user, _giver(request))
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("droits"))
    def group_names(self, user: StaffAccount) -> str:
        """The groups of the user."""
        return ", ".join(group.name for group in user.groups.all()) or "–"

    def save_model(self, request: HttpRequest, obj: StaffAccount, form: Any, change: bool) -> None:
        """A new user starts with a provisional password."""
        if not change:
            obj.is_staff = True
            draw_credentials(obj)
        close_sessions_of_closed(obj, form.changed_data)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: StaffAccount, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the provisional password once."""
        return self._show_secret(request, obj)

    def get_urls(self) -> list[Any]:
        """*Réinitialiser*, beside the admin's own pages."""
        wrap = self.admin_site.admin_view
        renew, unlock = wrap(require_POST(self.renew)), wrap(require_POST(self.unlock))
        return [
            path("<int:user_id>/reinitialiser/", renew, name="customers_staffaccount_renew"),
            path("<int:user_id>/second-facteur/", unlock, name="customers_staffaccount_unlock"),
            *super().get_urls(),
        ]

    def _manageable(self, request: HttpRequest, user_id: int) -> StaffAccount:
        """The member of staff, whom the one who asks may manage: raises PermissionDenied and Http404."""
        user = get_object_or_404(StaffAccount, pk=user_id, is_staff=True)
        if not self.has_change_permission(request, user) or has_more_rights(user, _giver(request)):
            raise PermissionDenied(_("Cet utilisateur a des droits que vous n’avez pas."))
        return user

    def unlock(self, request: HttpRequest, user_id: int) -> HttpResponseBase:
        """Take the second factor away from a member of staff who lost telephone and recovery codes; asks first."""
        user = self._manageable(request, user_id)
        if not is_proved_lately(request):
            return ask_for_proof(request)
        back = reverse("admin:customers_staffaccount_change", args=[user.pk])
        plan = Plan(
            title=_("Retirer la double authentification"),
            sentence=_("%(login)s se connectera avec son seul mot de passe.") % {"login": user.login},
            warning=_("Assurez-vous de vive voix que c’est bien lui qui le demande."),
            button=_("Retirer"),
            count=1,
            groups=[make_group(_("Utilisateur"), [str(user)], count=1)],
        )
        if not is_confirmed(request, plan):
            return ask_page(self, request, plan, fields=(), post_to=request.path, back=back)
        if turn_off(account=user, author=_giver(request)):
            messages.success(request, _("Double authentification retirée : %(login)s.") % {"login": user.login})
        return redirect(back)

    def renew(self, request: HttpRequest, user_id: int) -> HttpResponseBase:
        """A new provisional password for a member of staff, shown once; asks first."""
        user = self._manageable(request, user_id)
        if not is_proved_lately(request):
            return ask_for_proof(request)
        back = reverse("admin:customers_staffaccount_change", args=[user.pk])
        if user.pk == request.user.pk:
            messages.error(request, _("Pour changer votre propre mot de passe, suivez « Mot de passe » en haut."))
            return redirect(back)
        plan = Plan(
            title=_("Réinitialiser le mot de passe"),
            sentence=_("%(login)s recevra de vous un nouveau mot de passe provisoire.") % {"login": user.login},
            warning=_("Son mot de passe actuel cessera de fonctionner aussitôt."),
            button=_("Réinitialiser"),
            count=1,
            groups=[make_group(_("Utilisateur"), [str(user)], count=1)],
        )
        if not is_confirmed(request, plan):
            return ask_page(self, request, plan, fields=(), post_to=request.path, back=back)
        renew_credentials(account=user)
        self.log_change(request, user, _("Mot de passe réinitialisé."))
        return self._show_secret(request, user)

    def _show_secret(self, request: HttpRequest, user: StaffAccount) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Mot de passe provisoire"),
            "opts": self.opts,
            "account": user,
            "secret": read_provisional(user),
            "back": reverse("admin:customers_staffaccount_change", args=[user.pk]),
        }
        response = TemplateResponse(request, "backoffice/administration/user_secret.html", context)
        add_never_cache_headers(response)
        return response
