"""Column names of ERPs, each product with where its names are written down. The form is that of :mod:`.products`."""

from typing import Final

# Sage 100c: tables F_DOCENTETE, F_DOCLIGNE, F_COMPTET (public schema notes; dropwms/sage-connectors on GitHub).
SAGE_100: Final = """
do_piece numero
do_date date
do_tiers code_client
do_ref reference
do_totalht total_ht
do_totalhtnet total_ht
do_totalttc total_ttc
do_netapayer -
do_datelivr date_livraison
do_type type
do_domaine -
ct_num code_client
ct_intitule client.raison_sociale
ct_adresse client.adresse
ct_complement client.complement
ct_codepostal client.code_postal
ct_ville client.ville
ct_pays client.pays
ct_telephone client.telephone
ct_e_mail client.email
ct_email client.email
ct_identifiant client.tva_intracom
ct_siret client.siret
ct_type -
ct_contact -
ct_ape -
ar_ref ligne.article
dl_design ligne.designation
dl_qte ligne.quantite
eu_enumere ligne.unite
dl_prixunitaire ligne.prix_unitaire_ht
dl_puttc -
dl_remise ligne.remise
dl_remise01rem_valeur ligne.remise
dl_taxe1 ligne.taux_tva
dl_tauxtva ligne.taux_tva
dl_codetaxe1 -
dl_montantht ligne.total_ht
dl_montantttc ligne.total_ttc
dl_ligne -
dl_no -
n_devise devise
fnt_totalhtnet total_ht
fnt_totaltaxes total_tva
fnt_totalttc total_ttc
dr_date echeance
"""
# Cegid Business Suite: tables PIECE, LIGNE, TIERS (field lists of the OLE add-in: GP_, GL_, T_).
CEGID: Final = """
gp_numero numero
gp_numpiece numero
gp_datepiece date
gp_tiers code_client
gp_tiersfacture code_client
gp_devise devise
gp_refexterne reference
gp_refinterne -
gp_totalht total_ht
gp_totalhtdev total_ht
gp_totalttc total_ttc
gp_totalttcdev total_ttc
gp_totaltaxe total_tva
gp_naturepieceg type
gp_datelivraison date_livraison
gl_numero numero
gl_datepiece date
gl_tiers code_client
gl_codearticle ligne.article
gl_article ligne.article
gl_libelle ligne.designation
gl_qtefact ligne.quantite
gl_puhtdev ligne.prix_unitaire_ht
gl_puht ligne.prix_unitaire_ht
gl_remiseligne ligne.remise
gl_montanthtdev ligne.total_ht
gl_totalht ligne.total_ht
gl_totalhtdev ligne.total_ht
gl_montantttcdev ligne.total_ttc
gl_totalttc ligne.total_ttc
gl_qualifqtevte ligne.unite
t_tiers code_client
t_libelle client.raison_sociale
t_adresse1 client.adresse
t_adresse2 client.complement
t_codepostal client.code_postal
t_ville client.ville
t_pays client.pays
t_telephone client.telephone
t_email client.email
t_siret client.siret
t_nif client.tva_intracom
"""
# Divalto infinity: files ENT, MOUV, CLI (dictionary of data: PINO, PIDT, TIERS, MONT, REF, DES, QTE).
DIVALTO: Final = """
pino numero
pidt date
tiers code_client
piref reference
htmt total_ht
htmtdo total_ht
ttcmt total_ttc
tvamt total_tva
dev devise
des ligne.designation
faqte ligne.quantite
pub ligne.prix_unitaire_ht
mont ligne.total_ht
adrcpl1 client.complement
cpostal client.code_postal
vil client.ville
nomtiers client.raison_sociale
"""
# EBP Gestion commerciale: export of sales documents (labels of its import and export wizard).
EBP: Final = """
document_numero_du_document numero
numero_du_document numero
document_date date
date_du_document date
document_code_client code_client
document_nom_du_client client.raison_sociale
nom_facturation client.raison_sociale
lignes_code_article ligne.article
lignes_description ligne.designation
lignes_quantite ligne.quantite
lignes_pv_ht ligne.prix_unitaire_ht
lignes_montant_net_ht ligne.total_ht
lignes_net_ht ligne.total_ht
lignes_taux_de_tva ligne.taux_tva
pv_ht ligne.prix_unitaire_ht
net_ht total_ht|ligne.total_ht
montant_net_ht total_ht|ligne.total_ht
reference_du_document -
"""
# Dolibarr: htdocs/core/modules/modFacture.class.php, export «Factures et lignes», by its keys and French labels.
DOLIBARR: Final = """
id_company -
company_name client.raison_sociale
customer_code code_client
nom_du_tiers client.raison_sociale
prof_id1 client.siren
prof_id2 client.siret
prof_id3 -
id_prof_1 client.siren
id_prof_1_siren client.siren
id_prof_2 client.siret
id_prof_2_siret client.siret
vat_intra client.tva_intracom
vatintra client.tva_intracom
customer_accountancy_code -
supplier_accountancy_code -
code_comptable_client -
code_compta -
invoice_id -
id_facture -
invoice_ref numero
facnumber numero
ref_customer reference
ref_client reference
date_invoice date
date_due echeance
datef date
date_lim_reglement echeance
invoice_date_creation -
datec -
total_ht total_ht
total_vat total_tva
total_ttc total_ttc
invoice_paid -
invoice_paid_completely -
facture_payee -
payee -
note_private -
note_privee -
note_public note
note_publique note
line_id -
id_ligne -
line_description ligne.designation
line_unit_price ligne.prix_unitaire_ht
line_vatrate ligne.taux_tva
line_vat_rate ligne.taux_tva
line_qty ligne.quantite
line_total_ht ligne.total_ht
line_total_vat ligne.total_tva
line_total_tva ligne.total_tva
line_total_ttc ligne.total_ttc
type_of_line_service_or_product -
type_ligne -
type_de_ligne -
type_de_ligne_0_produit_1_service -
product_id -
product_ref ligne.article
product_label -
libelle_produit -
fd_description ligne.designation
fd_subprice ligne.prix_unitaire_ht
fd_tva_tx ligne.taux_tva
fd_qty ligne.quantite
fd_total_ht ligne.total_ht
fd_total_tva ligne.total_tva
fd_total_ttc ligne.total_ttc
s_nom client.raison_sociale
s_code_client code_client
f_ref numero
f_datef date
f_total_ht total_ht
f_total_tva total_tva
f_total_ttc total_ttc
p_ref ligne.article
multicurrency_code devise
"""
# SAP ERP: billing documents, tables VBRK, VBRP and KNA1 of its data dictionary, and labels of its lists.
SAP: Final = """
vbeln numero
fkart type
fkdat date
kunag code_client
kunrg code_client
kunnr code_client|client.code
name1 client.raison_sociale
name_1 client.raison_sociale
netwr total_ht|ligne.total_ht
mwsbk total_tva
mwsbp ligne.total_tva
waerk devise
posnr -
matnr ligne.article
arktx ligne.designation
fkimg ligne.quantite
vrkme ligne.unite
bstnk reference
stceg client.tva_intracom
stras client.adresse
pstlz client.code_postal
ort01 client.ville
land1 client.pays
billing_type type
fakturaart type
net_value total_ht|ligne.total_ht
sold_to_party code_client
name_of_sold_to_party client.raison_sociale
"""
# Sage X3: SINVOICE and SINVOICED (field names as public code of connectors queries them).
SAGE_X3: Final = """
num_0 numero
sivtyp_0 type
bpr_0 code_client
bprnam_0 client.raison_sociale
accdat_0 date
invdat_0 date
cur_0 devise
amtnot_0 total_ht
amttax_0 total_tva
amtati_0 total_ttc
bprvcr_0 reference
strduddat_0 echeance
itmref_0 ligne.article
itmdes_0 ligne.designation
qty_0 ligne.quantite
netpri_0 ligne.prix_unitaire_ht
amtnotlin_0 ligne.total_ht
amtatilin_0 ligne.total_ttc
fcy_0 -
sau_0 ligne.unite
gropri_0 ligne.prix_unitaire_ht
discrgval1_0 ligne.remise
invref_0 reference
"""
# WaveSoft: PIECEVENTES, PIECEVENTELIGNES and TIERS (field names as public code of its users queries them).
WAVESOFT: Final = """
pcvnum numero
pcvnumext reference
pcvdateeffet date
pcvmntht total_ht
pcvmnttva total_tva
pcvmntttc total_ttc
pcvmntaregler -
pcvmntacompte deja_paye
tircode code_client
tirsociete client.raison_sociale
artcode ligne.article
plvartcode ligne.article
artdesignation ligne.designation
plvdesignation ligne.designation
plvqte ligne.quantite
plvpubrut ligne.prix_unitaire_ht
plvpunet ligne.prix_unitaire_ht
plvmntnetht ligne.total_ht
"""
# JD Edwards: customer ledger F03B11, labels of its grids.
JD_EDWARDS: Final = """
doc_ty type
doc_type type
rpdoc numero
rpdct type
rpan8 code_client
rpalph client.raison_sociale
rpag total_ttc
rpatxa total_ht
rpstam total_tva
rpcrcd devise
address_number code_client
alpha_name client.raison_sociale
"""
# SAP Business One: documents of its Service Layer ($select=DocNum,DocDate,CardCode… in public code), tables OINV and
# INV1.
SAP_B1: Final = """
doc_num numero
doc_date date
doc_due_date echeance
card_code code_client|client.code
card_name client.raison_sociale
num_at_card reference
doc_total total_ttc
vat_sum total_tva
doc_currency devise
doc_cur devise
federal_tax_id client.tva_intracom
lic_trad_num client.tva_intracom
dscription ligne.designation
item_description ligne.designation
vat_prcnt ligne.taux_tva
tax_percentage_per_row ligne.taux_tva
price_bef_di -
doc_entry -
doc_rate -
"""
# Business Central: «Posted Sales Invoice» and its lines (learn.microsoft.com, tables 112 and 113), in French too.
BUSINESS_CENTRAL: Final = """
sell_to_customer_no code_client
bill_to_customer_no code_client
sell_to_customer_name client.raison_sociale
n_donneur_d_ordre code_client
nom_du_donneur_d_ordre client.raison_sociale
date_comptabilisation date
"""
# ERPNext: «Sales Invoice» (labels of sales_invoice.json in its repository). Axelor: technical names of its Invoice.xml.
OPEN_ERPS: Final = """
rate_line ligne.prix_unitaire_ht
amount_line ligne.total_ht
net_total total_ht
total_taxes_and_charges total_tva
ex_tax_total total_ht
in_tax_total total_ttc
company_ex_tax_total -
company_in_tax_total -
"""
# FacturaScripts: facturascli and lineasfacturascli (Core/Table/*.xml of its repository).
FACTURASCRIPTS: Final = """
codcliente code_client
nombrecliente client.raison_sociale
cifnif client.tva_intracom
codpostal client.code_postal
codpais client.pays
coddivisa devise
totaliva total_tva
pvpunitario ligne.prix_unitaire_ht
dtopor ligne.remise
pvptotal ligne.total_ht
pvpsindto -
"""
