"""Addresses of the customers' space: all that a mail to a customer names.

A URLconf by itself, so that the process of a batch which writes mails does not load the back-office's addresses.
"""

from django.urls import URLPattern, URLResolver, path

from portal.middleware import CODE, ENROLMENT, PASSWORD, open_before
from portal.space.views import account, entry, invoices, pages, resuming, second_factor, sign_on, verification

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("apparence.css", pages.appearance, name="appearance"),
    path("logo", pages.logo, name="logo"),
    path("societe/", pages.other_company, name="other_company"),
    path("connexion/", entry.SignIn.as_view(), name="login"),
    path("connexion/oubli/", entry.ask_password_link, name="ask_password_link"),
    path("connexion/lien/", entry.ask_sign_in_link, name="ask_sign_in_link"),
    path("connexion/lien/<str:token>/", entry.sign_in_by_link, name="sign_in_by_link"),
    path("connexion/nouveau-mot-de-passe/<str:token>/", entry.password_by_link, name="password_by_link"),
    path("connexion/fournisseur/", sign_on.begin, name="sign_on"),
    path("connexion/fournisseur/retour/", sign_on.finish, name="sign_on_return"),
    path("connexion/second-facteur/", second_factor.give_code, name="second_factor"),
    path("connexion/confirmer/", second_factor.prove, name="prove"),
    path("compte/second-facteur/", second_factor.enrol, name="enrol_second_factor"),
    path("compte/second-facteur/codes/", second_factor.renew_codes, name="renew_recovery_codes"),
    path("compte/second-facteur/retirer/", second_factor.remove, name="remove_second_factor"),
    path("deconnexion/", open_before(CODE, PASSWORD, ENROLMENT)(entry.SignOut.as_view()), name="logout"),
    path("reprendre/", resuming.resume, name="resume"),
    path("factures/", invoices.invoices, name="invoices"),
    path("factures/liste.csv", invoices.invoices_csv, name="invoices_csv"),
    path("factures/archive.zip", invoices.invoices_archive, name="invoices_archive"),
    path("factures/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("factures/<uuid:invoice_id>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("factures/<uuid:invoice_id>/xml/", invoices.invoice_xml, name="invoice_xml"),
    path("factures/<uuid:invoice_id>/versions/<int:version>/pdf/", invoices.invoice_version, name="invoice_version"),
    path("compte/", account.account, name="account"),
    path("compte/mot-de-passe/", account.change_password, name="choose_password"),
    path("compte/mails/", account.mails, name="mails"),
    path("compte/sessions/", account.close, name="close_session"),
    path("compte/donnees.zip", account.own_data, name="own_data"),
    path("verification/", verification.verification, name="verification"),
    path("mentions-legales/", pages.legal_notice, name="legal_notice"),
    path("accessibilite/", pages.accessibility, name="accessibility"),
    path("donnees-personnelles/", pages.privacy, name="privacy"),
]
