"""The back-office site: Django's admin in the words of accounting staff."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from portal.backoffice.menus import build_menus, find_place


class BackOfficeSite(admin.AdminSite):
    """Django's admin with the users' menus, the house's look, and the one login page of the portal."""

    site_header = _("Gestion des factures")
    site_title = _("Gestion")
    index_title = _("Tableau de bord")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The admin's own addresses, and those of pages that belong to no model."""
        # Not at the head of the module: these modules register models with the site that is being made here.
        from portal.backoffice.impersonation import begin, end
        from portal.backoffice.urls import export_urls, first_steps_urls, mail_urls

        visits: list[URLPattern | URLResolver] = [
            path("voir-comme/<int:customer_id>/<int:account_id>/", self.admin_view(begin), name="view_as_customer"),
            path("voir-comme/fin/", self.admin_view(end), name="end_visit"),
        ]
        return [*visits, *export_urls(self), *mail_urls(self), *first_steps_urls(self), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """The menus in the users' words; with ``app_label``, what Django registered under it."""
        if app_label:
            return list(super().get_app_list(request, app_label))
        registered = {
            model["model"]._meta.label: model
            for app in self._build_app_dict(request).values()
            for model in app["models"]
        }
        return build_menus(request, registered, self.name)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page of the back-office knows, with its place in the menus."""
        # Not at the head of the module: models are not ready when the site is made.
        from mailing.transports import writes_files
        from portal.backoffice.first_steps.pages import read_strip

        context = dict(super().each_context(request))
        place = find_place(context["available_apps"], request.path)
        context["menu"], context["menu_entry"] = place or (None, None)
        context["site_url"] = None
        context["mails_stay_in_files"] = writes_files()
        context["first_step"] = read_strip(request)
        return context

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The portal's own login page, which limits tries, then back to the page that was asked for."""
        if request.user.is_authenticated and not self.has_permission(request):
            # A customer who is signed in would be sent round in circles by the login page.
            raise PermissionDenied(_("Cette page est réservée au personnel."))
        wanted = request.GET.get("next") or request.POST.get("next") or ""
        if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
            wanted = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return HttpResponseRedirect(wanted)
        return redirect(f"{reverse('login')}?{urlencode({'next': wanted})}")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The portal's own page, which also forgets the provisional password and notifies the owner."""
        return redirect("choose_password")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard above the menus."""
        # Not at the head of the module: models are not ready when the site is made.
        from portal.backoffice.dashboard import build_dashboard
        from portal.backoffice.first_steps.pages import leave_step

        leave_step(request)
        board = build_dashboard(request.user, timezone.now())
        return super().index(request, {"board": board, **(extra_context or {})})
