"""Identifiers of companies and of their bank accounts, checked by their check digits (python-stdnum)."""

import re
from collections.abc import Mapping
from typing import Final

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as InvalidNumber
from stdnum.fr import siren, siret

validate_country: Final = RegexValidator(r"^[A-Z]{2}\Z", gettext_lazy("Le pays est un code à deux lettres (FR, DE…)."))
"""Raises ValidationError for what is no code of two capitals (ISO 3166-1)."""

_FRENCH_VAT_NUMBER: Final = re.compile(r"FR[0-9A-Z]{2}([0-9]{9})", re.ASCII)
_COUNTED_UP: Final = ("123456789", "12345678", "0123456789")


def check_siren(value: str) -> tuple[str, str]:
    """``value`` without spaces, and a French sentence where it is no SIREN (empty where it is one, or is empty)."""
    compact = siren.compact(value.strip())
    if not compact or (siren.is_valid(compact) and compact.strip("0")):
        return compact, ""
    return compact, _("« %(value)s » n’est pas un SIREN : 9 chiffres, le dernier étant une clé.") % {"value": value}


def check_siret(value: str) -> tuple[str, str]:
    """``value`` without spaces, and a French sentence where it is no SIRET."""
    compact = siret.compact(value.strip())
    if not compact or (siret.is_valid(compact) and compact[:9].strip("0")):
        return compact, ""
    return compact, _("« %(value)s » n’est pas un SIRET : 14 chiffres, le dernier étant une clé.") % {"value": value}


def check_vat_identifier(value: str) -> tuple[str, str]:
    """``value`` without spaces, and a French sentence where a European number does not hold.

    Numbers of other countries are kept as they are: their rules are not ours to judge.
    """
    text = value.strip()
    if not text:
        return "", ""
    prefix = text[:2].lower()
    if prefix not in vat.MEMBER_STATES and prefix != "el":
        return text, ""
    try:
        return vat.validate(text), ""
    except InvalidNumber:
        return text, _("« %(value)s » n’est pas un numéro de TVA valable.") % {"value": value}


def is_real_vat(value: str) -> bool:
    """False where ``value`` is a dummy, which says nothing about who somebody is.

    That is a number whose digits are all the same or count up, one without digits, and one of a member state whose
    key is wrong. The key of a French number is judged alone: a SIREN is compared by itself.
    """
    digits = "".join(each for each in value if each.isdigit())
    if len(value) < 5 or len(digits) < 4 or len(set(digits[-9:])) == 1 or digits.endswith(_COUNTED_UP):
        return False
    if french := _FRENCH_VAT_NUMBER.fullmatch(value):
        key = value[2:4]
        return not key.isdigit() or int(key) == (12 + 3 * (int(french[1]) % 97)) % 97
    return not check_vat_identifier(value)[1]


def differing_number(stated: Mapping[str, str], known: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The number by which ``stated`` is another company than ``known``: its field, what is stated, what is known.

    Both are ``siren``, ``siret`` and ``vat_identifier``, where they have them. None where nothing contradicts: a field
    that one of them lacks, another SIRET of the same SIREN, a dummy VAT number. Where one states a SIREN and the other
    a French VAT number only, the SIREN within that counts.
    """
    mine, theirs = _numbers(stated), _numbers(known)
    comparable = [name for name in ("siren", "vat_identifier") if mine[name] and theirs[name]]
    if not comparable and (siren_within := _siren_within(mine)) and (own := _siren_within(theirs)):
        return ("siren", siren_within, own) if siren_within != own else None
    return next(((name, mine[name], theirs[name]) for name in comparable if mine[name] != theirs[name]), None)


def _numbers(of: Mapping[str, str]) -> dict[str, str]:
    siren, siret, vat_identifier = (
        "".join(char for char in of.get(name, "") if char.isalnum()).upper()
        for name in ("siren", "siret", "vat_identifier")
    )
    return {"siren": siren or siret[:9], "vat_identifier": vat_identifier if is_real_vat(vat_identifier) else ""}


def _siren_within(numbers: Mapping[str, str]) -> str:
    french = _FRENCH_VAT_NUMBER.fullmatch(numbers["vat_identifier"])
    return numbers["siren"] or (french[1] if french else "")


def check_iban(value: str) -> tuple[str, str]:
    """``value`` without spaces, and a French sentence where it is no IBAN (empty where it is one, or is empty)."""
    compact = iban.compact(value.strip())
    if not compact or iban.is_valid(compact):
        return compact, ""
    return compact, _("« %(value)s » n’est pas un IBAN valable.") % {"value": value}


def check_bic(value: str) -> tuple[str, str]:
    """``value`` without spaces, and a French sentence where it is no BIC."""
    compact = bic.compact(value.strip())
    if not compact or bic.is_valid(compact):
        return compact, ""
    return compact, _("« %(value)s » n’est pas un BIC valable.") % {"value": value}
