"""Bank identifiers, checked by their check digits (python-stdnum)."""

from django.utils.translation import gettext as _
from stdnum import bic, iban


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
