"""Checks lifecycle messages (CDAR): the schema, and what status 212 must say.

The schema comes with the package ``pyfrctc``, whose code is not used and not imported.
"""

import functools
import importlib.util
from pathlib import Path
from typing import Final

from lxml import etree

from invoices.formats.cdar import NAMESPACES, RECEIVED_AMOUNT

_SCHEMA: Final = "CrossDomainAcknowledgementAndResponse_100pD22B.xsd"
_PAID: Final = "212"


def cdar_folder() -> Path:
    """Where the package ``pyfrctc`` keeps its schemas and rules."""
    spec = importlib.util.find_spec("pyfrctc")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pyfrctc")
    return Path(spec.origin).parent


@functools.cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(cdar_folder() / "cdar-xsd" / _SCHEMA))


def check_status_message(root: etree._Element) -> list[str]:
    """What is wrong with the CDAR message ``root``, in French; nothing where it is right."""
    schema = _schema()
    if not schema.validate(root):
        return [f"Le message ne suit pas son schéma : {error.message}" for error in schema.error_log]
    return [
        "Le statut 212 ne dit pas ses montants par taux de TVA (BR-FR-CDV-14)."
        for reference in root.iterfind(".//ram:ReferenceReferencedDocument", NAMESPACES)
        if reference.findtext("ram:ProcessConditionCode", "", NAMESPACES) == _PAID and not _has_amounts(reference)
    ]


def _has_amounts(reference: etree._Element) -> bool:
    received = [
        found
        for found in reference.iterfind(".//ram:SpecifiedDocumentCharacteristic", NAMESPACES)
        if found.findtext("ram:TypeCode", "", NAMESPACES) == RECEIVED_AMOUNT
    ]
    return bool(received) and all(
        found.findtext(name, "", NAMESPACES) for found in received for name in ("ram:ValueAmount", "ram:ValuePercent")
    )
