"""What the rules of EN 16931 and Factur-X say, in French.

The rule sets speak English. The common rules have a sentence of their own here, families of rules are put
together, and every other rule is named with its business term and its own words. The French rules (BR-FR)
speak French already.
"""

import re
from typing import Final

from invoices.en16931.business_terms import named, term_at

# Rule: business term and sentence. The sentence says what to do, as the reader is an accountant.
_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "BR-01": ("BT-24", "Le profil de la facture n’est pas indiqué."),
    "BR-02": ("BT-1", "Le numéro de facture manque."),
    "BR-03": ("BT-2", "La date d’émission manque."),
    "BR-04": ("BT-3", "Le type de document (facture, avoir…) manque."),
    "BR-05": ("BT-5", "La devise de la facture manque."),
    "BR-06": ("BT-27", "La raison sociale du vendeur manque."),
    "BR-07": ("BT-44", "Le nom de l’acheteur manque."),
    "BR-08": ("BG-5", "L’adresse du vendeur manque."),
    "BR-09": ("BT-40", "Le pays du vendeur manque."),
    "BR-10": ("BG-8", "L’adresse de l’acheteur manque."),
    "BR-11": ("BT-55", "Le pays de l’acheteur manque."),
    "BR-12": ("BT-106", "Le total des lignes manque."),
    "BR-13": ("BT-109", "Le total HT manque."),
    "BR-14": ("BT-112", "Le total TTC manque."),
    "BR-15": ("BT-115", "Le net à payer manque."),
    "BR-16": ("BG-25", "La facture n’a aucune ligne."),
    "BR-17": ("BT-59", "Le nom du bénéficiaire du paiement manque."),
    "BR-18": ("BT-62", "Le nom du représentant fiscal manque."),
    "BR-19": ("BG-12", "L’adresse du représentant fiscal manque."),
    "BR-20": ("BT-69", "Le pays du représentant fiscal manque."),
    "BR-21": ("BT-126", "Une ligne n’a pas de numéro."),
    "BR-22": ("BT-129", "Une ligne n’a pas de quantité."),
    "BR-23": ("BT-130", "Une ligne n’a pas d’unité."),
    "BR-24": ("BT-131", "Une ligne n’a pas de montant net."),
    "BR-25": ("BT-153", "Une ligne n’a pas de désignation."),
    "BR-26": ("BT-146", "Une ligne n’a pas de prix unitaire net."),
    "BR-27": ("BT-146", "Le prix unitaire net ne peut pas être négatif : mettre le signe sur la quantité."),
    "BR-28": ("BT-148", "Le prix unitaire brut ne peut pas être négatif : mettre le signe sur la quantité."),
    "BR-29": ("BT-74", "La période de facturation se termine avant de commencer."),
    "BR-30": ("BT-135", "La période d’une ligne se termine avant de commencer."),
    "BR-31": ("BT-92", "Une remise de pied n’a pas de montant."),
    "BR-32": ("BT-95", "Une remise de pied n’a pas de catégorie de TVA."),
    "BR-33": ("BT-97", "Une remise de pied n’a pas de motif."),
    "BR-36": ("BT-99", "Des frais de pied n’ont pas de montant."),
    "BR-37": ("BT-102", "Des frais de pied n’ont pas de catégorie de TVA."),
    "BR-38": ("BT-104", "Des frais de pied n’ont pas de motif."),
    "BR-41": ("BT-136", "Une remise de ligne n’a pas de montant."),
    "BR-42": ("BT-139", "Une remise de ligne n’a pas de motif."),
    "BR-43": ("BT-141", "Des frais de ligne n’ont pas de montant."),
    "BR-44": ("BT-144", "Des frais de ligne n’ont pas de motif."),
    "BR-45": ("BT-116", "Une ligne de la ventilation de TVA n’a pas de base."),
    "BR-46": ("BT-117", "Une ligne de la ventilation de TVA n’a pas de montant de TVA."),
    "BR-47": ("BT-118", "Une ligne de la ventilation de TVA n’a pas de catégorie."),
    "BR-48": ("BT-119", "Une ligne de la ventilation de TVA n’a pas de taux."),
    "BR-49": ("BT-81", "Le moyen de paiement n’est pas indiqué."),
    "BR-50": ("BT-84", "Le compte bancaire à créditer manque."),
    "BR-53": ("BT-111", "La devise de la TVA est indiquée, mais pas le total de la TVA dans cette devise."),
    "BR-55": ("BT-25", "Une facture antérieure est citée sans son numéro."),
    "BR-56": ("BT-63", "Le numéro de TVA du représentant fiscal manque."),
    "BR-57": ("BT-80", "Le pays de livraison manque."),
    "BR-61": ("BT-84", "Le paiement se fait par virement, mais le compte bancaire (IBAN) manque."),
    "BR-62": ("BT-34", "L’adresse électronique du vendeur n’a pas de schéma (0225, EM…)."),
    "BR-63": ("BT-49", "L’adresse électronique de l’acheteur n’a pas de schéma (0225, EM…)."),
    "BR-64": ("BT-157", "Le code article normalisé n’a pas de schéma (0160 pour un GTIN)."),
    "BR-CO-03": ("BT-8", "La date et le code d’exigibilité de la TVA ne peuvent pas être donnés ensemble."),
    "BR-CO-04": ("BT-151", "Une ligne n’a pas de catégorie de TVA."),
    "BR-CO-09": ("BT-31", "Un numéro de TVA doit commencer par le code de son pays (FR, DE, BE…)."),
    "BR-CO-10": ("BT-106", "Le total des lignes n’est pas la somme des montants nets des lignes."),
    "BR-CO-11": ("BT-107", "Le total des remises de pied n’est pas la somme de ces remises."),
    "BR-CO-12": ("BT-108", "Le total des frais de pied n’est pas la somme de ces frais."),
    "BR-CO-13": ("BT-109", "Le total HT n’est pas égal au total des lignes, moins les remises, plus les frais."),
    "BR-CO-14": ("BT-110", "Le total de la TVA n’est pas la somme des montants de TVA par taux."),
    "BR-CO-15": ("BT-112", "Le total TTC n’est pas égal au total HT plus la TVA."),
    "BR-CO-16": ("BT-115", "Le net à payer n’est pas égal au total TTC, moins le déjà payé, plus l’arrondi."),
    "BR-CO-17": ("BT-117", "Un montant de TVA n’est pas égal à sa base multipliée par le taux."),
    "BR-CO-18": ("BG-23", "La ventilation de la TVA manque."),
    "BR-CO-19": ("BG-14", "La période de facturation n’a ni début ni fin."),
    "BR-CO-20": ("BG-26", "La période d’une ligne n’a ni début ni fin."),
    "BR-CO-21": ("BT-97", "Une remise de pied n’a ni motif ni code motif."),
    "BR-CO-22": ("BT-104", "Des frais de pied n’ont ni motif ni code motif."),
    "BR-CO-23": ("BT-139", "Une remise de ligne n’a ni motif ni code motif."),
    "BR-CO-24": ("BT-144", "Des frais de ligne n’ont ni motif ni code motif."),
    "BR-CO-26": ("BT-30", "Le vendeur n’a ni SIREN, ni autre identifiant, ni numéro de TVA."),
    "BR-IC-11": ("BT-72", "Une livraison intracommunautaire demande la date de livraison ou la période."),
    "BR-IC-12": ("BT-80", "Une livraison intracommunautaire demande le pays de livraison."),
    "BR-O-11": ("BG-23", "La catégorie O (hors champ) ne peut pas être mêlée à d’autres catégories de TVA."),
    "BR-O-12": ("BT-151", "Toutes les lignes doivent être hors champ (O) dès que la ventilation contient O."),
    "BR-O-13": ("BT-95", "Toutes les remises doivent être hors champ (O) dès que la ventilation contient O."),
    "BR-O-14": ("BT-102", "Tous les frais doivent être hors champ (O) dès que la ventilation contient O."),
    "BR-51": ("BT-87", "Un numéro de carte bancaire ne doit jamais figurer en entier."),
    "BR-52": ("BT-122", "Une pièce jointe n’a pas de référence."),
    "BR-54": ("BT-160", "Un attribut d’article demande un nom et une valeur."),
    "BR-65": ("BT-158", "La classification d’un article n’a pas de schéma."),
    "BR-B-01": ("BT-151", "La catégorie B (paiement scindé) est réservée aux factures italiennes."),
    "BR-B-02": ("BT-151", "La catégorie B (paiement scindé) ne peut pas être mêlée à la catégorie S."),
    "BR-CO-05": ("BT-97", "Le motif et le code motif d’une remise de pied doivent dire la même chose."),
    "BR-CO-06": ("BT-104", "Le motif et le code motif de frais de pied doivent dire la même chose."),
    "BR-CO-07": ("BT-139", "Le motif et le code motif d’une remise de ligne doivent dire la même chose."),
    "BR-CO-08": ("BT-144", "Le motif et le code motif de frais de ligne doivent dire la même chose."),
    "CII-SR-463": ("BG-20", "Il n’est pas dit si un montant est une remise ou des frais."),
    "CII-SR-464": ("BT-86", "Un seul BIC est permis."),
    "CII-SR-465": ("BT-41", "Un seul contact du vendeur est permis."),
    "CII-SR-466": ("BT-56", "Un seul contact de l’acheteur est permis."),
    "CII-SR-467": ("BT-81", "Plusieurs moyens de paiement différents sont donnés."),
    "CII-SR-468": ("BT-82", "Plusieurs libellés de moyen de paiement différents sont donnés."),
    "CII-SR-469": ("BT-83", "La référence du paiement figure plusieurs fois."),
    "CII-SR-470": ("BT-84", "Le compte bancaire à créditer (IBAN ou autre numéro) manque ou figure deux fois."),
    "CII-SR-471": ("BT-95", "Une remise ou des frais de pied n’ont pas de catégorie de TVA."),
    "CII-SR-472": ("BT-96", "Une remise ou des frais de pied n’ont pas de taux de TVA."),
    "CII-SR-473": ("BT-92", "Le montant d’une remise ou de frais figure plusieurs fois."),
    "CII-SR-474": ("BT-128", "Une ligne cite plusieurs objets facturés."),
    "CII-SR-475": ("BT-123", "Une pièce jointe a plusieurs descriptions."),
    "CII-SR-476": ("BT-125", "Une pièce jointe contient plusieurs fichiers."),
    "PEPPOL-EN16931-R008": ("", "Le document contient un élément vide."),
}

