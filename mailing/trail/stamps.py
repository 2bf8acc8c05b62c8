"""The root of each day in the hands of a time-stamping authority (RFC 3161): it cannot be replaced later.

What is stamped is the fingerprint of the chain as 64 characters of text: ``openssl ts -verify`` takes a file of it.
"""

import datetime
import hashlib
import logging
from functools import partial
from pathlib import Path
from typing import Any, Final

import requests
from cryptography import x509
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from mailing.http_answers import TooLargeError, read_at_most
from mailing.quarantine.tries import Loop, Tries
from mailing.trail.actions import Action
from mailing.trail.chain import note_root
from mailing.trail.der import sort_certificates
from mailing.trail.models import Root, TimeStamp
from mailing.trail.recording import record

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 20.0  # seconds
_LARGEST_ANSWER: Final = 200_000  # bytes
# An authority that is away is asked again after that long.
_ASK_AGAIN_AFTER: Final = datetime.timedelta(minutes=15)
_MOST_AT_ONCE: Final = 10
# Over half a day: what an authority answers may be put right meanwhile.
_MOST_TRIES: Final = 50


class TimeStampError(Exception):
    """No time-stamp, or a wrong one; ``str()`` is a French sentence."""


class AuthorityAwayError(TimeStampError):
    """The authority does not answer: no root is to blame."""


def seal_last_day() -> int:
    """Note the root of yesterday, and have the roots that wait for it stamped (``TIMESTAMP_URL``); how many were."""
    note_root(timezone.localdate() - datetime.timedelta(days=1))
    waiting = Root.objects.filter(stamp=None)
    if not settings.TIMESTAMP_URL or not waiting.exists():
        return 0
    if not cache.add("trail.stamps", "asked", _ASK_AGAIN_AFTER.total_seconds()):
        return 0
    tries = Tries(Loop.STAMP, most=_MOST_TRIES)
    stamped = 0
    roots = list(waiting.exclude(day__in=tries.set_aside_keys())[:_MOST_AT_ONCE])
    try:
        for root in roots:
            label = _("Racine du %(day)s") % {"day": f"{root.day:%d/%m/%Y}"}
            work = partial(stamp, root)
            stamped += tries.attempt(root.day, label, work, lets_through=(AuthorityAwayError,), says=(TimeStampError,))
    except AuthorityAwayError as error:
        logger.warning("No time-stamp: %s", error)
        return stamped
    if stamped == len(roots):
        cache.delete("trail.stamps")
    return stamped


def stamp(root: Root) -> TimeStamp:
    """Ask the authority of the settings for the stamp of ``root``, and keep it; raises TimeStampError.

    An entry of the trail keeps what was answered: the authority signs for a part of it only, and may not be known here.
    """
    request = TimestampRequestBuilder().data(root.sha256.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = _ask(settings.TIMESTAMP_URL, request)
    _check(root, answer, nonce=request.nonce)
    with transaction.atomic():
        kept = TimeStamp.objects.create(root=root, authority=settings.TIMESTAMP_URL[:300], answer=answer)
        record(Action.ROOT_STAMPED, root, details=describe_stamp(kept))
    return kept


def describe_stamp(kept: TimeStamp) -> dict[str, Any]:
    """What the trail keeps of a stamp and its root, as plain values."""
    return {
        "position": kept.root.position,
        "root": kept.root.sha256,
        "authority": kept.authority,
        "answer": hashlib.sha256(bytes(kept.answer)).hexdigest(),
    }


def check_stamp(kept: TimeStamp) -> datetime.datetime:
    """When the authority saw the root of ``kept``; raises TimeStampError where it stamped something else.

    The signature is checked too where ``TIMESTAMP_CA_FILE`` says whom to believe.
    """
    return _check(kept.root, bytes(kept.answer)).tst_info.gen_time


def _ask(url: str, request: TimeStampRequest) -> bytes:
    try:
        with requests.post(
            url,
            data=request.as_bytes(),
            headers={"Content-Type": "application/timestamp-query"},
            timeout=_TIMEOUT,
            stream=True,
        ) as response:
            content = read_at_most(response, _LARGEST_ANSWER)
    except (requests.RequestException, OSError, TooLargeError) as error:
        raise AuthorityAwayError(_("%(url)s ne répond pas (%(reason)s).") % {"url": url, "reason": error}) from None
    if response.status_code != requests.codes.ok:
        raise AuthorityAwayError(_("%(url)s refuse (HTTP %(code)s).") % {"url": url, "code": response.status_code})
    return content


def _check(root: Root, answer: bytes, *, nonce: int | None = None) -> TimeStampResponse:
    said = {"day": root.day.isoformat()}
    try:
        response = decode_timestamp_response(sort_certificates(answer))
        if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            raise TimeStampError(_("L’autorité refuse d’horodater la racine du %(day)s.") % said)
        imprint = response.tst_info.message_imprint.message
    except ValueError:
        raise TimeStampError(_("L’horodatage de la racine du %(day)s est illisible.") % said) from None
    expected = hashlib.sha256(root.sha256.encode()).digest()
    if imprint != expected or (nonce is not None and response.tst_info.nonce != nonce):
        raise TimeStampError(_("L’horodatage de la racine du %(day)s n’est pas celui de cette racine.") % said)
    if settings.TIMESTAMP_CA_FILE:
        builder = VerifierBuilder()
        for certificate in _trusted_roots():
            builder = builder.add_root_certificate(certificate)
        try:
            builder.build().verify(response, expected)
        except (VerificationError, ValueError) as error:
            raise TimeStampError(
                _("La signature de l’horodatage du %(day)s n’est pas valable (%(reason)s).") % {**said, "reason": error}
            ) from None
    return response


def _trusted_roots() -> list[x509.Certificate]:
    """The certificates of TIMESTAMP_CA_FILE; no root is to blame where they cannot be read."""
    try:
        return x509.load_pem_x509_certificates(Path(settings.TIMESTAMP_CA_FILE).read_bytes())
    except (OSError, ValueError) as error:
        said = {"file": settings.TIMESTAMP_CA_FILE, "reason": error}
        raise AuthorityAwayError(_("TIMESTAMP_CA_FILE : %(file)s ne se lit pas (%(reason)s).") % said) from None
