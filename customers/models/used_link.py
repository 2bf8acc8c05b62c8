"""Links that have served, so that each serves once and no other is touched."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UsedLink(models.Model):
    """A link of a mail that somebody used; kept until its token would have run out anyway."""

    digest = models.CharField(_("empreinte"), max_length=64, unique=True)
    used_at = models.DateTimeField(_("utilisé le"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("lien utilisé")
        verbose_name_plural = _("liens utilisés")
        default_permissions: ClassVar = ()

    def __str__(self) -> str:
        return self.digest[:12]
