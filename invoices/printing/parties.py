"""Seller and buyer as blocks of lines: name, address, identifiers."""

from invoices.cldr import language_in_use, translate
from invoices.en16931.countries import country_name
from invoices.en16931.model import SIREN_SCHEME, SIRET_SCHEME, Address, InvoiceContent, Party
from invoices.printing.fonts import wrap
from invoices.printing.layouts import POINTS_PER_MM, Layout

NO_BREAK = "\N{NO-BREAK SPACE}"


def grouped_siren(siren: str) -> str:
    """« 123 456 789 », « 123 456 789 00012 »; anything else as it is."""
    if not (siren.isascii() and siren.isdigit() and len(siren) in (9, 14)):
        return siren
    return NO_BREAK.join(part for part in (siren[:3], siren[3:6], siren[6:9], siren[9:]) if part)


def address_lines(address: Address, content: InvoiceContent) -> list[str]:
    """The lines of an address; the country is named as soon as the invoice crosses a border."""
    lines = postal_lines(address)
    countries = {party.address.country for party in (content.seller, content.buyer) if party.address} | {
        address.country,
        "FR",
    }
    if address.country and len(countries - {""}) > 1:
        lines.append(country_name(address.country, language_in_use()))
    return lines


def postal_lines(address: Address) -> list[str]:
    """The lines of an address without its country."""
    lines = [line for line in (address.line1, address.line2, address.line3) if line]
    town = " ".join(part for part in (address.postcode, address.city) if part)
    if address.subdivision:
        town = f"{town} ({address.subdivision})" if town else address.subdivision
    return [*lines, town] if town else lines


def party_lines(party: Party, content: InvoiceContent, layout: Layout, *, is_seller: bool) -> tuple[str, str]:
    """The name and the other lines of a party, each broken for its column."""
    room = (layout.seller_width if is_seller else layout.buyer_width) * POINTS_PER_MM
    lines = []
    if party.trading_name and party.trading_name != party.name:
        lines.append(party.trading_name)
    if party.contact and party.contact.name and not is_seller:
        lines.append(translate("À l’attention de %(name)s") % {"name": party.contact.name})
    if party.address:
        lines += address_lines(party.address, content)
    lines += identifier_lines(party, is_seller=is_seller)
    if is_seller:
        if party.contact:
            contact = party.contact
            name = "" if contact.name == party.name else contact.name
            lines += [text for text in (name, contact.phone, contact.email) if text]
        if representative := content.tax_representative:
            lines.append(translate("Représentant fiscal : %(name)s") % {"name": representative.name})
            lines += address_lines(representative.address, content) if representative.address else []
            lines += identifier_lines(representative, is_seller=True)
    name = party.name or party.trading_name
    return (
        "\n".join(wrap(name, room, layout.party, bold=True)),
        "\n".join(wrap("\n".join(lines), room, layout.text)),
    )


def identifier_lines(party: Party, *, is_seller: bool) -> list[str]:
    """SIREN (or SIRET where it is alone), VAT number, customer's code."""
    lines = []
    siret = next((item.value for item in party.identifiers if item.scheme == SIRET_SCHEME), "")
    legal = party.legal_identifier
    if legal and legal.value:
        if legal.scheme == SIREN_SCHEME:
            lines.append(f"SIREN {grouped_siren(legal.value)}")
        elif legal.scheme == SIRET_SCHEME:
            lines.append(f"SIRET {grouped_siren(legal.value)}")
        else:
            lines.append(f"{translate('Immatriculation')} {legal.value}")
    elif siret:
        lines.append(f"SIRET {grouped_siren(siret)}")
    if party.vat_identifier:
        lines.append(translate("N°\u00a0TVA %(number)s") % {"number": party.vat_identifier})
    elif party.tax_registration and not (legal and legal.value == party.tax_registration):
        lines.append(translate("N°\u00a0fiscal %(number)s") % {"number": party.tax_registration})
    if not is_seller:
        lines += [
            f"{translate('Code client')} {item.value}" for item in party.identifiers if not item.scheme and item.value
        ]
    return lines
