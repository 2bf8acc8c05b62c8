"""Column names of products that no rule of words would find, each with where they are written down.

A name points to one of our columns, or to nothing where it looks like one and is none.
"""

from typing import Final

from invoices.importing.mapping.erp_names import (
    BUSINESS_CENTRAL,
    CEGID,
    DIVALTO,
    DOLIBARR,
    EBP,
    FACTURASCRIPTS,
    JD_EDWARDS,
    OPEN_ERPS,
    SAGE_100,
    SAGE_X3,
    SAP,
    SAP_B1,
    WAVESOFT,
)

# Odoo: addons/account/models/account_move.py and account_move_line.py, technical names and labels of its export.
_ODOO: Final = """
name numero
move_name numero
invoice_date date
invoice_date_due echeance
invoice_bill_date date
partner_id client.raison_sociale
partner_id_name client.raison_sociale
partner_id_display_name client.raison_sociale
partner_display_name client.raison_sociale
partenaire_nom_d_affichage client.raison_sociale
invoice_partner_display_name client.raison_sociale
nom_du_partenaire_a_afficher_sur_la_facture client.raison_sociale
partner_id_ref code_client
partner_reference code_client
partenaire_reference code_client
partner_id_vat client.tva_intracom
partner_vat client.tva_intracom
partner_tax_id client.tva_intracom
partner_id_email client.email
amount_untaxed total_ht
amount_untaxed_signed -
amount_tax total_tva
amount_tax_signed -
amount_total total_ttc
amount_total_signed -
untaxed_amount total_ht
untaxed_amount_signed -
untaxed_amount_in_currency_signed -
tax_signed -
total_signed -
total_in_currency_signed -
hors_taxes_signe -
total_signe -
amount_residual -
amount_due -
amount_due_signed -
montant_du -
move_type type
company_id societe
invoice_line_ids_name ligne.designation
invoice_line_ids_product_id ligne.article
invoice_line_ids_product_id_default_code ligne.article
invoice_line_ids_quantity ligne.quantite
invoice_line_ids_price_unit ligne.prix_unitaire_ht
invoice_line_ids_discount ligne.remise
invoice_line_ids_tax_ids ligne.taux_tva
invoice_line_ids_tax_ids_name ligne.taux_tva
invoice_line_ids_price_subtotal ligne.total_ht
invoice_line_ids_price_total ligne.total_ttc
invoice_line_ids_product_uom_id ligne.unite
invoice_lines_label ligne.designation
invoice_lines_product ligne.article
invoice_lines_taxes ligne.taux_tva
invoice_lines_subtotal ligne.total_ht
invoice_lines_total ligne.total_ttc
invoice_lines_unit_price ligne.prix_unitaire_ht
invoice_lines_quantity ligne.quantite
invoice_lines_discount ligne.remise
invoice_lines_discount_pourcent ligne.remise
invoice_lines_unit_of_measure ligne.unite
lignes_de_facture_libelle ligne.designation
lignes_de_facture_etiquette ligne.designation
lignes_de_facture_produit ligne.article
lignes_de_facture_taxes ligne.taux_tva
lignes_de_facture_sous_total ligne.total_ht
lignes_de_facture_soustotal ligne.total_ht
lignes_de_facture_total ligne.total_ttc
lignes_de_facture_prix_unitaire ligne.prix_unitaire_ht
lignes_de_facture_quantite ligne.quantite
invoice_origin -
source_document -
origine -
payment_reference -
"""
# Xero: its sales invoice CSV template (ContactName…Status), as invoice exporters on GitHub write it.
_XERO: Final = """
contact_name client.raison_sociale
email_address client.email
poaddress_line1 client.adresse
poaddress_line2 client.complement
poaddress_line3 -
poaddress_line4 -
pocity client.ville
poregion -
popostal_code client.code_postal
pocountry client.pays
saaddress_line1 adresse_livraison
saaddress_line2 complement_livraison
sacity ville_livraison
sapostal_code code_postal_livraison
sacountry pays_livraison
saregion -
planned_date -
tax_total total_tva
invoice_amount_paid deja_paye
invoice_amount_due -
inventory_item_code ligne.article
unit_amount ligne.prix_unitaire_ht
line_amount ligne.total_ht
tax_type ligne.taux_tva
tax_amount total_tva|ligne.total_tva
account_code -
tracking_name1 -
tracking_option1 -
tracking_name2 -
tracking_option2 -
branding_theme -
sent -
"""
# QuickBooks Online: invoice import template (InvoiceNo, Customer, ItemRate…), Intuit's help.
_QUICKBOOKS: Final = """
invoice_no numero|ligne.article
a_c code_client
a_c_ref code_client
details ligne.designation
ext_price ligne.total_ht
terms -
item_product_service ligne.article
product_service ligne.article
item_description ligne.designation
item_quantity ligne.quantite
item_rate ligne.prix_unitaire_ht
item_amount ligne.total_ht
taxable -
item_tax_code ligne.taux_tva
item_tax_amount ligne.total_tva
service_date ligne.date_livraison
location -
"""
# Zoho Invoice / Books: export of invoices (Invoice Number, Item Name, Item Price…), Zoho's help.
_ZOHO: Final = """
purchase_order reference
item_name ligne.designation
item_desc -
item_price ligne.prix_unitaire_ht
item_total ligne.total_ht
item_tax_pourcent ligne.taux_tva
item_tax ligne.taux_tva
item_tax_1 -
usage_unit ligne.unite
sub_total total_ht
sub_total total_ht
exchange_rate -
estimate_number -
"""
# Stripe: invoices export of the Dashboard. Shopify: orders_export.csv. WooCommerce: order export plug-ins.
_SHOPS: Final = """
date_utc date
due_date_utc echeance
subtotal total_ht
tax total_tva
tax_percent ligne.taux_tva
total total_ttc|ligne.total_ht
customer_description -
total_discount_amount -
amount_paid deja_paye
created_at date
created_utc -
paid_at -
lineitem_quantity ligne.quantite
lineitem_name ligne.designation
lineitem_price ligne.prix_unitaire_ht
lineitem_sku ligne.article
lineitem_compare_at_price -
lineitem_discount -
lineitem_requires_shipping -
lineitem_taxable -
lineitem_fulfillment_status -
billing_name client.raison_sociale
billing_company client.raison_sociale
billing_street client.adresse
billing_address1 client.adresse
billing_address2 client.complement
billing_zip client.code_postal
billing_postcode client.code_postal
billing_city client.ville
billing_code client.code_postal
shipping_code code_postal_livraison
billing_country client.pays
billing_phone client.telephone
billing_email client.email
shipping -
taxes total_tva
tax_1_name -
tax_1_value -
financial_status -
fulfillment_status -
discount_code -
discount_amount -
order_total_amount total_ttc
order_total_tax_amount total_tva
order_total total_ttc
item_cost ligne.prix_unitaire_ht
quantity_refund ligne.quantite
id_order -
"""
# Invoice Ninja 5: keys and labels of its item export (app/Export/CSV/InvoiceItemExport.php in its repository).
_INVOICE_NINJA: Final = """
item_product ligne.article
item_product_key ligne.article
item_notes ligne.designation
item_cost ligne.prix_unitaire_ht
item_quantity ligne.quantite
item_discount ligne.remise
item_is_amount_discount -
item_line_total ligne.total_ht
item_tax_name1 -
item_tax_name_1 -
item_tax_rate1 ligne.taux_tva
item_tax_rate_1 ligne.taux_tva
item_tax_name2 -
item_tax_name_2 -
item_tax_rate2 -
item_tax_rate_2 -
item_gross_line_total ligne.total_ttc
invoice_amount total_ttc
invoice_po_number reference
invoice_public_notes note
invoice_private_notes -
invoice_terms -
invoice_footer -
invoice_partial -
invoice_paid_to_date deja_paye
paid_to_date deja_paye
client_id_number client.siren|code_client
client_number code_client
client_public_notes -
client_private_notes -
"""
# Stripe: «Export» of its list of invoices, amounts in units of the currency. Not verified: no public file of it was
# found;
# the fields are those of its API (stripe.com/docs/api/invoices), with «(UTC)» after dates.
_STRIPE: Final = """
amount_remaining -
date_utc date
due_date_utc echeance
created_utc date
finalized_at_utc date
starting_balance -
ending_balance -
total_discount_amount -
applied_coupons -
tax_percent ligne.taux_tva
customer code_client|client.raison_sociale
customer_address_line1 client.adresse
customer_address_line2 client.complement
customer_address_city client.ville
customer_address_state -
customer_address_postal_code client.code_postal
customer_address_country client.pays
minimum_line_item_period_start_utc -
maximum_line_item_period_end_utc -
"""
# PrestaShop: fields of its orders (src/Core/Grid/Definition/Factory/OrderGridDefinitionFactory.php in its
# repository). Its
# French labels are not verified.
_PRESTASHOP: Final = """
total_produits_ht -
total_products_tax_excl -
total_paye_ht total_ht
total_paye_ttc total_ttc
total_paid_tax_excl total_ht
total_paid_tax_incl total_ttc
frais_de_port_ht -
total_shipping_tax_excl -
"""
# Pennylane, Axonaut, Abelia and spreadsheets made by hand: labels of their lists of invoices.
_HAND_MADE: Final = """
n numero
num numero
no numero
libelle ligne.designation
code code_client|client.code|ligne.article
cp client.code_postal
pu ligne.prix_unitaire_ht
puht ligne.prix_unitaire_ht
pu_ht ligne.prix_unitaire_ht
pu_ttc -
prix_unitaire_ttc -
puttc -
ht total_ht|ligne.total_ht
tva total_tva|ligne.taux_tva|ligne.total_tva
tva_pourcent ligne.taux_tva
pourcent_tva ligne.taux_tva
ttc total_ttc|ligne.total_ttc
reste_a_payer -
reste_du -
solde -
statut -
balance -
objet -
votre_reference reference
votre_ref reference
nos_references -
code_article ligne.article
ref_article ligne.article
ref_produit ligne.article
code_tva ligne.categorie_tva|ligne.taux_tva
mode_de_reglement -
mode_de_paiement -
type_de_client client.type
pour client.raison_sociale
a_payer_avant_le echeance
a_payer_le echeance
a_regler_le echeance
payable_avant_le echeance
payable_le echeance
a_regler_avant_le echeance
due_by echeance
nb_factures client.nb_factures
nb_ex_facture client.nb_factures
nb_exemplaires client.nb_factures
nombre_d_exemplaires client.nb_factures
nombre_de_factures_a_editer client.nb_factures
n_de_client code_client
designation ligne.designation
tiers code_client|client.raison_sociale
societe client.raison_sociale|societe
date_de_livraison date_livraison
mois -
annee -
jour -
heure -
site -
agence -
departement -
region -
vendeur -
code_vendeur -
nom_vendeur -
doit client.raison_sociale|code_client
donneur_d_ordre client.raison_sociale|code_client
code_donneur_d_ordre code_client
commercial -
famille -
marque -
"""

