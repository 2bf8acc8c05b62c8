"""Addresses of the project."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from portal.backoffice.health import health
from portal.backoffice.metrics import metrics
from portal.callbacks import platform_callback
from portal.space.views.errors import went_wrong

handler400 = "portal.refusals.bad_request"
handler403 = "portal.refusals.permission_denied"
handler404 = "portal.refusals.page_not_found"
handler500 = went_wrong

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("portal.space.urls")),
    path("sante/", health, name="health"),
    path("sante/metriques/", metrics, name="metrics"),
    path("plateformes/<uuid:key>/rappel/", platform_callback, name="platform_callback"),
    path("gestion/", admin.site.urls),
]
