"""Placeholders of the predefined messages: ``#REFFACTURE`` and its kin.

A value is put in once, in one pass: what a value holds is never read again as a placeholder.
"""

import difflib
import re
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PLACEHOLDERS = {
    "#REFFACTURE": gettext_lazy("numéro de la facture"),
    "#DATE_FACTURE": gettext_lazy("date de la facture"),
    "#MONTANT_TTC": gettext_lazy("montant toutes taxes comprises"),
    "#ECHEANCE": gettext_lazy("date d’échéance"),
    "#NOM_CLIENT": gettext_lazy("nom du client"),
    "#SOCIETE": gettext_lazy("nom de votre société"),
    "#URL_ESPACE": gettext_lazy("adresse de l’espace client"),
    "#LOGIN_CONNEXION": gettext_lazy("identifiant de connexion"),
    "#PWD_CONNEXION": gettext_lazy("mot de passe provisoire"),
}
PLACEHOLDER_PATTERN = re.compile(r"#[A-Z][A-Z0-9_]+")


def check_placeholders(text: str) -> list[str]:
    """One French sentence per unknown placeholder of ``text``, in the order of the text; empty where all are known."""
    problems = []
    for name in dict.fromkeys(PLACEHOLDER_PATTERN.findall(text)):
        if name in PLACEHOLDERS:
            continue
        nearest = difflib.get_close_matches(name, PLACEHOLDERS, n=1, cutoff=0.5)
        if nearest:
            problems.append(_("%(name)s : vouliez-vous dire %(nearest)s ?") % {"name": name, "nearest": nearest[0]})
        else:
            problems.append(
                _("%(name)s n’est pas une étiquette connue (connues : %(known)s).")
                % {"name": name, "known": ", ".join(PLACEHOLDERS)}
            )
    return problems


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each known placeholder replaced by its value; names without a value stay as they are."""
    return PLACEHOLDER_PATTERN.sub(lambda match: values.get(match[0], match[0]), text)
