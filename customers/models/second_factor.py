"""The second factor of an account: the key of an application that shows six digits, and codes to replace it once."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.account import Account


class SecondFactor(models.Model):
    """The key that the account's owner shares with his application (TOTP, RFC 6238)."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="second_factor", verbose_name=_("compte")
    )
    key = models.TextField(editable=False)  # encrypted under the key of the installation
    # The step of thirty seconds of the last code that was taken: no code is taken twice (RFC 6238, 5.2).
    last_step = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("activé le"), default=timezone.now)

    class Meta:
        verbose_name = _("second facteur")
        verbose_name_plural = _("seconds facteurs")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.account)


class RecoveryCode(models.Model):
    """A code that replaces the application once; kept as a keyed hash, and shown when it was made."""

    factor = models.ForeignKey(
        SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes", verbose_name=_("second facteur")
    )
    digest = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(_("utilisé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("code de secours")
        verbose_name_plural = _("codes de secours")
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("factor", "digest"), name="recovery_codes_are_different"),
        ]

    def __str__(self) -> str:
        return str(self.factor)
