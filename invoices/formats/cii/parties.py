"""The parties in a CII document: seller, buyer and what they share with payee, representative and recipient."""

from lxml import etree

from invoices.en16931.model import Address, ContactPoint, Identifier, Party
from invoices.formats.cii.elements import RAM, add_identifier, add_text


def add_seller(agreement: etree._Element, seller: Party, *, with_vat_identifier: bool) -> None:
    """BG-4: any number of identifiers, those without scheme first, as the schema wants."""
    party = etree.SubElement(agreement, RAM + "SellerTradeParty")
    for identifier in seller.identifiers:
        if not identifier.scheme:
            add_identifier(party, RAM + "ID", identifier)
    for identifier in seller.identifiers:
        if identifier.scheme:
            add_identifier(party, RAM + "GlobalID", identifier)
    add_text(party, RAM + "Name", seller.name)
    add_text(party, RAM + "Description", seller.legal_information)
    _party_details(party, seller)
    if with_vat_identifier:
        add_tax_registration(party, seller.vat_identifier, "VA")
    add_tax_registration(party, seller.tax_registration, "FC")


def add_buyer(agreement: etree._Element, buyer: Party, *, with_vat_identifier: bool) -> None:
    """BG-7: one identifier only (BT-46)."""
    party = etree.SubElement(agreement, RAM + "BuyerTradeParty")
    add_one_identifier(party, buyer.identifiers)
    add_text(party, RAM + "Name", buyer.name)
    _party_details(party, buyer)
    if with_vat_identifier:
        add_tax_registration(party, buyer.vat_identifier, "VA")


def _party_details(element: etree._Element, party: Party) -> None:
    """What seller and buyer have in common, from the legal organisation to the electronic address."""
    _legal_organization(element, party)
    _contact(element, party.contact)
    add_address(element, party.address)
    if party.electronic_address is not None and party.electronic_address.value.strip():
        communication = etree.SubElement(element, RAM + "URIUniversalCommunication")
        add_identifier(communication, RAM + "URIID", party.electronic_address)


def _legal_organization(element: etree._Element, party: Party) -> None:
    """BT-30 and BT-28, BT-47 and BT-45, BT-61."""
    if party.legal_identifier is None and not party.trading_name.strip():
        return
    organization = etree.SubElement(element, RAM + "SpecifiedLegalOrganization")
    add_identifier(organization, RAM + "ID", party.legal_identifier)
    add_text(organization, RAM + "TradingBusinessName", party.trading_name)


def _contact(element: etree._Element, contact: ContactPoint | None) -> None:
    """BG-6, BG-9."""
    if contact is None or not (contact.name.strip() or contact.phone.strip() or contact.email.strip()):
        return
    child = etree.SubElement(element, RAM + "DefinedTradeContact")
    add_text(child, RAM + "PersonName", contact.name)
    if contact.phone.strip():
        phone = etree.SubElement(child, RAM + "TelephoneUniversalCommunication")
        add_text(phone, RAM + "CompleteNumber", contact.phone)
    if contact.email.strip():
        add_text(etree.SubElement(child, RAM + "EmailURIUniversalCommunication"), RAM + "URIID", contact.email)


def add_address(element: etree._Element, address: Address | None) -> None:
    """BG-5, BG-8, BG-12, BG-15."""
    if address is None or address == Address():
        return
    child = etree.SubElement(element, RAM + "PostalTradeAddress")
    add_text(child, RAM + "PostcodeCode", address.postcode)
    add_text(child, RAM + "LineOne", address.line1)
    add_text(child, RAM + "LineTwo", address.line2)
    add_text(child, RAM + "LineThree", address.line3)
    add_text(child, RAM + "CityName", address.city)
    add_text(child, RAM + "CountryID", address.country)
    add_text(child, RAM + "CountrySubDivisionName", address.subdivision)


def add_one_identifier(element: etree._Element, identifiers: tuple[Identifier, ...]) -> None:
    """The single identifier that EN 16931 allows (BT-46, BT-60, BT-71), rather one with a scheme."""
    for identifier in sorted(identifiers, key=lambda each: not each.scheme)[:1]:
        add_identifier(element, RAM + ("GlobalID" if identifier.scheme else "ID"), identifier)


def add_tax_registration(element: etree._Element, number: str, scheme: str) -> None:
    """BT-31, BT-48, BT-63 under scheme VA; BT-32 under scheme FC."""
    if number.strip():
        registration = etree.SubElement(element, RAM + "SpecifiedTaxRegistration")
        add_identifier(registration, RAM + "ID", Identifier(number, scheme))
