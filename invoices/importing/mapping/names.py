# ruff: noqa: E501 - the rules are a table
"""What the name of a column may mean, in the words of ERPs, shops and hand-made spreadsheets.

A name is cut into words, each word is one notion («Montant», «Amount», «Mt» are ``amount``), and rules say which
notions together are which of our columns. Names that no rule would find are in :mod:`.products`.
"""

import functools
import re
from dataclasses import dataclass
from typing import Final

from customers.searching import search_key
from invoices.importing.mapping.other_languages import NOTIONS as OTHER_LANGUAGES
from invoices.importing.mapping.other_languages import words_in
from invoices.importing.mapping.products import FIELD_BY_NAME

_NOTIONS: Final = """
invoice: facture factures fact fac fac invoice invoices inv piece document doc factura bill
line: ligne lignes line lines lineitem detail details lig
product: materiel element elements produit produits product prod article articles art sku item items prestation service
customer: client clients clt cli cust customer customers tiers partner partenaire buyer acheteur debiteur contact
customer: party debtor payer subscriber member destinataire payeur adherent abonne patient locataire eleve compte account
billing: facturation billing billed factured facturer facture_a bill_to
delivery: livraison livre shipping ship delivery expedition livr shipped
issuer: emetteur vendeur seller issuer etablissement entite entity
supplier: fournisseur supplier vendor
agent: commercial representant salesperson vendeuse user utilisateur auteur author
order: commande commandes cde order orders bon contrat contract engagement
purchase: po purchase bc
quote: devis quote quotation estimate proforma bl
project: projet project affaire chantier dossier
number: numero num n no nr number nbr numeros
id: id identifiant identifier ident uuid rowid uid urn
code: code codes cod
ref: ref reference references refs
date: date dt datum jour day
emission: emission emise issue issued emis
due: echeance echeances echance due limite exigibilite ech maturity expiration
created: creation created create creee saisie modification updated modified validation
payment: paiement payment reglement pay encaissement payments reglements
period: debut fin start end periode period from
name: nom name names
legal: raison sociale denomination dénomination enseigne
title: intitule
subject: title titre objet subject sujet betreff asunto oggetto onderwerp
company: societe entreprise company organisation organization org
first: prenom firstname first
last: lastname last
label: libelle lib designation description desc label design descriptif descrip
email: email mail courriel mel
phone: telephone tel phone mobile portable
fax: fax telecopie
street: adresse address rue street voie addr ligne_adresse
zip: postal cp zip postcode npa
city: ville city town commune localite
country: pays country
state: region state departement province
siren: siren
siret: siret
naf: naf ape gstin hsn ice cif if
iban: iban rib
bic: bic swift
intra: intracom intracommunautaire intra vies identification nip
vat: tva vat cgst sgst igst tax taxe taxes gst mwst taux_tva
rate: taux rate tx
percent: pourcent pct percent percentage pourcentage prcnt prct
net: ht hors htva untaxed excl exclusive excluding subtotal soustotal avant before htnet net
gross: ttc toutes tvac gross incl inclusive including grand
base: base assiette taxable imposable
amount: montant amount amounts total totaux totals somme valeur value mt mnt sum tot montants
quantity: quantite quantites qte qty quantity qt quant nb nombre hours heures
price: prix price pu pv px prx vk puht tarif cost puttc prices
unitary: unitaire unit uni unite unites unitaires uom u mesure
discount: remise discount dto dcto sconti rabais rem escompte reduction disc ristourne
currency: devise currency monnaie
paid: paye payee regle paid acompte acomptes encaisse deposit prepaid verse avance
balance: solde reste balance outstanding restant
status: statut etat status state_ situation
note: note notes commentaire comment comments remarque observation observations memo message
kind: type nature genre kind categorie category
corrected: corrigee origine rectifiee annulee original avoir credit
mode: mode method moyen methode conditions condition terms terme modalite modalites
private: interne internes internal private privee privees prive confidentiel
person: civilite title_ particulier
family: famille groupe group family marque
weight: poids weight
margin: ek marge margin cout revient achat pa pamp prmp cump
fee: gratuit gratuite gratuits offert offerte offerts freight postage sejour transport octroi tgap cvo accise accises droits redevance parafiscale arrondi eco participation contribution frais fee fees port shipping_cost ecotaxe ecoparticipation deee timbre consigne adjustment ajustement surcharge majoration emballage packaging handling tip gratuity versand versandkosten
account: journal ledger comptable accountancy gl revenue income
market: marche marches
cumulative: cumul cumule cumulee cumules anterieur anterieure
factor: coef coefficient coeff facteur prorata multiplicateur duree nuits nuitees longueur largeur hauteur long larg
factor: haut epaisseur surface avancement quotepart tantiemes jours semaines colisage pcb conditionnement uvc factor
factor: minutes dimensions days nights weeks
hourly: horaire hourly journalier journaliere daily tjm
whole: global globale pied generale
before: brut brute bruts
cancel: annulation cancelled canceled cancel refund refunded refunds retry
pdf: pdf fichier file url lien
exemption: exoneration motif exemption
ordered: commandee commandees cdee cdees cmdee ordered bestellt pedida ordinata
order_line: position rang sequence seq
"""
_WITHOUT_MEANING: Final = (
    "de du des d l la le les the of en a au aux for in et and sur par to eur euro euros e "
    "usd gbp chf dollars cur der die das von und y el del los di della dei il van het do da dos"
)
_STOP: Final = frozenset(_WITHOUT_MEANING.split())
_WORD: Final[dict[str, str]] = {}
for _line in f"{_NOTIONS.strip()}\n{OTHER_LANGUAGES.strip()}".splitlines():
    _notion, _, _words = _line.partition(":")
    for _word in _words.split():
        _WORD.setdefault(_word, _notion)