_CATEGORIES: Final = {
    "S": ("S", "taux normal ou réduit"),
    "Z": ("Z", "taux zéro"),
    "E": ("E", "exonéré"),
    "AE": ("AE", "autoliquidation"),
    "IC": ("K", "livraison intracommunautaire"),
    "G": ("G", "exportation"),
    "O": ("O", "hors champ de la TVA"),
    "AF": ("L", "IGIC des Canaries"),
    "AG": ("M", "IPSI de Ceuta et Melilla"),
}
_CATEGORY_RULE: Final = re.compile(r"BR-(S|Z|E|AE|IC|G|O|AF|AG)-(0[1-9]|10)")
# By number of the rule within the family: the business term and the sentence, {} being the category.
_CATEGORY_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "01": ("BG-23", "La ventilation de la TVA doit contenir la catégorie {}, présente dans la facture."),
    "05": ("BT-152", "Le taux de TVA d’une ligne ne convient pas à la catégorie {}."),
    "06": ("BT-96", "Le taux de TVA d’une remise de pied ne convient pas à la catégorie {}."),
    "07": ("BT-103", "Le taux de TVA de frais de pied ne convient pas à la catégorie {}."),
    "08": ("BT-116", "La base de TVA de la catégorie {} n’est pas la somme de ses lignes, remises et frais."),
    "09": ("BT-117", "Le montant de TVA de la catégorie {} ne correspond pas à sa base et à son taux."),
}
_NEEDS_IDENTIFIERS: Final[dict[str, tuple[str, str]]] = {
    "O": ("BT-31", "Pour la catégorie {}, la facture ne doit porter aucun numéro de TVA, ni vendeur ni acheteur."),
    "IC": ("BT-48", "La catégorie {} demande le numéro de TVA du vendeur et celui de l’acheteur."),
    "AE": ("BT-48", "La catégorie {} demande le numéro de TVA du vendeur et celui (ou le SIREN) de l’acheteur."),
    "G": ("BT-31", "La catégorie {} demande le numéro de TVA du vendeur."),
}

