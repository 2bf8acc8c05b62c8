"""Addresses of the project."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, path

from portal.views import entry, invoices, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("apparence.css", pages.appearance, name="appearance"),
    path("logo", pages.logo, name="logo"),
    path("connexion/", entry.SignIn.as_view(), name="login"),
    path("deconnexion/", LogoutView.as_view(), name="logout"),
    path("factures/", invoices.invoices, name="invoices"),
    path("factures/<uuid:invoice_id>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("gestion/", admin.site.urls),
]
