"""The profiles of Factur-X, as guidelines (BT-24) and as levels in the metadata of a PDF (Factur-X 1.0, §6)."""

import re
from typing import Final

EN16931_LEVEL: Final = "EN 16931"
# The guideline begins with one of these; the level is written as the specification spells it.
_LEVELS: Final = (
    ("urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", "EXTENDED"),
    ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", "BASIC"),
    ("urn:factur-x.eu:1p0:basicwl", "BASIC WL"),
    ("urn:factur-x.eu:1p0:minimum", "MINIMUM"),
)
_EN16931: Final = "urn:cen.eu:en16931:2017"
# ZUGFeRD 2.0 said its own name where Factur-X says its own, and means the same.
_OLDER_NAME: Final = re.compile(r"urn:zugferd\.de:2p0:")
# A national or sectoral specification on EN 16931, by an owner other than Factur-X: XRechnung, Peppol, CTC-FR…
_OF_ANOTHER_OWNER: Final = re.compile(
    re.escape(_EN16931) + r"#(?:compliant|conformant)#urn[:.](?!factur-x\.eu:)[a-z0-9][^\s#]*(?:#conformant#\S+)?"
)
_LEVEL_SYNONYMS: Final = {"EN16931": EN16931_LEVEL, "COMFORT": EN16931_LEVEL, "BASICWL": "BASIC WL"}


def conformance_level(profile: str) -> str:
    """The Factur-X level of a guideline; EN 16931 where it is not one of the other profiles'."""
    profile = _present_name(profile)
    return next((level for prefix, level in _LEVELS if profile.startswith(prefix)), EN16931_LEVEL)


def is_factur_x_profile(profile: str) -> bool:
    """True where ``profile`` (BT-24) is one of Factur-X itself, so that the metadata have one level to say."""
    return _compact(profile) in {_EN16931, *(prefix for prefix, _level in _LEVELS)}


def is_known_profile(profile: str) -> bool:
    """True where ``profile`` (BT-24) is one of Factur-X, or another owner's specification on EN 16931."""
    return is_factur_x_profile(profile) or bool(_OF_ANOTHER_OWNER.fullmatch(_compact(profile)))


def _compact(profile: str) -> str:
    return _present_name(re.sub(r"\s", "", profile.lower()))


def _present_name(profile: str) -> str:
    return _OLDER_NAME.sub("urn:factur-x.eu:1p0:", profile)


def same_level(stated: str, level: str) -> bool:
    """True where the metadata's ``stated`` level means ``level``, however it is spelled."""
    compact = re.sub(r"[\s_-]", "", stated.upper())
    return _LEVEL_SYNONYMS.get(compact, compact) == level