# field: all of these notions (a|b: one of them), none of those with a minus, and how sure that is.
_RULES: Final = """
numero: invoice id -line -date -customer -order -corrected -product -amount -net -gross -billing 84
numero: invoice number|ref|code -id -line -date -customer -order -corrected -product -amount -net -gross -billing 95
numero: invoice -line -date -customer -order -corrected -amount -net -gross -status -kind -paid -balance -vat -note -label -mode -name -due -pdf -country -company -currency -percent -subject 80
numero: number -customer -line -order -phone -vat -product -siret -siren -date -company -delivery -account -street 70
numero: ref -customer -line -order -product -project -agent -account -payment -corrected 42
numero: order number|id|ref|name -line -customer -date -amount -product -purchase -delivery 40
numero: id -customer -line -order -product -vat -company -project -agent -payment 35
date: invoice|billing|emission date -due -line -order -delivery -payment -corrected -created 97
date: emission -due -line 85
date: date -due -line -order -delivery -payment -created -corrected -period -paid -first -last -product 85
date: date created 45
date: date order -delivery -line 42
echeance: due -amount -balance -gross -net -mode 93
echeance: due date 97
echeance: date payment due 97
code_client: customer code|number|ref -order -line -name -vat -siret -siren -product -zip -country -invoice -account -phone 95
code_client: customer id -vat -name 88
code_client: customer -name -date -street -zip -city -country -email -phone -vat -siret -siren -kind -order -note -amount -code -line -family -mode -balance -state -first -account -fax -product -company -legal -currency -invoice -intra -id -number -ref -label -net -gross 55
client.raison_sociale: customer name|legal|title|company|label -first -last -code -delivery -line -account -email -product -ref 96
client.raison_sociale: customer -name -date -street -zip -city -country -email -phone -vat -siret -siren -kind -order -note -amount -code -line -family -mode -balance -state -first -account -fax -product -currency -invoice -id -number -ref -net -gross -intra 72
client.raison_sociale: billing name|company|customer|legal -first -last -email 84
client.raison_sociale: legal -issuer -delivery -supplier 90
client.raison_sociale: company name -issuer -delivery 75
client.raison_sociale: company -issuer -delivery -code -id -siren -siret -vat -number -customer -country -street -currency 56
client.raison_sociale: name -first -product -line -delivery -issuer -agent -project -pdf -family -account -company -order -payment 60
client.raison_sociale: title -product -line 55
client.raison_sociale: customer last 45
societe: issuer -number 85
societe: company -customer -delivery -legal -billing -country -street -currency 55
client.email: email -agent -delivery 95
client.telephone: phone -agent -delivery -fax 93
client.adresse: street -delivery -email -issuer -second 92
client.adresse: billing street 95
client.code_postal: zip -delivery -issuer 95
client.ville: city -delivery -issuer 95
client.pays: country -delivery -issuer 93
client.siren: siren -issuer 95
client.siret: siret -issuer 95
client.tva_intracom: vat intra 97
client.tva_intracom: intra -order -amount -issuer 60
client.tva_intracom: vat number|id -amount -rate -line -issuer 95
client.tva_intracom: vat customer -amount -rate 85
client.type: customer kind 90
client.complement: second street 93
nom_livraison: delivery name|company|customer -first -last -date -code -number -id 90
adresse_livraison: delivery street -second 93
complement_livraison: delivery street second 95
code_postal_livraison: delivery zip 95
ville_livraison: delivery city 95
pays_livraison: delivery country 95
date_livraison: delivery date 93
reference: order number|ref|id|code -line -product -quote -project 82
reference: ref customer 92
reference: order -date -amount -line -status -kind -mode -net -gross -note -name -project -quote -product -email 62
reference: ref -customer -line -product -invoice -account -payment -project -agent 60
devise: currency -rate -amount -net -gross -vat 95
numero_marche: market number|ref|code -amount -net -gross -vat -date 80
type: invoice kind -customer -mode 90
type: kind -customer -line -product -payment -vat -mode -order -discount 50
facture_corrigee: corrected invoice -date -amount -net -gross -kind 88
facture_corrigee: corrected number|ref -date 80
date_facture_corrigee: corrected date 88
total_ht: amount net -before -line -price -unitary -discount -margin -vat -paid -balance -product -currency -gross -customer 92
total_ht: invoice net -before -line -price -paid -vat -gross 90
total_ht: net -before -line -price -unitary -discount -margin -vat -paid -balance -product -gross -rate -quantity -customer 80
total_ht: amount base -line -vat -rate 62
total_ht: base vat -line -rate 60
total_ht: base -line -rate 50
total_ht: amount -before -line -vat -price -paid -balance -discount -unitary -gross -quantity -due -fee -margin -number -customer -product 38
total_tva: amount vat -fee -line -net -gross -rate -percent -base -number -product -delivery 92
total_tva: vat -fee -line -net -gross -rate -percent -number -id -intra -customer -code -kind -label -name -base -product -mode -country 78
total_tva: vat percent -fee -line -net -gross -base -product 40
total_ttc: amount gross -line -price -unitary -paid -balance -vat -product -customer 92
total_ttc: invoice gross -line -price -vat 92
total_ttc: amount gross vat -line -price -net -product 88
total_ttc: gross -line -price -paid -balance -product 85
total_ttc: amount -before -net -line -vat -price -paid -balance -discount -unitary -base -quantity -due -currency -fee -margin -number -weight -product 68
total_ttc: amount balance due -line 40
deja_paye: paid amount|invoice -date -balance -status -mode -net 88
deja_paye: paid -date -status -mode -balance -id -net 70
ligne.designation: label -customer -account -company -kind -payment -project -issuer -order -mode -family -status -vat 92
ligne.designation: label product|line -vat -family 97
ligne.designation: product name|title -code -family 93
ligne.designation: line name|title 90
ligne.designation: product -code -number -ref -id -kind -quantity -price -amount -family -net -gross -vat -rate -discount -weight -date -unitary -account -status -mode 62
ligne.article: product code|ref|number|id -kind -amount -price -vat -family 94
ligne.article: product -label -name -kind -quantity -price -amount -family -net -gross -vat -rate -discount -weight -date -unitary 50
ligne.article: ref line -customer -invoice -order 80
ligne.article: ref -customer -invoice -order 40
ligne.article: code -customer -zip -vat -country -currency -invoice -account -company -naf -kind -project -agent -state 45
ligne.quantite: quantity -price -amount -customer -invoice -order_line -paid -due -day -ordered -delivery 92
ligne.quantite: quantity invoice -price -amount -customer -paid -date 85
ligne.quantite: quantity delivery -price -amount 70
ligne.quantite: quantity ordered -price -amount -paid 45
ligne.prix_unitaire_ht: hourly rate|price|amount -gross -vat -purchase 91
ligne.prix_unitaire_ht: price -gross -discount -margin -kind -amount -purchase 90
ligne.prix_unitaire_ht: price net -margin -amount -gross -purchase 94
ligne.prix_unitaire_ht: price unitary -gross -margin -discount -kind -purchase 92
ligne.total_ht: amount price -unitary -gross -vat -discount -customer -paid -purchase 93
ligne.prix_unitaire_ht: unitary amount -gross -vat 92
ligne.prix_unitaire_ht: unitary net -gross -vat 88
ligne.prix_unitaire_ht: rate -percent -vat -currency -net -base -amount 55
ligne.unite: unitary -discount -price -amount -net -gross -product -number -vat -rate 80
ligne.unite: unitary kind 80
ligne.remise: discount percent|rate -issuer -whole 95
ligne.remise: discount -whole -amount -code -net -gross 78
ligne.remise: discount line -amount 86
ligne.taux_tva: vat rate|percent -amount -base -name 96
ligne.taux_tva: rate -currency -discount -customer -price 58
ligne.taux_tva: vat code|kind|label|name|line -amount -net -gross -number -id -country 62
ligne.taux_tva: vat -amount -number -intra -id -customer -net -gross 58
ligne.categorie_tva: vat code|kind -amount -rate 60
ligne.motif_exoneration: exemption 88
ligne.total_ht: line amount|net -vat -gross -price -unitary -discount -paid 95
ligne.total_ht: product amount|net -vat -gross -price -unitary -discount -customer 92
ligne.total_ht: line|product amount net -vat -gross -price -unitary -discount 97
ligne.total_tva: line|product vat amount -rate -base 96
ligne.total_tva: line|product vat -rate -code -kind -percent -number -label -name 70
ligne.total_ttc: line|product gross -price 96
note: note -private -customer -order -product -agent 85
pdf: pdf 80
categorie: kind operation 70
"""
_NEVER: Final = """
status cancel cumulative factor market project agent weight margin fax naf family iban bic first account mode supplier fee balance state period
quote
"""


