"""Checks of an installation (``manage.py check --deploy``): what a setting allows but should not be."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection

from customers.issuer import SUPERUSER


@register(Tags.security)
def check_public_address(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The address that mails name must be answered by this server."""
    host = urlsplit(settings.PORTAL_URL).hostname or ""
    host = f"[{host}]" if ":" in host else host
    if any(allowed in ("*", host) or (allowed[0] == "." and f".{host}".endswith(allowed)) for allowed in _allowed()):
        return []
    return [
        Error(
            f"PORTAL_URL nomme {host}, qui n’est pas dans ALLOWED_HOSTS : les liens des mails échoueraient.",
            hint=f"ALLOWED_HOSTS={','.join([host, *_allowed()])}",
            id="portal.E001",
        )
    ]


@register(Tags.security)
def check_documents_are_private(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Invoices must not be where the web server hands out files to everybody."""
    documents = Path(settings.DOCUMENTS_ROOT).resolve()
    public = [Path(settings.STATIC_ROOT), *map(Path, settings.STATICFILES_DIRS)]
    if not any(documents.is_relative_to(folder.resolve()) for folder in public):
        return []
    return [
        Error(
            f"DOCUMENTS_ROOT ({documents}) est dans un dossier public : chacun pourrait lire les factures.",
            hint="DOCUMENTS_ROOT=/srv/portail/documents",
            id="portal.E002",
        )
    ]


@register(Tags.security, deploy=True)
def check_production(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """What works on a trial machine and must not be so in production."""
    return [*_check_https(), *_check_mail(), *_check_database(), *_check_storage()]


@register(Tags.security, deploy=True)
def check_sign_on(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """What OIDC_… names must be there: groups, and an emergency account that can come in."""
    issuer = settings.OIDC
    if issuer is None:
        return []
    from django.contrib.auth.models import Group  # models are not ready where this module is imported

    from customers.models import Account

    try:
        named = issuer.mapped_groups - {SUPERUSER}
        absent = sorted(named - set(Group.objects.filter(name__in=named).values_list("name", flat=True)))
        kept = Account.objects.filter(login=issuer.emergency_login, is_superuser=True, is_active=True).first()
    except DatabaseError:
        return []  # said by whatever needs the database
    found: list[CheckMessage] = [
        Error(
            f"OIDC_GROUPS nomme « {name} », qui n’est pas un groupe du portail.",
            hint="Administration › Droits liste les groupes ; « superuser » donne tous les droits.",
            id="portal.E005",
        )
        for name in absent
    ]
    if issuer.is_only_way and (kept is None or not kept.has_usable_password()):
        found.append(
            Warning(
                f"OIDC_EMERGENCY_ACCOUNT nomme {issuer.emergency_login}, qui n’est pas un administrateur actif avec un "
                "mot de passe : personne n’entrerait si le fournisseur manque.",
                hint="manage.py createsuperuser --login secours@exemple.fr",
                id="portal.W004",
            )
        )
    return found


def _check_https() -> list[CheckMessage]:
    if not settings.IS_HTTPS:
        return [
            Warning(
                "PORTAL_URL n’est pas en https : mots de passe et factures circulent en clair.",
                hint="PORTAL_URL=https://factures.exemple.fr",
                id="portal.W001",
            )
        ]
    if not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "PORTAL_URL est en https et BEHIND_PROXY vaut 0 : derrière un mandataire, tous les visiteurs "
                "partageraient une seule limite d’essais, et les pages redirigeraient sans fin.",
                hint="BEHIND_PROXY=1",
                id="portal.W003",
            )
        ]
    return []


def _check_mail() -> list[CheckMessage]:
    if settings.EMAIL_URL:
        return []
    return [
        *_check_folder("MAIL_ROOT", Path(settings.MAIL_ROOT)),
        Warning(
            "EMAIL_URL est vide : chaque mail est écrit dans un fichier, rien ne part.",
            hint="EMAIL_URL=smtp+tls://utilisateur:secret@smtp.exemple.fr:587",
            id="portal.W002",
        ),
    ]


def _check_database() -> list[CheckMessage]:
    is_shared = settings.DOCUMENTS_STORAGE_URL or settings.TASKS_BACKEND.startswith("redis")
    if not is_shared or connection.vendor != "sqlite":
        return []
    return [
        Warning(
            "La base est un fichier SQLite, et les documents ou la file sont communs à plusieurs machines : "
            "chacune aurait ses propres factures.",
            hint="DATABASE_URL=postgres://portail:secret@hote/portail",
            id="portal.W005",
        )
    ]


def _check_storage() -> list[CheckMessage]:
    return [] if settings.DOCUMENTS_STORAGE_URL else _check_folder("DOCUMENTS_ROOT", Path(settings.DOCUMENTS_ROOT))


def _check_folder(variable: str, folder: Path) -> list[CheckMessage]:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"{variable} ({folder}) : ce processus ne peut pas écrire dans {existing}.",
            hint=f"chown portail {existing}",
            id="portal.E003",
        )
    ]


def _allowed() -> list[str]:
    return [str(host) for host in settings.ALLOWED_HOSTS if host]
