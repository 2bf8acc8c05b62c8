"""Our columns as a flat table names them: ``numero``, ``ligne.designation``, ``client.email``.

Columns of invoices keep their name; those of lines and customers get a prefix. They are the columns of
:mod:`invoices.importing.tables.columns`, which stay declared there.
"""

from typing import Final

from invoices.importing.tables.columns import CUSTOMERS, INVOICES, LINES

LINE: Final = "ligne."
CUSTOMER: Final = "client."
CUSTOMER_NAME: Final = "client.raison_sociale"

LINE_VAT: Final = f"{LINE}total_tva"
LINE_GROSS: Final = f"{LINE}total_ttc"
CHECKS: Final = (LINE_VAT, LINE_GROSS)
"""Amounts of a line that are not imported but checked, and from which the totals and rates of others follow."""

_HEAD_KEYS: Final = ("numero", "societe")
FIELDS: Final[tuple[str, ...]] = (
    *INVOICES.obligatory,
    *INVOICES.optional,
    *(f"{LINE}{name}" for name in (*LINES.obligatory, *LINES.optional) if name not in _HEAD_KEYS),
    *(f"{CUSTOMER}{name}" for name in (*CUSTOMERS.obligatory, *CUSTOMERS.optional)),
)

DATES: Final = frozenset(("date", "echeance", "date_facture_corrigee", "date_livraison", f"{LINE}date_livraison"))
AMOUNTS: Final = frozenset(
    ("total_ht", "total_tva", "total_ttc", "deja_paye", "tva_en_euros", f"{LINE}total_ht", *CHECKS)
)
NUMBERS: Final = AMOUNTS | {f"{LINE}quantite", f"{LINE}prix_unitaire_ht", f"{LINE}remise"}


def holds(fields: set[str]) -> list[str]:
    """What a table with these of our columns holds."""
    found = []
    has_number = "numero" in fields
    lines = fields & {"ligne.prix_unitaire_ht", "ligne.quantite", "ligne.total_ht"}
    says_whose = "date" in fields or any(name.startswith(("code_client", CUSTOMER)) for name in fields)
    totals = fields & {"date", "total_ht", "total_ttc", "total_tva"}
    if totals and (has_number or "date" in fields) and (says_whose or not lines):
        found.append("factures")
    if lines or (fields & {"ligne.designation", "ligne.article"} and not found):
        found.append("lignes")
    customer = {name for name in fields if name.startswith("client.")}
    if len(customer) >= 2 or (customer and not found):
        found.append("clients")
    return found


def missing(fields: set[str]) -> list[str]:
    """Obligatory columns that are neither among ``fields`` nor follow from them."""
    held = holds(fields)
    gone = []
    if "factures" in held:
        gone += [name for name in ("numero", "date") if name not in fields]
        if not fields & {"code_client", "client.raison_sociale", "client.siren", "client.siret", "client.code"}:
            gone.append("code_client")
        line_net = "ligne.total_ht" in fields or {"ligne.quantite", "ligne.prix_unitaire_ht"} <= fields
        if not (line_net or "total_ht" in fields or {"total_ttc", "total_tva"} <= fields):
            gone.append("total_ht")
        has_vat = fields & {"total_tva", "ligne.taux_tva", "ligne.total_tva", "total_ttc", "ligne.total_ttc"}
        if not has_vat or (has_vat == {"total_ttc"} and "total_ht" not in fields and not line_net):
            gone.append("total_tva")
        if not fields & {"total_ttc", "total_tva", "ligne.taux_tva", "ligne.total_tva", "ligne.total_ttc"}:
            gone.append("total_ttc")
    if "lignes" in held:
        gone += [] if "numero" in fields or "numero" in gone else ["numero"]
        gone += [] if fields & {"ligne.designation", "ligne.article"} else ["ligne.designation"]
        if not fields & {"ligne.taux_tva", "ligne.total_tva", "ligne.total_ttc", "total_tva", "total_ttc"}:
            gone.append("ligne.taux_tva")
        if "ligne.total_ht" not in fields and not {"ligne.quantite", "ligne.prix_unitaire_ht"} <= fields:
            gone.append("ligne.total_ht")
    if held == ["clients"]:
        gone += [name for name in ("client.code", "client.raison_sociale") if name not in fields]
    return gone