_COUNTRIES: Final = "pays (ISO 3166-1)"
_VAT_CATEGORIES: Final = "catégories de TVA (UNTDID 5305)"
_SCHEMES: Final = "schémas d’identification (ISO 6523)"
_ADDRESS_SCHEMES: Final = "schémas d’adresse électronique (EAS)"
_CODE_LISTS: Final[dict[str, str]] = {
    "BT-3": "types de document (UNTDID 1001)",
    "BT-5": "devises (ISO 4217)",
    "BT-6": "devises (ISO 4217)",
    "BT-8": "codes d’exigibilité de la TVA (UNTDID 2475)",
    "BT-21": "codes sujet de note (UNTDID 4451)",
    "BT-24": "profils",
    "BT-29": _SCHEMES,
    "BT-30": _SCHEMES,
    "BT-34": _ADDRESS_SCHEMES,
    "BT-40": _COUNTRIES,
    "BT-46": _SCHEMES,
    "BT-47": _SCHEMES,
    "BT-49": _ADDRESS_SCHEMES,
    "BT-55": _COUNTRIES,
    "BT-69": _COUNTRIES,
    "BT-80": _COUNTRIES,
    "BT-81": "moyens de paiement (UNTDID 4461)",
    "BT-110": "devises (ISO 4217)",
    "BT-118": _VAT_CATEGORIES,
    "BT-121": "motifs d’exonération (VATEX)",
    "BT-130": "unités (recommandations 20 et 21 de l’ONU)",
    "BT-151": _VAT_CATEGORIES,
    "BT-157": _SCHEMES,
    "BG-20": "motifs ou catégories de TVA permis pour une remise ou des frais",
    "BG-27": "motifs permis pour une remise ou des frais",
}