@dataclass(frozen=True, slots=True)
class _Rule:
    field: str
    needed: tuple[frozenset[str], ...]
    forbidden: frozenset[str]
    sureness: int


def _parsed() -> tuple[_Rule, ...]:
    rules = []
    for line in _RULES.strip().splitlines():
        field, _, rest = line.partition(": ")
        *words, sureness = rest.split()
        needed = tuple(frozenset(word.split("|")) for word in words if not word.startswith("-"))
        forbidden = frozenset(word[1:] for word in words if word.startswith("-"))
        rules.append(_Rule(field, needed, forbidden, int(sureness)))
    return tuple(rules)


_PARSED: Final = _parsed()
_STREETS: Final = frozenset(("address", "adresse", "rue", "street", "line"))
_UNWANTED: Final = frozenset(_NEVER.split())


_GLUED: Final = re.compile(
    r"\b(num|numero|no|n|id|code|nom|date|dt|ref|type|mt|montant|total|prix|taux|mnt|tot|adresse|email|tel|ville)_?"
    r"(client|clt|facture|fact|article|art|ht|ttc|tva|unitaire|produit|commande|echeance|remise|ligne|tiers)\b"
)


@functools.lru_cache(maxsize=4096)
def name_key(text: str) -> str:
    """«InvoiceNo», «N° de facture», «Invoice lines/Unit Price» as words: ``invoice no``, ``n de facture``…"""
    text = text.replace("MwSt", "Mwst").replace("USt", "Ust").replace("(Items)", "line")
    cut = re.sub(r"(?<=[a-zà-ÿ0-9])(?=[A-Z][a-zà-ÿ])|(?<=[a-zà-ÿ])(?=[A-Z])|(?<=VAT|TVA)(?=[A-Z][a-z])", " ", text)
    bare = search_key(
        cut.replace("°", " ").replace("º", " ").replace("%", " pourcent ").replace("#", " number ")
    ).replace("t.v.a", "tva")
    bare = bare.replace("h.t", "ht").replace("t.t.c", "ttc").replace("e-mail", "email").replace("p.u", "pu")
    bare = (
        bare.replace("q.ta", "qta")
        .replace("sous-total", "soustotal")
        .replace("sous total", "soustotal")
        .replace("sub total", "subtotal")
    )
    bare = re.sub(r"\b(?:post|zip) code\b", "postcode", bare)
    bare = re.sub(
        r"\b(?:excl|excluding|exclusive of|before|without|hors|ex|sem|sin|senza|ohne|zonder)\b\.?"
        r" (?:vat|tax(?:e?s)?|taxe|tva|gst|iva|btw|mwst|ust)\b",
        "ht",
        bare,
    )
    bare = re.sub(
        r"\b(?:incl|including|inclusive of|with|com|con|inkl|mit)\b\.? (?:vat|tax(?:es)?|tva|gst|iva|btw|mwst|ust)\b",
        "ttc",
        bare,
    )
    bare = _GLUED.sub(r"\1 \2", bare)
    bare = re.sub(r"\b(?:bill|sold|billed|invoiced?) ?to\b", "customer", bare)
    bare = re.sub(r"\b(?:ship|shipped|deliver) ?to\b", "delivery", bare)
    bare = re.sub(r"\bnotes? d.honoraires?\b", "facture", bare)
    bare = re.sub(r"\b(?:bons? de livraison|delivery (?:note|slip))\b", "bl", bare)
    bare = re.sub(r"\b(client|tiers|compte) facture\b", r"\1", bare)
    bare = re.sub(r"\bcredit note\b", "avoir", bare)
    bare = re.sub(r"\b(emise?|payee?|reglee?|encaissee?|facturee?|livree?) le$", r"\1 date", bare)
    bare = re.sub(r"\b(facture|piece|document) du$", r"\1 date", bare)
    bare = re.sub(r"\b(bezahlt|gezahlt|erstellt|versendet|ausgestellt|fallig) am$", r"\1 datum", bare)
    bare = re.sub(r"\b(montant|total) (?:de )?(?:la )?situation\b", r"\1", bare)
    return " ".join(re.findall(r"[a-z0-9]+", bare))


