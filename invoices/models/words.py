"""The words of the lines of published invoices, for the search of their customers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from invoices.models.invoice import Invoice


class InvoiceWords(models.Model):
    """The words of one invoice as ``invoices.content.words`` writes them, separated by blanks.

    The database keeps an index of them beside, by triggers or as an index of an expression (migration 0027): FTS5 on
    SQLite, a GIN index of a tsvector on PostgreSQL. A migration that makes this table again on SQLite must make the
    triggers again.
    """

    invoice = models.OneToOneField(
        Invoice, on_delete=models.CASCADE, related_name="words", verbose_name=_("facture"), editable=False
    )
    words = models.TextField(_("mots"), editable=False)

    class Meta:
        verbose_name = _("mots d’une facture")
        verbose_name_plural = _("mots des factures")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.invoice_id}"
