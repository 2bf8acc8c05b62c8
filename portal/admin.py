"""The back-office, where Django's admin looks for it: importing these modules registers their pages with the site."""

from portal.backoffice.administration import history, rights, set_aside, trail, users
from portal.backoffice.companies import company
from portal.backoffice.customers import accounts, bulk_actions, cards
from portal.backoffice.exports import changelist as exports
from portal.backoffice.imports import batches
from portal.backoffice.invoices import changelist as invoices
from portal.backoffice.mail import message_previews, messages, outbox, replies
from portal.backoffice.platforms import settings as platforms

__all__ = [
    "accounts",
    "batches",
    "bulk_actions",
    "cards",
    "company",
    "exports",
    "history",
    "invoices",
    "message_previews",
    "messages",
    "outbox",
    "platforms",
    "replies",
    "rights",
    "set_aside",
    "trail",
    "users",
]
