"""Whether a bucket shows documents to whoever asks: its ACL, its policy, and a request without credentials."""

from typing import Any
from urllib.parse import quote

import requests
from django.utils.translation import gettext as _

from mailing.json_text import parse_json

# A check of the settings never hangs: each question has so many seconds, and the first silence is the last question.
SECONDS = 5
_EVERYBODY = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")


class BucketSilentError(Exception):
    """The bucket could not be asked; ``str()`` says why in French."""


def find_exposure(options: dict[str, Any]) -> str:
    """What of the bucket is public, as a French clause; empty where nothing was found.

    ``options`` are those of :class:`invoices.store.s3.ObjectStorage`. What the key may not ask is left out. Raises
    :class:`BucketSilentError` where the store does not answer or refuses the key.
    """
    import boto3  # an optional library
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = options["bucket_name"]
    client = boto3.client(
        "s3",
        endpoint_url=options["endpoint_url"],
        aws_access_key_id=options["access_key"],
        aws_secret_access_key=options["secret_key"],
        region_name=options["region_name"],
        config=Config(
            connect_timeout=SECONDS,
            read_timeout=SECONDS,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            signature_version="s3v4",
        ),
    )

    def ask(question: str, **values: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(client, question)(Bucket=bucket, **values)
        except ClientError:
            return {}
        return answer

    try:
        prefix = f"{options['location']}/" if options["location"] else ""
        found = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", [])
        if _grants_everybody(ask("get_bucket_acl").get("Grants", [])):
            return _("ses droits (ACL) l’ouvrent à tous")
        if _allows_everybody(ask("get_bucket_policy").get("Policy", "")):
            return _("sa politique d’accès l’ouvre à tous")
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise BucketSilentError(_("le stockage refuse (%(code)s)") % {"code": code}) from error
    except BotoCoreError as error:
        raise BucketSilentError(_("le stockage ne répond pas")) from error
    finally:
        client.close()
    if found and _is_read_by_strangers(f"{options['endpoint_url']}/{bucket}/{quote(found[0]['Key'])}"):
        return _("un document s’y lit sans clé")
    return ""


def _grants_everybody(grants: list[dict[str, Any]]) -> bool:
    return any(str(grant.get("Grantee", {}).get("URI", "")).endswith(_EVERYBODY) for grant in grants)


def _allows_everybody(policy: str) -> bool:
    """True where a statement allows everybody something without a condition (AWS: Principal ``*``)."""
    try:
        read = parse_json(policy or "{}")
    except ValueError:
        return False
    statements = read.get("Statement") if isinstance(read, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict):
            continue
        principal = statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, dict) else principal
        is_everybody = "*" in (named if isinstance(named, list) else [named])
        if is_everybody and statement.get("Effect") == "Allow" and not statement.get("Condition"):
            return True
    return False


def _is_read_by_strangers(address: str) -> bool:
    """True where ``address`` answers a request that carries no key. A redirection or a silence is a no."""
    try:
        with requests.get(
            address, headers={"Range": "bytes=0-0"}, timeout=SECONDS, allow_redirects=False, stream=True
        ) as answer:
            return answer.status_code in (200, 206)
    except requests.RequestException:
        return False
