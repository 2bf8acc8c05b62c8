"""Checks of what is beside the settings (``manage.py check --deploy``): store, machines, companies.

Whatever is asked answers within some seconds or is said not to.
"""

import datetime
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection

# One line for each of so many machines or companies: what is wrong with the others shows next time.
MOST_NAMED = 5


@register(Tags.security, deploy=True)
def check_bucket_is_private(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Documents on an S3-compatible store are read by us alone."""
    if not settings.DOCUMENTS_STORAGE_URL:
        return []
    from invoices.store.exposure import BucketSilentError, find_exposure  # models are not ready where this is imported

    options = settings.STORAGES["default"]["OPTIONS"]
    try:
        exposure = find_exposure(options)
    except BucketSilentError as error:
        return [
            Warning(
                f"DOCUMENTS_STORAGE_URL : le seau {options['bucket_name']} n’a pas pu être examiné, {error}.",
                hint="Vérifiez l’adresse, la clé et le seau, puis relancez « manage.py check --deploy ».",
                id="portal.W008",
            )
        ]
    if not exposure:
        return []
    return [
        Error(
            f"Le seau {options['bucket_name']} est public, {exposure} : chacun pourrait lire les factures.",
            hint="Retirez l’accès public (ACL « private », pas de politique pour « * »), bloquez-le chez l’hébergeur.",
            id="portal.E009",
        )
    ]


@register(Tags.security, deploy=True)
def check_machines(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Clocks and time zones of all machines agree, and a database that is a file serves one of them."""
    from mailing.heartbeats import find_disagreeing_machines, living_machines, measure_clock_offset

    try:
        offset, others, machines = measure_clock_offset(), find_disagreeing_machines(), living_machines()
    except DatabaseError:
        return []  # said by whatever needs the database
    found = _check_clock("cette machine", offset)
    for machine, (theirs, zone) in sorted(others.items())[:MOST_NAMED]:
        found += _check_clock(machine, theirs)
        if zone != settings.TIME_ZONE:
            found.append(
                Warning(
                    f"{machine} compte ses jours à l’heure de {zone}, cette machine à celle de {settings.TIME_ZONE} : "
                    "dates et calendriers ne seraient pas les mêmes.",
                    hint=f"TIME_ZONE={settings.TIME_ZONE} sur toutes les machines",
                    id="portal.W010",
                )
            )
    if connection.vendor == "sqlite" and len(machines) > 1:
        found.append(
            Warning(
                f"La base est un fichier SQLite, et plusieurs machines l’ouvrent ({', '.join(machines[:MOST_NAMED])}) "
                ": un fichier partagé entre machines s’abîme.",
                hint="DATABASE_URL=postgres://portail:secret@hote/portail",
                id="portal.W012",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_companies(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Each issuer states what the law asks: nothing is exported in the name of another."""
    from invoices.models import Company

    try:
        incomplete = Company.objects.order_by("pk").incomplete()
    except DatabaseError:
        return []
    return [
        Warning(
            f"« {company.name} » : il manque à son identité légale {', '.join(company.missing_identity())}. Ses "
            "factures ne peuvent pas être exportées.",
            hint="Paramétrage › Société, ou manage.py configure_company",
            id="portal.W011",
        )
        for company in incomplete[:MOST_NAMED]
    ]


def _check_clock(machine: str, offset: datetime.timedelta) -> list[CheckMessage]:
    from mailing.heartbeats import MOST_CLOCK_OFFSET

    if abs(offset) <= MOST_CLOCK_OFFSET:
        return []
    side = "avance" if offset > datetime.timedelta() else "retarde"
    return [
        Warning(
            f"L’horloge de {machine} {side} de {abs(offset).total_seconds():.0f} s sur celle de la base : dates, codes "
            "à six chiffres et certificats seraient faux.",
            hint="timedatectl set-ntp true, sur les deux",
            id="portal.W009",
        )
    ]
