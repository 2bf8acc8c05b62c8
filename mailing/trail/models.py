"""Tables to which rows are only added: the database itself refuses to change or delete any (migration 0002).

None is managed by Django, which would empty them with ``flush`` and write them again, without their triggers, with any
later change of a column on SQLite: a migration that changes them says how.
"""

import hashlib
import json
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from mailing.trail.actions import Action

# What the first link of the chain follows.
BEGINNING = "0" * 64


def canonical_json(value: Any) -> str:
    """``value`` as one text, the same for the same value: keys in order, no blank, characters as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256_of(text: str) -> str:
    """SHA-256 of ``text`` in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


class Entry(models.Model):
    """One act. Nothing in it is personal: names, addresses and logins are in :class:`PersonalValues`."""

    at = models.DateTimeField(_("le"), db_default=Now())
    action = models.CharField(_("acte"), max_length=40)
    object_type = models.CharField(_("sorte d’objet"), max_length=60, blank=True)
    object_id = models.CharField(_("objet"), max_length=60, blank=True)
    account = models.BigIntegerField(_("compte"), null=True, blank=True)
    way = models.CharField(_("par"), max_length=40, blank=True)
    # Text, not JSON: the bytes that were hashed, whatever the database does with its JSON.
    details = models.TextField(_("détails"), default="{}")
    personal_sha256 = models.CharField(_("empreinte des valeurs personnelles"), max_length=64, blank=True)

    class Meta:
        managed = False
        db_table = "trail_entry"
        verbose_name = _("entrée de la piste d’audit")
        verbose_name_plural = _("piste d’audit")
        ordering = ("pk",)
        indexes: ClassVar = [
            models.Index(fields=("object_type", "object_id"), name="trail_by_object"),
            models.Index(fields=("at",), name="trail_by_time"),
            models.Index(fields=("account",), name="trail_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.action_name}"

    @property
    def action_name(self) -> str:
        """The act in words; its key where a later version of the portal wrote it."""
        return str(Action(self.action).label) if self.action in Action.values else self.action

    def canonical(self) -> dict[str, Any]:
        """What is hashed of the entry, as plain values."""
        return {
            "id": self.pk,
            "at": self.at.isoformat(),
            "action": self.action,
            "object": [self.object_type, self.object_id],
            "account": self.account,
            "way": self.way,
            "details": self.details,
            "personal_sha256": self.personal_sha256,
        }

    def sha256(self) -> str:
        """The fingerprint of the entry."""
        return sha256_of(canonical_json(self.canonical()))


class PersonalValues(models.Model):
    """What an entry says of persons; may be deleted, never changed. A random salt keeps its hash from being guessed."""

    entry = models.OneToOneField(
        Entry, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="personal"
    )
    values = models.TextField(_("valeurs"))

    class Meta:
        managed = False
        db_table = "trail_personalvalues"
        verbose_name = _("valeurs personnelles de la piste")
        verbose_name_plural = _("valeurs personnelles de la piste")

    def __str__(self) -> str:
        return str(self.pk)


class Link(models.Model):
    """An entry in its place of the chain: given afterwards, by one process at a time."""

    position = models.BigIntegerField(_("rang"), primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.DO_NOTHING, db_constraint=False, related_name="link")
    entry_sha256 = models.CharField(_("empreinte de l’entrée"), max_length=64)
    sha256 = models.CharField(_("empreinte de la chaîne"), max_length=64)
    at = models.DateTimeField(_("chaînée le"), db_default=Now())

    class Meta:
        managed = False
        db_table = "trail_link"
        verbose_name = _("maillon de la piste")
        verbose_name_plural = _("maillons de la piste")
        ordering = ("position",)

    def __str__(self) -> str:
        return f"{self.position} {self.sha256[:12]}"

    @classmethod
    def after(cls, previous: "tuple[int, str]", entry: Entry) -> Self:
        """The link of ``entry`` behind the one whose position and fingerprint are ``previous``."""
        position, sha256 = previous[0] + 1, entry.sha256()
        return cls(
            position=position,
            entry=entry,
            entry_sha256=sha256,
            sha256=link_sha256(position, previous[1], sha256),
        )


def link_sha256(position: int, previous: str, entry_sha256: str) -> str:
    """The fingerprint of the link at ``position``, which covers all before it."""
    return sha256_of(f"{position}\n{previous}\n{entry_sha256}")


class Root(models.Model):
    """The end of the chain on one day, to be kept elsewhere: in a time-stamp, or in the hands of the auditor."""

    day = models.DateField(_("jour"), primary_key=True)
    position = models.BigIntegerField(_("rang"))
    sha256 = models.CharField(_("empreinte de la chaîne"), max_length=64)
    at = models.DateTimeField(_("notée le"), db_default=Now())

    class Meta:
        managed = False
        db_table = "trail_root"
        verbose_name = _("racine de la piste")
        verbose_name_plural = _("racines de la piste")
        ordering = ("day",)

    def __str__(self) -> str:
        return f"{self.day} {self.sha256[:12]}"


class TimeStamp(models.Model):
    """What a time-stamping authority answered for a root (RFC 3161), as it came."""

    root = models.OneToOneField(
        Root, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="stamp"
    )
    authority = models.CharField(_("autorité"), max_length=300)
    answer = models.BinaryField(_("réponse"))
    at = models.DateTimeField(_("reçue le"), db_default=Now())

    class Meta:
        managed = False
        db_table = "trail_timestamp"
        verbose_name = _("horodatage")
        verbose_name_plural = _("horodatages")

    def __str__(self) -> str:
        return str(self.pk)
