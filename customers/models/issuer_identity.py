"""Who a member of staff is at the issuer of identities."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.account import Account


class IssuerIdentity(models.Model):
    """A subject of an issuer, which never changes whom it names (OpenID Connect Core 1.0, 5.7), and our account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="identities", verbose_name=_("compte"))
    issuer = models.CharField(_("fournisseur d’identité"), max_length=300)
    subject = models.CharField(_("sujet"), max_length=255)
    created_at = models.DateTimeField(_("noté le"), default=timezone.now)

    class Meta:
        verbose_name = _("identité chez un fournisseur")
        verbose_name_plural = _("identités chez un fournisseur")
        default_permissions: ClassVar = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("issuer", "subject"), name="a_subject_has_one_account"),
            # A mail address that is given to the next employee does not open the account of the one before.
            models.UniqueConstraint(fields=("account", "issuer"), name="an_account_has_one_subject_per_issuer"),
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.issuer})"
