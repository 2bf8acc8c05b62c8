"""Words of column names in German, Spanish, Italian, Dutch, Portuguese and Polish; German and Dutch compounds apart.

The notions are those of :mod:`.names`. Words that mean something else in French or English are left out.
"""

import functools
from collections.abc import Iterable
from typing import Final

NOTIONS: Final = """
invoice: rechnung rechnungs rechn faktura faktur beleg facturas fatture fattura fatt factuur faktuur fatura faturas
line: zeile riga righe linea lineas regel linha
product: artikel produkt material leistung artigo articulo producto prodotto articolo produto servicio servizio
product: tarefa task tache mission
customer: kunde kunden kd auftraggeber debitor empfanger regulierer cliente clienti clientes klant klanten relatie
customer: debiteuren afnemer contacto
delivery: liefer lieferung leistungs entrega consegna levering
order: auftrags bestellung bestell bestel pedido ordine encomenda auftrag
quote: angebot offerte preventivo presupuesto orcamento lieferschein albaran
number: nummer nro numer
code: kennung codigo codice
ref: zeichen referenz riferimento referencia referentie kenmerk
date: fecha data tag tage datums
emission: ausstellung emision emissione ausgestellt
due: zahlbar fallig falligkeit falligkeits vencimiento vence vencimento scadenza verval vervaldag
created: erstellt erstellungs creado aangemaakt
payment: zahlung zahlungs pago pagos pagamento betaling bezahl zahl
name: namen nombre naam denominazione nome
legal: ragione razon
company: firma firmen empresa ditta bedrijf bedrijfs
label: bezeichnung beschreibung kurztext descripcion concepto descrizione causale omschrijving descricao
phone: telefon telefono telefone telefoon handy
street: strasse anschrift direccion indirizzo adres straat calle morada
zip: plz postleitzahl cap
city: ort stadt ciudad poblacion citta comune plaats woonplaats cidade
country: land paese nazione
state: provincia bundesland kanton
vat: mwst ust umsatzsteuer mehrwertsteuer steuer iva btw
rate: satz tarief aliquota
percent: prozent
net: netto nettowert excl exkl imponible neto liquido
gross: brutto lordo bruto inkl incl
base: tributavel
amount: betrag summe gesamt wert totale totali importe importo bedrag valor totaal cuota umsatz endbetrag
quantity: unidades qta menge anzahl stuck stueck cantidad quantita aantal hoeveelheid quantidade
price: preis precio prezzo prijs preco
unitary: einzel einheit unidad unitario unita eenheid stuks unidade stuk
discount: rabatt descuento sconto korting desconto nachlass
currency: wahrung waehrung moneda valuta divisa moeda
paid: bezahlt pagado pagato betaald gezahlt erhalten pagata
balance: offen offener pendiente openstaand residuo saldo
fee: versand versandkosten portes
status: estado stato zustand
note: bemerkung notiz anmerkung observaciones opmerking opmerkingen osservazioni
kind: soort tipologia belegart
agent: vertreter vendedor bearbeiter verkoper agente
mode: forma wijze
order_line: pos position positie posizione
corrected: storno
customer: nabywca nabywcy klient klienta kontrahent mitglied mitglieds
number: numer
date: data
emission: wystawienia
delivery: sprzedazy
due: termin
mode: sposob
label: nazwa opis
quantity: ilosc
unitary: jednostkowa jedn jm
price: cena
amount: wartosc kwota razem suma
vat: podatek podatku
rate: stawka
currency: waluta
city: miasto miejscowosc
street: ulica
zip: kod
"""
_ALSO_ENGLISH: Final = (
    "termin razem material task tache mission tag data land cap excl incl forma pos position handy liquido"
)
_FRENCH: Final = "ht ttc tva facture factures numero piece montant echeance quantite qte taux prix libelle remise"
_DAY_FIRST: Final = frozenset(
    word for line in (*NOTIONS.strip().splitlines(), f"french: {_FRENCH}") for word in line.partition(": ")[2].split()
) - frozenset(_ALSO_ENGLISH.split())


def writes_day_first(words: Iterable[str]) -> bool:
    """Whether any of ``words``, of names of columns, is of a language that writes the day before the month."""
    return not _DAY_FIRST.isdisjoint(words)


_COMPOUNDED: Final = """
mitglieds rechnungs rechnung faktura fakturen faktur beleg kunden kunde auftrags auftrag bestellungs bestellung bestell
artikel produkt positions position nummer nr datum falligkeits falligkeit fallig zahlungs zahlung leistungs
liefer lieferungs name namen firmen firma adresse anschrift strasse ort land netto brutto mwst ust mehrwertsteuer
umsatzsteuer steuer satz betrag summe gesamt preis einzel stuck menge einheit rabatt wahrung waehrung bezeichnung
beschreibung text wert id end factuur facturen klant klanten relatie debiteuren debiteur naam code verval bedrag
inv invoice number num cust customer account acct order doc document item unit price amount total tax due code date
qty quantity
totaal subtotaal btw aantal prijs eenheid stuks korting adres straat bestel product omschrijving regel bedrijfs
tarief
"""
_PARTS: Final = frozenset(_COMPOUNDED.split())
_LONGEST_FIRST: Final = tuple(sorted(_PARTS, key=len, reverse=True))
_SHORTEST: Final = 6


@functools.lru_cache(maxsize=4096)
def words_in(word: str) -> tuple[str, ...]:
    """The words of which a compound is made («rechnungsnummer»: rechnungs, nummer); itself where it is none."""
    if len(word) < _SHORTEST or word in _PARTS:
        return (word,)
    return _taken_apart(word) or (word,)


def _taken_apart(word: str) -> tuple[str, ...]:
    if not word:
        return ()
    for part in _LONGEST_FIRST:
        if word == part:
            return (part,)
        if word.startswith(part) and (rest := _taken_apart(word[len(part) :])):
            return (part, *rest)
    return ()
