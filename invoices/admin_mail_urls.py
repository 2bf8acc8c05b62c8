"""The addresses of the back-office's pages that stand between mails and invoices."""

from django.contrib import admin
from django.urls import URLPattern, path

from invoices import admin_addresses as addresses
from invoices import admin_messages as messages


def mail_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of previews, trial mails and the list of wrong addresses, for the back-office ``site``."""
    wrap = site.admin_view
    return [
        path("messages/<int:template_id>/apercu/", wrap(messages.preview), name="message_preview"),
        path("messages/<int:template_id>/essai/", wrap(messages.send_test), name="message_test"),
        path("courrier/adresses-en-erreur/", wrap(addresses.work_list), name="failed_addresses"),
        path("courrier/adresses-en-erreur.csv", wrap(addresses.work_list_csv), name="failed_addresses_csv"),
        path("courrier/adresses-en-erreur/corriger/", wrap(addresses.correct), name="failed_addresses_correct"),
        path("courrier/adresses-en-erreur/retirer/", wrap(addresses.forget), name="failed_addresses_forget"),
    ]
