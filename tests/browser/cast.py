"""The customer whom the browser tests look at: enough of everything that a page can show."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from customers.models import Account
from invoices.models import Company, Invoice, InvoiceLine
from tests.support.factories import freeze, make_account, make_company, make_customer, make_published_invoice

LOGIN = "compta@boulangerie-martin.example"


@dataclass(frozen=True, slots=True)
class Scene:
    """An account of two customers, its invoices of three years, and the one that is opened."""

    company: Company
    account: Account
    invoice: Invoice


def set_scene() -> Scene:
    """Write the scene: fourteen invoices, a credit note on one of them, an earlier version of another."""
    company = make_company(
        name="Aquila Fournitures", phone="04 72 00 00 00", colour="#0b6e4f", payment_terms="30 jours"
    )
    bakery = make_customer(code="000008", name="Boulangerie Martin SARL", email=LOGIN, siren="443061841")
    shop = make_customer(code="000031", name="Épicerie du Marché", city="Villeurbanne", postcode="69100")
    account = make_account(bakery, shop, name="Nathalie Martin")
    opened = None
    for place, (day, net) in enumerate(
        [
            (date(2025, 6, 7), "1028.70"),
            (date(2025, 6, 2), "86.40"),
            (date(2025, 5, 19), "412.00"),
            (date(2025, 5, 5), "1290.10"),
            (date(2025, 3, 28), "54.90"),
            (date(2025, 1, 15), "230.00"),
            (date(2024, 11, 20), "640.00"),
            (date(2024, 9, 3), "77.77"),
            (date(2024, 2, 29), "18.30"),
            (date(2023, 12, 12), "999.99"),
            (date(2022, 6, 7), "10.28"),
        ]
    ):
        invoice = make_published_invoice(
            customer=shop if place in (1, 4) else bakery,
            number=f"{18000148 - place}",
            issue_date=day,
            due_date=day + timedelta(days=30),
            total_without_vat=net,
            purchase_order_reference=f"CMD-{place:04}" if place % 3 == 0 else "",
        )
        opened = opened or invoice
    assert opened is not None
    opened.lines.all().delete()
    for position, (name, quantity, price) in enumerate(
        [
            ("Farine de blé T65, sac de 25 kg", "20", "18.90"),
            ("Levure de boulanger déshydratée, lot de douze sachets de 500 g", "12", "31.25"),
            ("Sacs à pain en papier kraft, imprimés à votre enseigne", "1500", "0.1838"),
        ],
        1,
    ):
        InvoiceLine.objects.create(
            invoice=opened,
            position=position,
            identifier=str(position),
            item_code=f"REF-{position:03}",
            name=name,
            quantity=Decimal(quantity),
            unit="H87",
            net_price=Decimal(price),
            vat_category="S",
            vat_rate=Decimal(20),
            net_amount=(Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01")),
        )
    freeze(opened, b"%PDF-1.7\n% corrected\n%%EOF\n")
    make_published_invoice(
        customer=bakery,
        number="A-18000149",
        kind=Invoice.Kind.CREDIT_NOTE,
        type_code="381",
        issue_date=date(2025, 6, 12),
        due_date=None,
        total_without_vat="41.20",
        corrects=opened,
    )
    return Scene(company, account, opened)