_BILLED: Final = re.compile(r"\b(?:client|tiers|compte)s? (?:a )?factur|\bbill(?:ed)?[ -]to\b|\bpay(?:eu|e)r\b")


def names_who_is_billed(text: str) -> bool:
    """Whether a column's name says that it is of the customer who is billed, beside one who ordered or is delivered."""
    return _BILLED.search(re.sub(r"[_\W]+", " ", search_key(text))) is not None


_PER_RATE: Final = re.compile(
    r"(?<![0-9])(?:(20|10|5[.,]5|2[.,]1|8[.,]5|19[.,]6|7|0|13|1[.,]05|1[.,]75)(?:[.,]?0+(?= ?%)|[.,]0+)? ?%?(?![0-9])"
    # Rates of other countries are also weeks, years and numbers.
    r"|(19|21|22|23|16|4|6|9)(?:[.,]0+)? ?%)"
)


def rate_in_name(text: str) -> str:
    """The VAT rate that a name of a tax column carries («TVA 5,5 %»: ``5.5``), or nothing."""
    found = _PER_RATE.search(text)
    return (found[1] or found[2]).replace(",", ".") if found else ""


@functools.lru_cache(maxsize=4096)
def notions_of(text: str) -> frozenset[str]:
    """The notions in a name; ``second`` for a second line of an address."""
    return _notions(name_key(text))[0]


