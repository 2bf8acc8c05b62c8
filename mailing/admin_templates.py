"""Predefined messages: the list and the editor."""

from django.contrib import admin

from mailing.admin_lists import BackOfficeAdmin
from mailing.models import MessageTemplate


@admin.register(MessageTemplate)
class MessageTemplateAdmin(BackOfficeAdmin[MessageTemplate]):
    """Messages prédéfinis."""

    list_display = ("name", "subject", "version", "updated_at")
