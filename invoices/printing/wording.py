"""The words of a French invoice: titles by type, units, standing sentences.

Legal text stays in French whatever the language of the portal.
"""

from collections.abc import Mapping
from decimal import Decimal

from invoices.cldr import translate
from invoices.en16931.model import InvoiceContent

# UNTDID 1001 as the French rules allow it (BR-FR-04).
TITLES = {
    "326": "Facture partielle",
    "384": "Facture rectificative",
    "386": "Facture d’acompte",
    "389": "Autofacture",
    "393": "Facture affacturée",
    "261": "Avoir d’autofacture",
    "262": "Avoir – remise globale",
    "396": "Avoir de facture affacturée",
    "471": "Autofacture rectificative",
    "472": "Facture affacturée rectificative",
    "473": "Autofacture affacturée rectificative",
    "500": "Autofacture d’acompte",
    "501": "Autofacture affacturée",
    "502": "Avoir d’autofacture affacturée",
    "503": "Avoir de facture d’acompte",
    "875": "Facture de situation",
    "876": "Facture de situation",
    "877": "Décompte général définitif",
}
RECTIFYING = frozenset({"384", "471", "472", "473"})
SELF_BILLED = frozenset({"261", "389", "471", "473", "500", "501", "502"})


def word(table: Mapping[str, str], code: str) -> str:
    """The word of ``code`` in ``table``, in the language of the document; empty where there is none."""
    found = table.get(code, "")
    return translate(found) if found else ""


def title(content: InvoiceContent) -> str:
    """« Facture », « Avoir », « Facture d’acompte »… by the type code (BT-3)."""
    return word(TITLES, content.type_code) or (translate("Avoir") if content.is_credit_note else translate("Facture"))


# In the VAT table and in the narrow column of rates, where a rate alone would not say it.
CATEGORIES = {"E": "Exonéré", "AE": "Autoliquidation", "K": "Intracommunautaire", "G": "Export", "O": "Hors TVA"}
SHORT_CATEGORIES = {"E": "Exonéré", "AE": "Autoliq.", "K": "Intracom.", "G": "Export", "O": "Hors TVA"}


# The codes by which the French rules name what goes with an invoice (BT-123, BR-FR-17); other texts stay as they are.
SUPPORTING_DOCUMENTS = {
    "RIB": "RIB",
    "LISIBLE": "Version lisible",
    "FEUILLE_DE_STYLE": "Feuille de style",
    "PJA": "Pièce jointe",
    "BON_LIVRAISON": "Bon de livraison",
    "BON_COMMANDE": "Bon de commande",
    "DOCUMENT_ANNEXE": "Annexe",
    "BORDEREAU_SUIVI": "Bordereau de suivi",
    "BORDEREAU_SUIVI_VALIDATION": "Bordereau de suivi validé",
    "ETAT_ACOMPTE": "État d’acompte",
    "FACTURE_PAIEMENT_DIRECT": "Facture en paiement direct",
    "RECAPITULATIF_COTRAITANCE": "Récapitulatif de cotraitance",
}


# UN/ECE Recommendation 20 and 21, the units met on French invoices; a piece needs no unit.
UNITS = {
    "": "",
    "C62": "",
    "H87": "",
    "EA": "",
    "NAR": "",
    "XPP": "",
    "PCE": "",
    "ZZ": "",
    "HUR": "h",
    "MIN": "min",
    "SEC": "s",
    "DAY": "j",
    "WEE": "sem.",
    "MON": "mois",
    "QAN": "trimestre",
    "ANN": "an",
    "KGM": "kg",
    "GRM": "g",
    "DTN": "quintal",
    "TNE": "t",
    "LTR": "l",
    "MLT": "ml",
    "CLT": "cl",
    "HLT": "hl",
    "MTR": "m",
    "MMT": "mm",
    "CMT": "cm",
    "KMT": "km",
    "KTM": "km",
    "LM": "m",
    "MTK": "m²",
    "KMK": "km²",
    "ARE": "are",
    "HAR": "ha",
    "MTQ": "m³",
    "KWH": "kWh",
    "MWH": "MWh",
    "SET": "lot",
    "LS": "forfait",
    "PR": "paire",
    "DZN": "douz.",
    "CEN": "cent",
    "MIL": "mille",
    "KT": "kit",
    "E48": "prestation",
    "XPK": "colis",
    "XBX": "boîte",
    "XCT": "carton",
    "XPX": "palette",
    "XBG": "sac",
    "XBO": "bouteille",
    "XRO": "rouleau",
    "XDR": "fût",
    "P1": "%",
}


# The words among them as they are from two on; symbols never change.
COUNTED = {
    "trimestre": "trimestres",
    "an": "ans",
    "lot": "lots",
    "forfait": "forfaits",
    "paire": "paires",
    "boîte": "boîtes",
    "carton": "cartons",
    "palette": "palettes",
    "are": "ares",
    "quintal": "quintaux",
    "kit": "kits",
    "prestation": "prestations",
    "sac": "sacs",
    "bouteille": "bouteilles",
    "rouleau": "rouleaux",
    "fût": "fûts",
}


def unit(code: str, quantity: Decimal) -> str:
    """The unit of ``quantity`` as a reader writes it; an unknown code is shown as it is."""
    name = UNITS.get(code, code)
    if name in COUNTED and abs(quantity) >= 2:
        name = COUNTED[name]
    return translate(name)


PAYMENT_MEANS = {
    "10": "espèces",
    "20": "chèque",
    "30": "virement",
    "31": "virement",
    "42": "virement",
    "48": "carte bancaire",
    "49": "prélèvement",
    "54": "carte bancaire",
    "55": "carte bancaire",
    "57": "déjà réglé",
    "58": "virement SEPA",
    "59": "prélèvement SEPA",
    "97": "compensation",
}

# The first letter of the "cadre de facturation" (BT-23).
OPERATION_CATEGORIES = {
    "B": "Catégorie de l’opération : livraison de biens",
    "S": "Catégorie de l’opération : prestation de services",
    "M": "Catégorie de l’opération : livraison de biens et prestation de services",
}
VAT_ON_DEBITS = "Option pour le paiement de la taxe d’après les débits"
SELF_BILLING = "Autofacturation"
