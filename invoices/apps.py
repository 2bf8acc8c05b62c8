"""The invoices room: invoices, documents, selection and export."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    """Invoices, documents and exports."""

    name = "invoices"
    verbose_name = _("Échange EDI › Export WEB")

    def ready(self) -> None:
        """Register the sender of mails and what they say with the mailing room; check again when a card changes."""
        from customers.bulk_actions import register_step_listener
        from customers.card_changes import register_card_listener
        from invoices.einvoices.tasks import check_after_card_change
        from invoices.exporting.bulk_corrections import recheck_after_step
        from invoices.exporting.bulk_invoices import register_invoice_kinds
        from invoices.exporting.exports import recheck_lists_of
        from invoices.exporting.run.mail_values import register_mail_values
        from invoices.exporting.run.mails import find_identity
        from invoices.platforms.directory import judge_lookup_again
        from mailing.identity import register_identity_provider

        register_identity_provider(find_identity)
        register_mail_values()
        register_card_listener(check_after_card_change)
        register_card_listener(judge_lookup_again)
        register_card_listener(recheck_lists_of)
        register_step_listener(recheck_after_step)
        register_invoice_kinds()