@functools.lru_cache(maxsize=4096)
def _notions(key: str) -> tuple[frozenset[str], int, int]:
    words = [word for word in key.split() if word not in _STOP]
    known: set[str] = set()
    unknown = 0
    for word in (part for one in words for part in ((one,) if one in _WORD else words_in(one))):
        notion = _WORD.get(word) or _WORD.get(word.rstrip("s")) or _WORD.get(word.rstrip("0123456789"))
        is_further = word[-1:] in "2345" and (word[:-1] in _STREETS or (word in "2345" and "street" in known))
        if word == "complement" or is_further:
            known |= {"second", "street"}
        elif notion:
            known.add(notion)
        elif not word.isdigit():
            unknown += 1
    if "purchase" in known:
        known.add("order")
    return frozenset(known), len(words), unknown


def is_of_a_product(text: str) -> bool:
    """Whether a column is named as a product names its own."""
    return name_key(text).replace(" ", "_") in FIELD_BY_NAME


@functools.lru_cache(maxsize=4096)
def candidates(text: str) -> dict[str, float]:
    """Which of our columns a column named ``text`` may be, each with how sure that is (0 to 1)."""
    key = name_key(text)
    if not key:
        return {}
    exact = FIELD_BY_NAME.get(key.replace(" ", "_"))
    if exact is not None:
        return dict(exact)
    notions, _, unknown = _notions(key)
    found: dict[str, float] = {}
    unwanted = notions & _UNWANTED
    for rule in _PARSED:
        if all(notions & alternatives for alternatives in rule.needed) and not notions & rule.forbidden:
            if unwanted and not any(unwanted & alternatives for alternatives in rule.needed):
                continue
            used = {notion for alternatives in rule.needed for notion in alternatives & notions}
            unused = len(notions - used)
            sureness = rule.sureness / 100 - 0.03 * unused - 0.08 * unknown
            found[rule.field] = max(found.get(rule.field, 0), sureness)
    return found
