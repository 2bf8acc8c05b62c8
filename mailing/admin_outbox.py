"""Boîte d'envoi, and the addresses that mail servers refused."""

from django.contrib import admin

from mailing.admin_lists import LimitedPaginator, ReadOnlyAdmin
from mailing.models import FailedAddress, Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    """The outbox."""

    list_display = ("created_at", "recipient", "subject", "state", "reason", "next_attempt_at")
    list_filter = ("state", "kind")
    search_fields = ("recipient", "subject")
    paginator = LimitedPaginator
    exclude = ("html", "return_token")


@admin.register(FailedAddress)
class FailedAddressAdmin(ReadOnlyAdmin[FailedAddress]):
    """Adresses en erreur."""

    list_display = ("address", "reason", "failures", "last_failed_at", "resolved_at")
    search_fields = ("address", "reason")
