"""The addresses of the back-office's pages that stand between mails and invoices."""

from django.contrib import admin
from django.urls import URLPattern, path

from invoices import admin_messages as messages


def mail_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of previews and trial mails, for the back-office ``site``."""
    wrap = site.admin_view
    return [
        path("messages/<int:template_id>/apercu/", wrap(messages.preview), name="message_preview"),
        path("messages/<int:template_id>/essai/", wrap(messages.send_test), name="message_test"),
    ]
