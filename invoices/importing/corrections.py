"""What would mend a refused cell, by its column: one sentence for those that are mended in the same way."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_DATE: Final = gettext_lazy("Écrivez la date jj/mm/aaaa, puis redonnez le fichier.")
_AMOUNT: Final = gettext_lazy(
    "Écrivez le montant en chiffres, avec deux décimales (1234,50), puis redonnez le fichier."
)
_TOTALS: Final = gettext_lazy("Accordez les totaux et les lignes dans l’ERP, puis exportez la facture à nouveau.")
_CUSTOMER: Final = gettext_lazy("Donnez la table des clients avec celle-ci, ou corrigez le code du client.")
_IDENTIFIER: Final = gettext_lazy("Vérifiez le numéro sur un document du client, ou laissez la cellule vide.")
_NUMBER: Final = gettext_lazy("Écrivez un nombre (12,5), puis redonnez le fichier.")
_ADDRESS: Final = gettext_lazy("Corrigez l’adresse sur la fiche de l’ERP ou sur celle du portail.")

_BY_COLUMN: Final = {
    **dict.fromkeys(("date", "echeance", "date_facture_corrigee", "date_livraison"), _DATE),
    **dict.fromkeys(("total_ht", "total_tva", "total_ttc"), _TOTALS),
    **dict.fromkeys(("deja_paye", "tva_en_euros"), _AMOUNT),
    **dict.fromkeys(("quantite", "prix_unitaire_ht", "remise", "taux_tva"), _NUMBER),
    **dict.fromkeys(("siren", "siret", "tva_intracom"), _IDENTIFIER),
    "code_client": _CUSTOMER,
    "email": _ADDRESS,
    "numero": gettext_lazy("Corrigez le numéro, ou donnez ensemble les factures et leurs lignes."),
    "code": gettext_lazy("Donnez un code, différent pour chaque client."),
    "societe": gettext_lazy("Ajoutez la société dans Paramétrage société, ou corrigez son nom dans le fichier."),
    "pdf": gettext_lazy("Donnez le PDF avec la table, sous le nom écrit dans cette cellule."),
    "devise": gettext_lazy("Écrivez le code de la devise en trois lettres (EUR)."),
    **dict.fromkeys(("pays", "pays_livraison"), gettext_lazy("Écrivez le code du pays en deux lettres (FR).")),
}


def correction_of(column: str, *, has_line: bool) -> str:
    """What mends a refused cell of ``column``, in French; without a line, what mends a refused file."""
    if not has_line:
        return _("Corrigez ce fichier, ou exportez-le à nouveau, puis redonnez-le.")
    name = column.rpartition(".")[2]
    return str(_BY_COLUMN.get(name) or _("Corrigez cette ligne dans l’ERP, puis redonnez le fichier."))
