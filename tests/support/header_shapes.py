# ruff: noqa: E501 - tables are as wide as products write them
"""Headers as products and people write them, with what each column is: the first cell of a line is ours.

Sample rows are invented. Every shape is (name, whether a product writes it, table, our columns in its order).
"""

from typing import Final, NamedTuple


class Shape(NamedTuple):
    """A table and the column of ours (``-`` for none) of each of its columns."""

    name: str
    is_real: bool
    text: str
    fields: str


SHAPES: Final = (
    Shape("factures", False, """N° facture;Date facture;Code client;Montant HT;Montant TVA;Montant TTC
F1;15/01/2025;C1;100,00;20,00;120,00
F2;16/01/2025;C2;200,00;40,00;240,00
""", "numero date code_client total_ht total_tva total_ttc"),
    Shape("flat french", False, """Facture;Date;Client;Désignation;Qté;PU HT;Taux TVA;Total HT;Total TTC
F1;15/01/2025;Dupont SARL;Vis;2;50,00;20;100,00;120,00
F1;15/01/2025;Dupont SARL;Clou;1;10,00;20;10,00;12,00
F2;16/01/2025;Martin SAS;Vis;4;50,00;20;200,00;240,00
""", "numero date client.raison_sociale ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht -"),
    Shape("flat english", False, """Invoice Number,Invoice Date,Due Date,Customer Name,Customer Email,Description,Quantity,Rate,Amount
INV-1,2025-01-15,2025-02-15,Acme Ltd,a@acme.example,Work,2,50.00,100.00
INV-1,2025-01-15,2025-02-15,Acme Ltd,a@acme.example,Travel,1,10.00,10.00
INV-2,2025-01-16,2025-02-16,Bolt Ltd,b@bolt.example,Work,4,50.00,200.00
""", "numero date echeance client.raison_sociale client.email ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.total_ht"),
    Shape("clients", False, """Code;Nom;Adresse;CP;Ville;Tél;E-mail;SIRET
C1;Dupont SARL;1 rue A;75001;Paris;0102030405;a@dupont.example;73282932000074
C2;Martin SAS;2 rue B;69001;Lyon;0405060708;b@martin.example;55210055400013
""", "client.code client.raison_sociale client.adresse client.code_postal client.ville client.telephone client.email client.siret"),
    Shape("lignes", False, """N° facture;Référence;Libellé;Quantité;Unité;Prix unitaire;Remise %;Montant HT;TVA %
F1;A1;Vis;2;U;50,00;0;100,00;20,00
F1;A2;Clou;1;U;10,00;10;9,00;20,00
F2;A1;Vis;4;U;50,00;0;200,00;20,00
""", "numero ligne.article ligne.designation ligne.quantite ligne.unite ligne.prix_unitaire_ht ligne.remise ligne.total_ht ligne.taux_tva"),
    Shape("dolibarr keys", True, """IdCompany,CompanyName,CustomerCode,Address,Zip,Town,CountryCode,Phone,ProfId1,ProfId2,VATIntra,InvoiceId,InvoiceRef,RefCustomer,InvoiceDateCreation,DateInvoice,DateDue,TotalHT,TotalTTC,TotalVAT,InvoicePaid,InvoiceStatus,NotePrivate,NotePublic,LineId,LineDescription,LineUnitPrice,LineVATRate,LineQty,LineTotalHT,LineTotalVAT,LineTotalTTC,DateStart,DateEnd,TypeOfLineServiceOrProduct,ProductId,ProductRef,ProductLabel
4,Dupont SARL,CU2401-0001,1 rue A,75001,Paris,FR,0102030405,732829320,73282932000074,FR44732829320,12,FA2501-0001,CMD9,2025-01-10 10:00:00,2025-01-15,2025-02-15,110.00,132.00,22.00,0,1,,,31,Vis,50.00,20.000,2,100.00,20.00,120.00,,,0,3,VIS,Vis inox
4,Dupont SARL,CU2401-0001,1 rue A,75001,Paris,FR,0102030405,732829320,73282932000074,FR44732829320,12,FA2501-0001,CMD9,2025-01-10 10:00:00,2025-01-15,2025-02-15,110.00,132.00,22.00,0,1,,,32,Clou,10.00,20.000,1,10.00,2.00,12.00,,,0,4,CLOU,Clou
5,Martin SAS,CU2401-0002,2 rue B,69001,Lyon,FR,0405060708,552100554,55210055400013,FR96552100554,13,FA2501-0002,,2025-01-11 10:00:00,2025-01-16,2025-02-16,200.00,240.00,40.00,0,1,,,33,Vis,50.00,20.000,4,200.00,40.00,240.00,,,0,3,VIS,Vis inox
""", "- client.raison_sociale code_client client.adresse client.code_postal client.ville client.pays client.telephone client.siren client.siret client.tva_intracom - numero reference - date echeance total_ht total_ttc total_tva - - - note - ligne.designation ligne.prix_unitaire_ht ligne.taux_tva ligne.quantite ligne.total_ht - - - - - - ligne.article -"),
    Shape("dolibarr french", True, """"Réf. facture","Date facturation","Nom du tiers","Code client","Montant HT","Montant TVA","Montant TTC","Description ligne","Prix unitaire ligne","Taux TVA ligne","Quantité ligne","Montant HT ligne","Montant TVA ligne","Montant TTC ligne","Réf. produit"
"FA1","15/01/2025","Dupont SARL","C1","110,00","22,00","132,00","Vis","50","20","2","100,00","20,00","120,00","VIS"
"FA1","15/01/2025","Dupont SARL","C1","110,00","22,00","132,00","Clou","10","20","1","10,00","2,00","12,00","CLOU"
""", "numero date client.raison_sociale code_client total_ht total_tva total_ttc ligne.designation ligne.prix_unitaire_ht ligne.taux_tva ligne.quantite ligne.total_ht - - ligne.article"),
    Shape("odoo heads blank", True, """Number,Invoice Partner Display Name,Invoice/Bill Date,Due Date,Untaxed Amount,Tax,Total,Invoice lines/Label,Invoice lines/Quantity,Invoice lines/Unit Price,Invoice lines/Taxes,Invoice lines/Subtotal
INV/2025/0001,Dupont SARL,2025-01-15,2025-02-15,110.0,22.0,132.0,Vis,2.0,50.0,20% B,100.0
,,,,,,,Clou,1.0,10.0,20% B,10.0
INV/2025/0002,Martin SAS,2025-01-16,2025-02-16,200.0,40.0,240.0,Vis,4.0,50.0,20% B,200.0
""", "numero client.raison_sociale date echeance total_ht total_tva total_ttc ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht"),
    Shape("odoo technical", True, """name,partner_id/name,invoice_date,amount_untaxed,amount_tax,amount_total,invoice_line_ids/name,invoice_line_ids/quantity,invoice_line_ids/price_unit,invoice_line_ids/tax_ids,invoice_line_ids/price_subtotal
INV/1,Dupont SARL,2025-01-15,110.0,22.0,132.0,Vis,2.0,50.0,TVA 20%,100.0
,,,,,,Clou,1.0,10.0,TVA 20%,10.0
""", "numero client.raison_sociale date total_ht total_tva total_ttc ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht"),
    Shape("sage entete", True, """DO_Piece;DO_Date;DO_Tiers;DO_Ref;DO_TotalHT;DO_TotalTTC;DO_NetAPayer
FA001;15/01/2025;CDUPONT;CMD1;110,00;132,00;132,00
FA002;16/01/2025;CMARTIN;;200,00;240,00;240,00
""", "numero date code_client reference total_ht total_ttc -"),
    Shape("sage ligne", True, """DO_Piece;AR_Ref;DL_Design;DL_Qte;DL_PrixUnitaire;DL_Remise01REM_Valeur;DL_Taxe1;DL_MontantHT;DL_MontantTTC
FA001;VIS;Vis;2;50,00;0;20,00;100,00;120,00
FA001;CLOU;Clou;1;10,00;0;20,00;10,00;12,00
""", "numero ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.remise ligne.taux_tva ligne.total_ht -"),
    Shape("sage comptet", True, """CT_Num;CT_Intitule;CT_Adresse;CT_Complement;CT_CodePostal;CT_Ville;CT_Pays;CT_Siret;CT_Identifiant;CT_Telephone;CT_EMail
CDUPONT;Dupont SARL;1 rue A;;75001;Paris;France;73282932000074;FR44732829320;0102030405;a@dupont.example
CMARTIN;Martin SAS;2 rue B;;69001;Lyon;France;55210055400013;FR96552100554;0405060708;b@martin.example
""", "client.code client.raison_sociale client.adresse client.complement client.code_postal client.ville client.pays client.siret client.tva_intracom client.telephone client.email"),
    Shape("ebp", True, """Document - Numéro du document;Document - Date;Document - Code client;Document - Nom du client;Lignes - Code article;Lignes - Description;Lignes - Quantité;Lignes - PV HT;Lignes - Taux de TVA;Lignes - Montant Net HT
FA1;15/01/2025;C1;Dupont SARL;VIS;Vis;2,00;50,00;20,00;100,00
FA1;15/01/2025;C1;Dupont SARL;CLOU;Clou;1,00;10,00;20,00;10,00
""", "numero date code_client client.raison_sociale ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht"),
    Shape("ebp list", True, """Numéro du document;Date;Code client;Nom du client;Montant Net HT;Montant TVA;Montant TTC;Solde dû
FA1;15/01/2025;C1;Dupont SARL;100,00;20,00;120,00;120,00
FA2;16/01/2025;C2;Martin SAS;200,00;40,00;240,00;0,00
""", "numero date code_client client.raison_sociale total_ht total_tva total_ttc -"),
    Shape("xero", True, """*ContactName,EmailAddress,POAddressLine1,POAddressLine2,POCity,PORegion,POPostalCode,POCountry,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,InventoryItemCode,*Description,*Quantity,*UnitAmount,Discount,LineAmount,*AccountCode,*TaxType,TaxAmount,Currency,BrandingTheme
Acme Ltd,a@acme.example,1 High St,,London,,N1 1AA,United Kingdom,INV-1,PO 7,15/01/2025,15/02/2025,132.00,VIS,Screws,2,50.00,,100.00,200,20% (VAT on Income),20.00,GBP,
Acme Ltd,a@acme.example,1 High St,,London,,N1 1AA,United Kingdom,INV-1,PO 7,15/01/2025,15/02/2025,132.00,CLOU,Nails,1,10.00,,10.00,200,20% (VAT on Income),2.00,GBP,
Bolt Ltd,b@bolt.example,2 High St,,Leeds,,LS1 1AA,United Kingdom,INV-2,,16/01/2025,16/02/2025,240.00,VIS,Screws,4,50.00,,200.00,200,20% (VAT on Income),40.00,GBP,
""", "client.raison_sociale client.email client.adresse client.complement client.ville - client.code_postal client.pays numero reference date echeance total_ttc ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.remise ligne.total_ht - ligne.taux_tva - devise -"),
    Shape("quickbooks", True, """*InvoiceNo,*Customer,*InvoiceDate,*DueDate,Terms,Location,Memo,Item(Product/Service),ItemDescription,ItemQuantity,ItemRate,*ItemAmount,Taxable,ItemTaxCode,ItemTaxAmount,Currency
1001,Acme Inc,01/15/2025,02/14/2025,Net 30,,Thanks,Services,Consulting,2,$50.00,$100.00,Y,20% S,$20.00,USD
1002,Bolt Inc,01/16/2025,02/15/2025,Net 30,,Thanks,Services,Consulting,3,$50.00,$150.00,Y,20% S,$30.00,USD
""", "numero client.raison_sociale date echeance - - note ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.total_ht - ligne.taux_tva - devise"),
    Shape("zoho", True, """Invoice Date,Invoice ID,Invoice Number,Invoice Status,Customer Name,Customer ID,Due Date,PurchaseOrder,Currency Code,Item Name,Item Desc,Quantity,Usage unit,Item Price,Discount,Item Total,Item Tax %,Item Tax Amount,SubTotal,Total,Balance
2025-01-15,4600001,INV-1,Sent,Acme Ltd,91,2025-02-15,PO7,EUR,Screws,Big screws,2,pcs,50.00,0,100.00,20,20.00,110.00,132.00,132.00
2025-01-15,4600001,INV-1,Sent,Acme Ltd,91,2025-02-15,PO7,EUR,Nails,Nails,1,pcs,10.00,0,10.00,20,2.00,110.00,132.00,132.00
2025-01-16,4600002,INV-2,Sent,Bolt Ltd,92,2025-02-16,,EUR,Screws,Big screws,4,pcs,50.00,0,200.00,20,40.00,200.00,240.00,240.00
""", "date - numero - client.raison_sociale code_client echeance reference devise ligne.designation - ligne.quantite ligne.unite ligne.prix_unitaire_ht ligne.remise ligne.total_ht ligne.taux_tva - total_ht total_ttc -"),
    Shape("stripe", True, """id,Amount Due,Billing,Closed,Currency,Customer,Date (UTC),Due Date (UTC),Number,Paid,Subtotal,Tax,Tax Percent,Total,Amount Paid,Status,Customer Name,Customer Email
in_1,120.00,send_invoice,true,eur,cus_A,2025-01-15 10:21,2025-02-15 10:21,AB-0001,true,100.00,20.00,20.0,120.00,120.00,paid,Acme Ltd,a@acme.example
in_2,240.00,send_invoice,true,eur,cus_B,2025-01-16 10:21,2025-02-16 10:21,AB-0002,false,200.00,40.00,20.0,240.00,0.00,open,Bolt Ltd,b@bolt.example
""", "- - - - devise code_client date echeance numero - total_ht total_tva ligne.taux_tva total_ttc deja_paye - client.raison_sociale client.email"),
    Shape("shopify", True, """Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,Billing Street,Billing City,Billing Zip,Billing Country,Billing Phone
#1001,a@acme.example,paid,2025-01-15 10:21:08 +0100,EUR,110.00,0.00,22.00,132.00,2025-01-15 10:21:07 +0100,2,Screws,50.00,VIS,Anna Acme,1 High St,Paris,75001,FR,0102030405
#1001,a@acme.example,,,,,,,,2025-01-15 10:21:07 +0100,1,Nails,10.00,CLOU,,,,,,
#1002,b@bolt.example,paid,2025-01-16 10:21:08 +0100,EUR,200.00,0.00,40.00,240.00,2025-01-16 10:21:07 +0100,4,Screws,50.00,VIS,Bob Bolt,2 High St,Lyon,69001,FR,0102030406
""", "numero client.email - - devise total_ht - total_tva total_ttc date ligne.quantite ligne.designation ligne.prix_unitaire_ht ligne.article client.raison_sociale client.adresse client.ville client.code_postal client.pays client.telephone"),
    Shape("pennylane", True, """Numéro de facture;Client;Libellé;Date d'émission;Date d'échéance;Montant HT;Montant TVA;Montant TTC;Devise;Statut;Reste à payer
F-2025-1;Dupont SARL;Prestation;15/01/2025;15/02/2025;100,00;20,00;120,00;EUR;Payée;0,00
F-2025-2;Martin SAS;Prestation;16/01/2025;16/02/2025;200,00;40,00;240,00;EUR;À payer;240,00
""", "numero client.raison_sociale ligne.designation date echeance total_ht total_tva total_ttc devise - -"),
    Shape("axonaut", True, """Numéro;Date;Société;Email;Objet;Total HT;TVA;Total TTC;Commercial;Date limite de paiement
F1;15/01/2025;Dupont SARL;a@dupont.example;Vis;100,00;20,00;120,00;Anna;15/02/2025
F2;16/01/2025;Martin SAS;b@martin.example;Clous;200,00;40,00;240,00;Bob;16/02/2025
""", "numero date client.raison_sociale client.email - total_ht total_tva total_ttc - echeance"),
    Shape("cegid", True, """GP_NUMERO;GP_DATEPIECE;GP_TIERS;GL_CODEARTICLE;GL_LIBELLE;GL_QTEFACT;GL_PUHTDEV;GL_MONTANTHTDEV;GP_TOTALHTDEV;GP_TOTALTTCDEV
1;15/01/2025;C1;VIS;Vis;2;50,00;100,00;110,00;132,00
1;15/01/2025;C1;CLOU;Clou;1;10,00;10,00;110,00;132,00
""", "numero date code_client ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.total_ht total_ht total_ttc"),
    Shape("divalto", True, """PINO;PIDT;TIERS;REF;DES;FAQTE;PUB;MONT
1;15/01/2025;C1;VIS;Vis;2;50,00;100,00
1;15/01/2025;C1;CLOU;Clou;1;10,00;10,00
""", "numero date code_client ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.total_ht"),
    Shape("preamble", False, """Journal des ventes
Société Exemple SAS

Édité le 31/01/2025

Date;N° pièce;Client;HT;TVA;TTC
15/01/2025;F1;Dupont SARL;100,00;20,00;120,00
16/01/2025;F2;Martin SAS;200,00;40,00;240,00
Total;;;300,00;60,00;360,00
""", "date numero client.raison_sociale total_ht total_tva total_ttc"),
    Shape("two header rows", False, """Facture;;Client;;Montants;;
Numéro;Date;Code;Nom;HT;TVA;TTC
F1;15/01/2025;C1;Dupont SARL;100,00;20,00;120,00
F2;16/01/2025;C2;Martin SAS;200,00;40,00;240,00
""", "numero date code_client client.raison_sociale total_ht total_tva total_ttc"),
    Shape("taxes by rate", False, """N° facture;Date;Client;Total HT;TVA 5,5%;TVA 10%;TVA 20%;Total TTC
F1;15/01/2025;Dupont SARL;110,00;0,00;1,00;20,00;131,00
F2;16/01/2025;Martin SAS;200,00;0,00;0,00;40,00;240,00
""", "numero date client.raison_sociale total_ht total_tva total_tva total_tva total_ttc"),
    Shape("issuer constant", False, """Société;N° facture;Date;Client;Montant HT;TVA;Montant TTC
Exemple SAS;F1;15/01/2025;Dupont SARL;100,00;20,00;120,00
Exemple SAS;F2;16/01/2025;Martin SAS;200,00;40,00;240,00
Exemple SAS;F3;17/01/2025;Durand SA;50,00;10,00;60,00
""", "societe numero date client.raison_sociale total_ht total_tva total_ttc"),
    Shape("hand made", True, """N°;Date;Nom;Adresse;CP;Ville;Prestation;Nb heures;Tarif;Montant
1;15/01/2025;Dupont SARL;1 rue A;75001;Paris;Conseil;2;50,00;100,00
2;16/01/2025;Martin SAS;2 rue B;69001;Lyon;Conseil;4;50,00;200,00
""", "numero date client.raison_sociale client.adresse client.code_postal client.ville ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.total_ht"),
    Shape("woocommerce", True, """Order Number,Order Date,Billing Company,Billing Email,Billing Address 1,Billing City,Billing Postcode,Item Name,SKU,Quantity,Item Cost,Order Total Tax Amount,Order Total Amount
1,2025-01-15 10:00,Acme Ltd,a@acme.example,1 High St,Paris,75001,Screws,VIS,2,50.00,22.00,132.00
1,2025-01-15 10:00,Acme Ltd,a@acme.example,1 High St,Paris,75001,Nails,CLOU,1,10.00,22.00,132.00
""", "numero date client.raison_sociale client.email client.adresse client.ville client.code_postal ligne.designation ligne.article ligne.quantite ligne.prix_unitaire_ht total_tva total_ttc"),
    Shape("gst export", True, """Invoice No,Invoice Date,Party Name,GSTIN,Taxable Value,Tax Amount,Invoice Value
1,15-01-2025,Acme Ltd,07AAACA,100.00,18.00,118.00
2,16-01-2025,Bolt Ltd,07BBBCA,200.00,36.00,236.00
""", "numero date client.raison_sociale - total_ht total_tva total_ttc"),
    Shape("accounting", True, """Date;N° Facture;Client;Montant HT;TVA;Total TTC;Statut;Mode de paiement
15/01/2025;F1;Dupont SARL;100,00;20,00;120,00;Payée;Virement
16/01/2025;F2;Martin SAS;200,00;40,00;240,00;Payée;CB
""", "date numero client.raison_sociale total_ht total_tva total_ttc - -"),
    Shape("with rate and paid", True, """Numéro Facture;Date Émission;Date Échéance;Client;Montant HT;Taux TVA;Montant TVA;Montant TTC;Statut;Montant Payé;Reste à Payer
F1;15/01/2025;15/02/2025;Dupont SARL;1000,00;20.00%;200,00;1200,00;Payée;1200,00;0,00
F2;20/01/2025;20/02/2025;Martin SAS;2500,00;20.00%;500,00;3000,00;Envoyée;0,00;3000,00
""", "numero date echeance client.raison_sociale total_ht ligne.taux_tva total_tva total_ttc - deja_paye -"),
    Shape("subtotal and grand total", True, """Invoice Number,Customer Name,Invoice Date,Due Date,SubTotal,Tax,Discount,Grand Total,Paid Amount,Balance Due,Status
INV-1,Acme Ltd,2025-01-15,2025-02-15,100.00,20.00,0.00,120.00,120.00,0.00,Paid
INV-2,Bolt Ltd,2025-01-16,2025-02-16,"1,020.00",204.00,0.00,"1,224.00",0.00,"1,224.00",Sent
""", "numero client.raison_sociale date echeance total_ht total_tva - total_ttc deja_paye - -"),
    Shape("orders with lines", True, """Invoice Number,Customer Name,Email,Phone,Company,Address,City,State,Postal Code,Country,Invoice Date,Payment Due,Product Name,Quantity,Unit Price,Subtotal,Tax Amount,Total Amount,Payment Method
INV-1,Anna Acme,a@acme.example,0102030405,Acme Ltd,1 High St,Paris,,75001,FR,2025-01-15,2025-02-15,Screws,2,50.00,100.00,20.00,120.00,Card
INV-2,Bob Bolt,b@bolt.example,0102030406,Bolt Ltd,2 High St,Lyon,,69001,FR,2025-01-16,2025-02-16,Screws,4,50.00,200.00,40.00,240.00,Card
""", "numero client.raison_sociale client.email client.telephone - client.adresse client.ville - client.code_postal client.pays date echeance ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.total_ht total_tva total_ttc -"),
    Shape("repeated names", False, """Numéro;Date;Code client;Désignation;Quantité;Prix;Montant;TVA;Montant
F1;15/01/2025;C1;Vis;2;50,00;100,00;20,00;120,00
F2;16/01/2025;C2;Vis;4;50,00;200,00;20,00;240,00
""", "numero date code_client ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.total_ht ligne.taux_tva total_ttc"),
    Shape("ours", False, """numero;date;code_client;total_ht;total_tva;total_ttc;reference;echeance;devise
F1;15/01/2025;C1;100,00;20,00;120,00;CMD1;15/02/2025;EUR
""", "numero date code_client total_ht total_tva total_ttc reference echeance devise"),
    Shape("months in words", True, """Bill To,Invoice #,Date,Due,Amount (excl. VAT),VAT,Amount (incl. VAT)
Acme Ltd,INV-1,"Jan 28, 2021","Feb 28, 2021",$13.50,$2.70,$16.20
Bolt Ltd,INV-2,"Jan 29, 2021","Feb 28, 2021",$100.00,$20.00,$120.00
""", "client.raison_sociale numero date echeance total_ht total_tva total_ttc"),
    Shape("bases and taxes by rate", False, """Num Fact;Dt Fact;Cpte Client;Intitulé client;Base HT 20%;TVA 20%;Base HT 10%;TVA 10%;Net à payer
F1;15/01/2025;C1;Dupont SARL;100,00;20,00;0,00;0,00;120,00
F2;16/01/2025;C2;Martin SAS;100,00;20,00;10,00;1,00;131,00
""", "numero date code_client client.raison_sociale total_ht total_tva total_ht total_tva total_ttc"),
    Shape("business central", True, """Order ID,Order Date,Bill-to Name,Bill-to City,Bill-to Post Code,Item No.,Description,Quantity,Unit of Measure,Unit Price Excl. VAT,Line Discount %,VAT %,Line Amount Excl. VAT
SI1,2025-01-15,Acme Ltd,Paris,75001,VIS,Screws,2,PCS,50.00,0,20,100.00
SI2,2025-01-16,Bolt Ltd,Lyon,69001,VIS,Screws,4,PCS,50.00,0,20,200.00
""", "numero date client.raison_sociale client.ville client.code_postal ligne.article ligne.designation ligne.quantite ligne.unite ligne.prix_unitaire_ht ligne.remise ligne.taux_tva ligne.total_ht"),
    Shape("wavesoft technical", True, """PCVNUM;PCVDATEEFFET;TIRCODE;TIRSOCIETE;PCVMNTHT;PCVMNTTVA;PCVMNTTTC;PCVMNTAREGLER
F1;2025-01-15 00:00:00;C1;Dupont SARL;110.00;22.00;132.00;132.00
F2;2025-01-28 00:00:00;C2;Martin SAS;1200.00;240.00;1440.00;1440.00
F3;2025-02-03 00:00:00;C1;Dupont SARL;150.05;15.50;165.55;165.55
F4;2025-02-28 00:00:00;C2;Martin SAS;1020.00;102.00;1122.00;1122.00
""", "numero date code_client client.raison_sociale total_ht total_tva total_ttc -"),
    Shape("x3 technical", True, """NUM_0;SIVTYP_0;BPR_0;BPRNAM_0;ACCDAT_0;CUR_0;AMTNOT_0;AMTTAX_0;AMTATI_0
F1;FAC;C1;Dupont SARL;2025-01-15;EUR;110.00000000;22.00000000;132.00000000
F2;FAC;C2;Martin SAS;2025-01-28;EUR;1200.00000000;240.00000000;1440.00000000
F3;FAC;C1;Dupont SARL;2025-02-03;EUR;150.05000000;15.50000000;165.55000000
F4;FAC;C2;Martin SAS;2025-02-28;EUR;1020.00000000;102.00000000;1122.00000000
""", "numero type code_client client.raison_sociale date devise total_ht total_tva total_ttc"),
    Shape("sap german", True, """Faktura;Fakturaart;Fakturadatum;Auftraggeber;Name 1;Nettowert;Steuerbetrag;Belegwährung
F1;F2;15.01.2025;C1;Dupont SARL;110,00;22,00;EUR
F2;F2;28.01.2025;C2;Martin SAS;1.200,00;240,00;EUR
F3;F2;03.02.2025;C1;Dupont SARL;150,05;15,50;EUR
F4;F2;28.02.2025;C2;Martin SAS;1.020,00;102,00;EUR
""", "numero type date code_client client.raison_sociale total_ht total_tva devise"),
    Shape("sap english lines", True, """Billing Document;Item;Billing Date;Sold-to Party;Name of sold-to party;Material;Description;Billed Quantity;Sales Unit;Net value;Tax amount;Document Currency
F1;1;01/15/2025;C1;Dupont SARL;VIS;Vis inox;2.00;U;100.00;20.00;EUR
F1;2;01/15/2025;C1;Dupont SARL;CLOU;Clou;1.00;U;10.00;2.00;EUR
F2;1;01/28/2025;C2;Martin SAS;VIS;Vis inox;24.00;U;1,200.00;240.00;EUR
F3;1;02/03/2025;C1;Dupont SARL;LIV;Livre relié;3.00;U;100.05;5.50;EUR
F3;2;02/03/2025;C1;Dupont SARL;VIS;Vis inox;1.00;U;50.00;10.00;EUR
F4;1;02/28/2025;C2;Martin SAS;POSE;Pose;10.00;H;1,020.00;102.00;EUR
""", "numero - date code_client client.raison_sociale ligne.article ligne.designation ligne.quantite ligne.unite ligne.total_ht - devise"),
    Shape("bc french", True, """N°;N° donneur d'ordre;Nom du donneur d'ordre;Date comptabilisation;Date d'échéance;Code devise;Montant;Montant TTC;Montant restant;Fermé
F1;C1;Dupont SARL;15/01/2025;14/02/2025;;110,00;132,00;132,00;Non
F2;C2;Martin SAS;28/01/2025;27/02/2025;;1 200,00;1 440,00;1 440,00;Non
F3;C1;Dupont SARL;03/02/2025;05/03/2025;;150,05;165,55;165,55;Non
F4;C2;Martin SAS;28/02/2025;30/03/2025;;1 020,00;1 122,00;1 122,00;Non
""", "numero code_client client.raison_sociale date echeance devise total_ht total_ttc - -"),
    Shape("jde", True, """Document Number,Doc Ty,Invoice Date,Due Date,Address Number,Alpha Name,Gross Amount,Taxable Amount,Tax Amount,Currency Code
F1,RI,01/15/2025,02/14/2025,C1,Dupont SARL,132.00,110.00,22.00,EUR
F2,RI,01/28/2025,02/27/2025,C2,Martin SAS,"1,440.00","1,200.00",240.00,EUR
F3,RI,02/03/2025,03/05/2025,C1,Dupont SARL,165.55,150.05,15.50,EUR
F4,RI,02/28/2025,03/30/2025,C2,Martin SAS,"1,122.00","1,020.00",102.00,EUR
""", "numero type date echeance code_client client.raison_sociale total_ttc total_ht total_tva devise"),
    Shape("german lines", True, """Rechnungs-Nr.;Datum;Kunde;Pos.;Artikelnr.;Bezeichnung;Menge;Einheit;Einzelpreis;Rabatt %;Gesamtpreis netto;USt %
F1;15.01.2025;Dupont SARL;1;VIS;Vis inox;2,00;U;50,00;0,00;100,00;20
F1;15.01.2025;Dupont SARL;2;CLOU;Clou;1,00;U;10,00;0,00;10,00;20
F2;28.01.2025;Martin SAS;1;VIS;Vis inox;24,00;U;50,00;0,00;1.200,00;20
F3;03.02.2025;Dupont SARL;1;LIV;Livre relié;3,00;U;33,35;0,00;100,05;5.5
F3;03.02.2025;Dupont SARL;2;VIS;Vis inox;1,00;U;50,00;0,00;50,00;20
F4;28.02.2025;Martin SAS;1;POSE;Pose;10,00;H;102,00;0,00;1.020,00;10
""", "numero date client.raison_sociale - ligne.article ligne.designation ligne.quantite ligne.unite ligne.prix_unitaire_ht ligne.remise ligne.total_ht ligne.taux_tva"),
    Shape("spanish holded", True, """Número;Fecha;Vencimiento;Cliente;Descripción;Subtotal;IVA;Total;Pagado;Pendiente
F1;15/01/2025;14/02/2025;Dupont SARL;Venta;110,00;22,00;132,00;132,00;0,00
F2;28/01/2025;27/02/2025;Martin SAS;Venta;1.200,00;240,00;1.440,00;1.440,00;0,00
F3;03/02/2025;05/03/2025;Dupont SARL;Venta;150,05;15,50;165,55;165,55;0,00
F4;28/02/2025;30/03/2025;Martin SAS;Venta;1.020,00;102,00;1.122,00;1.122,00;0,00
""", "numero date echeance client.raison_sociale ligne.designation total_ht total_tva total_ttc deja_paye -"),
    Shape("spanish lines", True, """Factura;Fecha;Cliente;Concepto;Cantidad;Precio;% IVA;Importe
F1;15/01/2025;Dupont SARL;Vis inox;2,00;50,00;20;100,00
F1;15/01/2025;Dupont SARL;Clou;1,00;10,00;20;10,00
F2;28/01/2025;Martin SAS;Vis inox;24,00;50,00;20;1200,00
F3;03/02/2025;Dupont SARL;Livre relié;3,00;33,35;5.5;100,05
F3;03/02/2025;Dupont SARL;Vis inox;1,00;50,00;20;50,00
F4;28/02/2025;Martin SAS;Pose;10,00;102,00;10;1020,00
""", "numero date client.raison_sociale ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht"),
    Shape("dutch heads", True, """Factuurnummer;Factuurdatum;Vervaldatum;Klant;Bedrag excl. BTW;BTW-bedrag;Bedrag incl. BTW;Status
F1;15-01-2025;14-02-2025;Dupont SARL;110,00;22,00;132,00;Betaald
F2;28-01-2025;27-02-2025;Martin SAS;1.200,00;240,00;1.440,00;Betaald
F3;03-02-2025;05-03-2025;Dupont SARL;150,05;15,50;165,55;Betaald
F4;28-02-2025;30-03-2025;Martin SAS;1.020,00;102,00;1.122,00;Betaald
""", "numero date echeance client.raison_sociale total_ht total_tva total_ttc -"),
    Shape("dutch lines", True, """Factuurnummer;Datum;Debiteur;Omschrijving;Aantal;Prijs;Btw %;Bedrag
F1;15-01-2025;Dupont SARL;Vis inox;2,00;50,00;20;100,00
F1;15-01-2025;Dupont SARL;Clou;1,00;10,00;20;10,00
F2;28-01-2025;Martin SAS;Vis inox;24,00;50,00;20;1.200,00
F3;03-02-2025;Dupont SARL;Livre relié;3,00;33,35;5.5;100,05
F3;03-02-2025;Dupont SARL;Vis inox;1,00;50,00;20;50,00
F4;28-02-2025;Martin SAS;Pose;10,00;102,00;10;1.020,00
""", "numero date client.raison_sociale ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht"),
    Shape("italian lines", True, """N. fattura;Data fattura;Cliente;Codice;Descrizione;Quantità;Prezzo unitario;Aliquota IVA;Importo netto
F1;15/01/2025;Dupont SARL;VIS;Vis inox;2,00;50,00;20 %;100,00
F1;15/01/2025;Dupont SARL;CLOU;Clou;1,00;10,00;20 %;10,00
F2;28/01/2025;Martin SAS;VIS;Vis inox;24,00;50,00;20 %;1200,00
F3;03/02/2025;Dupont SARL;LIV;Livre relié;3,00;33,35;5,5 %;100,05
F3;03/02/2025;Dupont SARL;VIS;Vis inox;1,00;50,00;20 %;50,00
F4;28/02/2025;Martin SAS;POSE;Pose;10,00;102,00;10 %;1020,00
""", "numero date client.raison_sociale ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht"),
    Shape("portuguese", True, """Nº Fatura;Data;Vencimento;Cliente;Valor líquido;IVA;Total;Estado
F1;15/01/2025;14/02/2025;Dupont SARL;110,00;22,00;132,00;Paga
F2;28/01/2025;27/02/2025;Martin SAS;1200,00;240,00;1440,00;Paga
F3;03/02/2025;05/03/2025;Dupont SARL;150,05;15,50;165,55;Paga
F4;28/02/2025;30/03/2025;Martin SAS;1020,00;102,00;1122,00;Paga
""", "numero date echeance client.raison_sociale total_ht total_tva total_ttc -"),
    Shape("two rows by rate", True, """;;;Taux 20 %;;Taux 10 %;;Taux 5,5 %;;
N°;Date;Client;Base HT;TVA;Base HT;TVA;Base HT;TVA;Total TTC
F1;15/01/2025;Dupont SARL;110,00;22,00;0,00;0,00;0,00;0,00;132,00
F2;28/01/2025;Martin SAS;1200,00;240,00;0,00;0,00;0,00;0,00;1440,00
F3;03/02/2025;Dupont SARL;50,00;10,00;0,00;0,00;100,05;5,50;165,55
F4;28/02/2025;Martin SAS;0,00;0,00;1020,00;102,00;0,00;0,00;1122,00
""", "numero date client.raison_sociale total_ht total_tva total_ht total_tva total_ht total_tva total_ttc"),
    Shape("harvest", True, """Issue Date,Last Payment Date,ID,PO Number,Client,Subject,Invoice Amount,Paid Amount,Balance,Subtotal,Discount,Tax,Tax2,Currency,Currency Symbol,Document Type
2025-01-15,2025-03-11,F1,CMD-1,Dupont SARL,Work,"132,0","132,0","0,0","110,0","0,0","22,0","0,0",Euro - EUR,€,Invoice
2025-01-28,2025-03-12,F2,CMD-2,Martin SAS,Work,"1 440,0","1 440,0","0,0","1 200,0","0,0","240,0","0,0",Euro - EUR,€,Invoice
2025-02-03,2025-03-13,F3,CMD-3,Dupont SARL,Work,"165,55","165,55","0,0","150,05","0,0","15,5","0,0",Euro - EUR,€,Invoice
2025-02-28,2025-03-14,F4,CMD-4,Martin SAS,Work,"1 122,0","1 122,0","0,0","1 020,0","0,0","102,0","0,0",Euro - EUR,€,Invoice
""", "date - numero reference client.raison_sociale - total_ttc deja_paye - total_ht - total_tva - devise - type"),
    Shape("square dollars", True, """Invoice Date,Invoice ID,Customer Name,Customer Email,Invoice Title,Status,Subtotal,Tax,Total,Amount Paid
Jan 15 2025,F1,Dupont SARL,a@dupont.example,Sale,Paid,$110.00,$22.00,$132.00,$132.00
Jan 28 2025,F2,Martin SAS,b@martin.example,Sale,Paid,"$1,200.00",$240.00,"$1,440.00","$1,440.00"
Feb 03 2025,F3,Dupont SARL,a@dupont.example,Sale,Paid,$150.05,$15.50,$165.55,$165.55
Feb 28 2025,F4,Martin SAS,b@martin.example,Sale,Paid,"$1,020.00",$102.00,"$1,122.00","$1,122.00"
""", "date numero client.raison_sociale client.email - - total_ht total_tva total_ttc deja_paye"),
    Shape("subtotals", True, """Pièce;Date;Compte tiers;Intitulé;Réf. article;Désignation;Qté facturée;P.U. HT;Taux taxe;Montant HT net
F1;15/01/2025;C1;Dupont SARL;VIS;Vis inox;2,00;50,00;20,00;100,00
F1;15/01/2025;C1;Dupont SARL;CLOU;Clou;1,00;10,00;20,00;10,00
Sous-total F1;;;;;;;;;110,00
F2;28/01/2025;C2;Martin SAS;VIS;Vis inox;24,00;50,00;20,00;1 200,00
Sous-total F2;;;;;;;;;1 200,00
F3;03/02/2025;C1;Dupont SARL;LIV;Livre relié;3,00;33,35;5,50;100,05
F3;03/02/2025;C1;Dupont SARL;VIS;Vis inox;1,00;50,00;20,00;50,00
Sous-total F3;;;;;;;;;150,05
F4;28/02/2025;C2;Martin SAS;POSE;Pose;10,00;102,00;10,00;1 020,00
Sous-total F4;;;;;;;;;1 020,00
TOTAL GÉNÉRAL;;;;;;;;;2 480,05
""", "numero date code_client client.raison_sociale ligne.article ligne.designation ligne.quantite ligne.prix_unitaire_ht ligne.taux_tva ligne.total_ht"),
)  # fmt: skip
