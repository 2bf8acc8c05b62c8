"""``DOCUMENTS_STORAGE_URL``: one address says where documents are kept."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from portal.environment import hide_password, wrong

_FORM = "s3://CLÉ:SECRET@HÔTE[:PORT]/SEAU[/DOSSIER][?region=…&tls=0]"
_EXAMPLE = "s3://cle:secret@s3.fr-par.scw.cloud/factures?region=fr-par"


def read_storage_url(url: str) -> dict[str, Any]:
    """The entry of ``STORAGES`` for ``url``; a folder of this machine where it is empty.

    ``s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX]?region=REGION&tls=0``. Without key and secret, those that boto3 finds
    by itself (the role of the machine, AWS_*). Raises ImproperlyConfigured, in French, on anything else.
    """
    if not url:
        return {"BACKEND": "invoices.store.local.DocumentStorage"}
    try:
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _wrong(url) from None
    bucket, _slash, prefix = parts.path.strip("/").partition("/")
    if parts.scheme != "s3" or not parts.hostname or not bucket or bool(parts.username) != bool(parts.password):
        raise _wrong(url)
    unknown = set(options) - {"region", "tls"}
    if unknown:
        raise _wrong(url, f", sans autre option ({', '.join(sorted(unknown))})")
    scheme = "http" if options.get("tls") == "0" else "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return {
        "BACKEND": "invoices.store.s3.ObjectStorage",
        "OPTIONS": {
            "access_key": unquote(parts.username) if parts.username else None,
            "secret_key": unquote(parts.password) if parts.password else None,
            "endpoint_url": f"{scheme}://{host}{port}",
            "bucket_name": bucket,
            "location": prefix,
            "region_name": options.get("region", "us-east-1"),
        },
    }


def _wrong(url: str, besides: str = "") -> ImproperlyConfigured:
    return wrong(
        "DOCUMENTS_STORAGE_URL",
        hide_password(url),
        expected=f"une adresse de la forme {_FORM}{besides}",
        example=_EXAMPLE,
    )
