"""Identifiers of companies and of their bank accounts, checked by their check digits (python-stdnum)."""

from django.utils.translation import gettext as _
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as InvalidNumber
from stdnum.fr import siren, siret


def check_siren(value: str) -> tuple[str, str]:
    """``value`` without spaces, and a French sentence where it is no SIREN (empty where it is one, or is empty)."""
    compact = siren.compact(value.strip())
    if not compact or siren.is_valid(compact):
        return compact, ""
    return compact, _("« %(value)s » n’est pas un SIREN : 9 chiffres, le dernier étant une clé.") % {"value": value}


def check_siret(value: str) -> tuple[str, str]:
    """``value`` without spaces, and a French sentence where it is no SIRET."""
    compact = siret.compact(value.strip())
    if not compact or siret.is_valid(compact):
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