FIELD_BY_NAME: Final[dict[str, dict[str, float]]] = {}
for _names in (
    SAGE_100, CEGID, DIVALTO, EBP, DOLIBARR,
    _ODOO, _XERO, _QUICKBOOKS, _ZOHO, _SHOPS, _INVOICE_NINJA, _STRIPE, _PRESTASHOP,
    SAP_B1, BUSINESS_CENTRAL, SAP, SAGE_X3, FACTURASCRIPTS, WAVESOFT, JD_EDWARDS, OPEN_ERPS, _HAND_MADE,
):  # fmt: skip
    for _line in _names.strip().splitlines():
        _name, _, _fields = _line.partition(" ")
        FIELD_BY_NAME[_name] = {
            field: 0.9 - 0.06 * place for place, field in enumerate(_fields.split("|")) if field != "-"
        }
# Sage X3 writes its names without their index too.
for _name in [each for each in FIELD_BY_NAME if each.endswith("_0")]:
    FIELD_BY_NAME.setdefault(_name.removesuffix("_0"), FIELD_BY_NAME[_name])
# Odoo's «Name» is an invoice's number, Shopify's too; a customer's name where customers are meant.
FIELD_BY_NAME["name"] = {"client.raison_sociale": 0.62, "numero": 0.6, "ligne.designation": 0.5}
# Dolibarr's «InvoiceId» is its own; elsewhere an ID is the number, where no other column is.
FIELD_BY_NAME["invoice_id"] = FIELD_BY_NAME["id_facture"] = {"numero": 0.5}
# A day of the ledger is the invoice's where no other day is.
for _name in ("date_comptable", "date_de_comptabilisation", "posting_date", "date_comptabilisation"):
    FIELD_BY_NAME[_name] = {"date": 0.6}
# What is to be paid is the total where no deposit was: the sums say whether it is.
FIELD_BY_NAME["net_a_payer"] = {"total_ttc": 0.5}
FIELD_BY_NAME["libelle_produit"] = {"ligne.designation": 0.55}
# FacturaScripts' number; a code of articles or customers elsewhere in Spain.
FIELD_BY_NAME["codigo"] = {"numero": 0.62, "client.code": 0.6, "ligne.article": 0.58}
# «Du» of «Facture n° F1 du 5 mars» where no other column is a day; beside «Au» it begins a period.
FIELD_BY_NAME["du"] = {"date": 0.5}
FIELD_BY_NAME["documento"] = {"numero": 0.6}
FIELD_BY_NAME["nom"] = {"client.raison_sociale": 0.8}