_TERM_IN_TEXT: Final = re.compile(r"\b(?:BT|BG)-\d+\b")
_OPENING: Final = re.compile(r"^\s*\[[^\]]*\]\s*-?\s*")
_FACTUR_X_WORDING: Final = re.compile(r"^(?:Element|Attribute|Value of) ?(?:variant )?'?(@?)(?:\w+:)?(\w+)")


def french_message(rule: str, text: str, location: str, value: str = "") -> tuple[str, str]:
    """The business term and the French sentence for a rule of EN 16931 or Factur-X that was broken.

    ``text`` is the rule's own wording, ``location`` the path where it was found: it gives the business term
    where neither the rule nor its wording names one. ``value`` is what is there, for rules about a code.
    """
    if rule in _SENTENCES:
        return _SENTENCES[rule]
    if match := _CATEGORY_RULE.fullmatch(rule):
        return _category_message(match[1], match[2])
    if match := _FACTUR_X_WORDING.match(text):
        return _factur_x_message(text, location, match[1] + match[2], value)
    terms = _TERM_IN_TEXT.findall(text)
    term = terms[0] if terms else term_at(location)
    if rule.startswith("BR-DEC-"):
        return term, f"{_capital(named(term))} : deux décimales au plus."
    where = f" concernant {named(term)}" if term else ""
    return term, f"La règle {rule or 'du profil'}{where} n’est pas respectée : « {_OPENING.sub('', text)} »"


