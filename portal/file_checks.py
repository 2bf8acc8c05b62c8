"""Checks of what the settings name (``manage.py check --deploy``): keys, certificates, folders, static files."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dkim
from cryptography import x509
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

_TRIAL = b"From: essai@exemple.fr\r\nSubject: essai\r\n\r\nessai\r\n"


@register(Tags.security, deploy=True)
def check_signing_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The three settings of DKIM go together, and the key signs."""
    given = {name: getattr(settings, name) for name in ("DKIM_DOMAIN", "DKIM_SELECTOR", "DKIM_PRIVATE_KEY")}
    missing = [name for name, value in given.items() if not value]
    found: list[CheckMessage] = []
    if settings.DKIM_PRIVATE_KEY and not os.access(settings.DKIM_PRIVATE_KEY, os.R_OK):
        found.append(
            Error(
                f"DKIM_PRIVATE_KEY nomme {settings.DKIM_PRIVATE_KEY}, que ce processus ne peut pas lire.",
                hint="Donnez le chemin d’un fichier PEM lisible par l’utilisateur du service.",
                id="portal.E004",
            )
        )
    elif settings.DKIM_PRIVATE_KEY and not _signs(Path(settings.DKIM_PRIVATE_KEY)):
        found.append(
            Error(
                f"DKIM_PRIVATE_KEY nomme {settings.DKIM_PRIVATE_KEY}, qui n’est pas une clé RSA (PEM) : aucun mail "
                "ne partirait.",
                hint="openssl genrsa -traditional -out dkim.pem 2048",
                id="portal.E006",
            )
        )
    if missing and len(missing) < len(given):
        found.append(
            Warning(
                f"Les mails ne sont pas signés (DKIM) : {', '.join(missing)} est vide.",
                hint="DKIM_DOMAIN, DKIM_SELECTOR et DKIM_PRIVATE_KEY vont ensemble.",
                id="portal.W006",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_roots_of_stamps(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The certificates by which time-stamps are verified can be read."""
    if not settings.TIMESTAMP_CA_FILE:
        return []
    try:
        x509.load_pem_x509_certificates(Path(settings.TIMESTAMP_CA_FILE).read_bytes())
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except ValueError:
        problem = "ce n’est pas un fichier PEM de certificats"
    else:
        return []
    return [
        Error(
            f"TIMESTAMP_CA_FILE nomme {settings.TIMESTAMP_CA_FILE}, qui ne se lit pas ({problem}) : aucun horodatage "
            "ne serait accepté.",
            hint="TIMESTAMP_CA_FILE=/srv/portail/horodatage-racines.pem",
            id="portal.E007",
        )
    ]


@register(Tags.security, deploy=True)
def check_import_folder(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The folder of the ERP is there, and files can be moved out of it."""
    folder = settings.IMPORT_FOLDER
    if not folder or (Path(folder).is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
        return []
    return [
        Error(
            f"IMPORT_FOLDER nomme {folder}, qui n’est pas un dossier où ce processus peut lire et écrire.",
            hint="IMPORT_FOLDER=/srv/erp/depot, puis chown portail /srv/erp/depot",
            id="portal.E008",
        )
    ]


@register(Tags.security, deploy=True)
def check_static_files(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Style sheets and scripts of this version were collected: without them no page is shown."""
    absent = "" if settings.DEBUG else first_absent_static_file()
    if not absent:
        return []
    return [
        Warning(
            f"Les fichiers statiques de cette version ne sont pas rassemblés dans {settings.STATIC_ROOT} (il manque "
            f"{absent}) : aucune page ne s’afficherait.",
            hint="manage.py collectstatic --no-input (manage.py upgrade le fait)",
            id="portal.W007",
        )
    ]


def first_absent_static_file() -> str:
    """The name of a static file of ours that was not collected, or of the list of those that were; empty for none."""
    root, manifest = Path(settings.STATIC_ROOT), "staticfiles.json"
    try:
        collected: dict[str, str] = json.loads((root / manifest).read_text())["paths"]
    except (OSError, ValueError, KeyError):
        return manifest
    for folder in map(Path, settings.STATICFILES_DIRS):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            is_one = path.is_file() and not path.name.startswith(".")
            if is_one and not (name in collected and (root / collected[name]).is_file()):
                return name
    return ""


def _signs(key: Path) -> bool:
    try:
        dkim.sign(_TRIAL, selector=b"essai", domain=b"exemple.fr", privkey=key.read_bytes())
    except (OSError, dkim.DKIMException, ValueError):
        return False
    return True
