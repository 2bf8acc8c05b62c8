"""What is asked of a simulated platform: the values of its interface, each checked before anything is done with it."""

import json
import re
from typing import Any, Final

from invoices.platforms.client import read_moment, write_moment

SYNTAXES: Final = ("Factur-X", "CII", "UBL", "CDAR", "FRR")
RULES: Final = ("B2B", "B2BInt", "B2C", "OutOfScope", "ArchiveOnly", "NotApplicable")
PROFILES: Final = ("Basic", "CIUS", "Extended-CTC-FR")
STATES: Final = ("Pending", "Ok", "Error")
DIRECTIONS: Final = ("In", "Out")
KINDS: Final = ("CustomerInvoice", "CustomerInvoiceLC", "SupplierInvoice", "SupplierInvoiceLC")
DOCUMENTS: Final = ("Metadata", "Original")
MOST_RESULTS: Final = 100
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class NoAnswerError(Exception):
    """The connection is cut before anything is answered."""


def json_object(content: bytes) -> dict[str, Any]:
    """The JSON object in ``content``; raises :class:`RefusalError`."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise RefusalError(400, "BAD_REQUEST", "Le JSON n’est pas lisible.") from problem
    if not isinstance(found, dict):
        raise RefusalError(400, "BAD_REQUEST", "Un objet JSON est attendu.")
    return found


def whole_number(value: object, least: int, most: int) -> int | None:
    """``value`` as a whole number within bounds; JSON Schema counts 2.0 as one. None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value) if least <= value <= most else None


def checked_info(info: dict[str, Any]) -> dict[str, str]:
    """``flowInfo``, each value of its list; raises :class:`RefusalError`."""
    known = {
        "trackingId": None,
        "name": None,
        "sha256": None,
        "flowSyntax": SYNTAXES,
        "processingRule": RULES,
        "flowProfile": PROFILES,
    }
    if unknown := set(info) - set(known):
        raise RefusalError(400, "BAD_REQUEST", f"« {sorted(unknown)[0][:40]} » n’est pas un champ de flowInfo.")
    for name, values in known.items():
        value = info.get(name)
        if name not in info:
            continue
        if not isinstance(value, str) or (values is not None and value not in values):
            raise RefusalError(400, "BAD_REQUEST", f"« {name} » n’est pas une valeur permise.")
    if not info.get("flowSyntax") or not info.get("name"):
        raise RefusalError(400, "BAD_REQUEST", "« flowSyntax » et « name » sont demandés.")
    if "sha256" in info and not _SHA256.fullmatch(info["sha256"]):
        raise RefusalError(400, "BAD_REQUEST", "« sha256 » a 64 chiffres hexadécimaux.")
    return {name: str(info.get(name, "")) for name in known}


def checked_where(where: dict[str, Any]) -> dict[str, Any]:
    """The criteria of a search, each value of its kind; raises :class:`RefusalError`."""
    lists: dict[str, tuple[str, ...]] = {
        "flowType": KINDS,
        "flowDirection": DIRECTIONS,
        "processingRule": RULES,
    }
    for name, value in where.items():
        if name in ("updatedAfter", "updatedBefore"):
            moment = read_moment(value) if isinstance(value, str) and "T" in value else None
            if moment is None:
                raise RefusalError(400, "BAD_REQUEST", f"« {name} » n’est pas un moment (AAAA-MM-JJThh:mm:ssZ).")
            where = {**where, name: write_moment(moment)}
        elif name in lists:
            if not isinstance(value, list) or not value or any(each not in lists[name] for each in value):
                raise RefusalError(400, "BAD_REQUEST", f"« {name} » est une liste de valeurs permises.")
        elif name == "ackStatus":
            if value not in STATES:
                raise RefusalError(400, "BAD_REQUEST", "« ackStatus » vaut Pending, Ok ou Error.")
        elif name != "trackingId" or not isinstance(value, str):
            raise RefusalError(400, "BAD_REQUEST", f"« {name[:40]} » n’est pas un critère.")
    return where


def checked_filter(name: str, given: object, digits: int) -> str:
    """The number that a filter of the directory asks for; raises :class:`RefusalError`."""
    given = given if isinstance(given, dict) else {}
    value = given.get("value")
    if given.get("op") != "strict" or not isinstance(value, str) or not re.fullmatch(rf"[0-9]{{{digits}}}", value):
        raise RefusalError(400, "BAD_REQUEST", f"« {name} » se filtre par « strict », sur {digits} chiffres.")
    return value