def _factur_x_message(text: str, location: str, name: str, value: str) -> tuple[str, str]:
    """The sentence for one of the rules that Factur-X derives from its profile (FX-SCH-A-…)."""
    if text.startswith("Value of"):
        term = term_at(f"{location}/{name}" if name.startswith("@") else location)
        code_list = _CODE_LISTS.get(term)
        of_list = f"la liste des {code_list}" if code_list else "la liste des codes permis"
        code = f"le code « {value} »" if value else "le code donné"
        return term, f"{_capital(named(term) or name)} : {code} n’appartient pas à {of_list}."
    term = term_at(f"{location}/{name}")
    subject = f"{_capital(named(term))} : l’élément « {name} »" if term else f"L’élément « {name} »"
    if "must occur" in text or "is required" in text:
        return term, f"{subject} manque."
    if "may occur" in text:
        return term, f"{subject} figure trop de fois."
    return term, f"{subject} ne peut pas être employé ici."


# BR-FR speaks French, but to those who know the syntax. These are the rules that an accountant will meet.
_FRENCH_SENTENCES: Final[dict[str, str]] = {
    "BR-FR-10_BT-30": "Le SIREN du vendeur manque ou n’a pas neuf chiffres.",
    "BR-FR-11_BT-47": "Le SIREN de l’acheteur manque ou n’a pas neuf chiffres : il est obligatoire entre "
    "professionnels établis en France.",
    "BR-FR-12_BT-49": "L’adresse électronique de l’acheteur manque : SIREN pour une entreprise française, adresse de "
    "messagerie pour un particulier ou un client étranger.",
    "BR-FR-13_BT-34": "L’adresse électronique du vendeur manque.",
    "BR-FR-21_BT-49": "Entre professionnels établis en France, l’adresse électronique de l’acheteur est celle de "
    "l’annuaire : son SIREN, sous le schéma 0225.",
    "BR-FR-CO-05_BT-3": "Un avoir doit citer la facture qu’il corrige, avec son numéro et sa date.",
    "BR-FR-CO-04_BT-4": "Une facture rectificative doit citer une seule facture antérieure, avec sa date.",
    "BR-FR-CO-07_BT-9": "L’échéance ne peut pas précéder la date de la facture, sauf acompte ou facture déjà payée.",
    "BR-FR-CO-12_BT-5": "La facture est en devise : la TVA doit aussi être donnée en euros.",
}
_TERM_OF_FRENCH_RULE: Final = {"BR-FR-CO-04_BT-4": "BT-25", "BR-FR-CO-05_BT-3": "BT-25", "BR-FR-CO-12_BT-5": "BT-111"}
_FRENCH_OPENING: Final = re.compile(r"^\s*\[?BR-FR-[A-Z0-9-]+(?:/[A-Z0-9/-]+)?\]?\s*:\s*")
_SYNTAX_NAME: Final = re.compile(r"\s*\((?:ram|udt|qdt|rsm):\w+\)|\*\*")


def french_rule_message(rule: str, text: str, location: str) -> tuple[str, str]:
    """The business term and the sentence for a French rule (BR-FR) that was broken."""
    terms = _TERM_IN_TEXT.findall(rule.replace("_", " "))
    found = term_at(location)
    # Some rules name several terms (BR-FR-15_BT-95_BT-151): the place decides, else the last, which is the precise one.
    term = found if found in terms or not terms else terms[-1]
    message = _FRENCH_SENTENCES.get(rule) or _SYNTAX_NAME.sub("", _FRENCH_OPENING.sub("", text))
    return _TERM_OF_FRENCH_RULE.get(rule, term), message


def _category_message(family: str, number: str) -> tuple[str, str]:
    """The sentence for a rule of one VAT category."""
    code, name = _CATEGORIES[family]
    category = f"{code} ({name})"
    if number in ("02", "03", "04"):
        term, sentence = _NEEDS_IDENTIFIERS.get(
            family, ("BT-31", "La catégorie {} demande le numéro de TVA ou l’immatriculation fiscale du vendeur.")
        )
    elif number == "10":
        without_reason = family in ("S", "Z", "AF", "AG")
        term = "BT-120"
        sentence = (
            "La catégorie {} n’admet pas de motif d’exonération."
            if without_reason
            else "La catégorie {} demande un motif d’exonération, en clair ou par son code."
        )
    else:
        term, sentence = _CATEGORY_SENTENCES[number]
    return term, sentence.format(category)


def _capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]
