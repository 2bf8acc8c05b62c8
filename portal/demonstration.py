"""The company of the demonstration: an issuer that does not exist, complete enough to show everything."""

import datetime
import secrets
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile

from invoices.models import Company, Platform

SIREN = "999999998"  # passes the check, and is nobody's
_LOGO = Path(settings.BASE_DIR) / "demo" / "logo.svg"


def create_demo_company() -> Company:
    """The demonstration's company, made the first time and found again afterwards."""
    company, is_new = Company.objects.get_or_create(
        siren=SIREN,
        defaults={
            "name": "Harmonie Disques",
            "siret": f"{SIREN}00019",
            "vat_identifier": f"FR11{SIREN}",
            "legal_form": "SAS",
            "share_capital": "50 000 €",
            "trade_register": "RCS Lyon 999 999 998",
            "address": "12 montée de la Grande-Côte",
            "postcode": "69001",
            "city": "Lyon",
            "publication_director": "Camille Rameau",
            "hosting": "Harmonie Disques, 12 montée de la Grande-Côte, 69001 Lyon, 04 99 99 00 00",
            "email": "comptabilite@harmonie-disques.example",
            "phone": "04 99 99 00 00",
            "website": "https://www.harmonie-disques.example",
            "colour": "#7a1f3d",
            "iban": "FR7630006000011234567890189",
            "bic": "AGRIFRPP",
            "account_holder": "Harmonie Disques",
            "payment_terms": "Paiement à 30 jours date de facture, par virement.",
            "payment_delay_days": 30,
            "operations": Company.Operations.GOODS,
            "einvoice_from": datetime.date(2027, 9, 1),
            "sender_name": "Harmonie Disques – comptabilité",
            "sender_email": "comptabilite@harmonie-disques.example",
            "reply_to": "comptabilite@harmonie-disques.example",
        },
    )
    if is_new:
        company.logo.save("harmonie-disques.svg", ContentFile(_LOGO.read_bytes()))
    return company


def connect_demo_platform(company: Company) -> Platform:
    """The simulated platform of ``make run``, connected to ``company`` the first time; it calls back."""
    address = "http://127.0.0.1:8642"
    platform = Platform.objects.filter(name="Plateforme simulée").first()
    if platform is not None:
        if not platform.callback_secret:  # of a demonstration that was loaded before callbacks
            _let_call_back(platform)
            platform.save()
        return platform
    platform = Platform(
        name="Plateforme simulée",
        flow_url=f"{address}/afnor-flow",
        directory_url=f"{address}/afnor-directory",
        token_url=f"{address}/oauth2/token",
        client_id="portail",
        settle_seconds=1,
    )
    platform.set_client_secret("simulation")
    _let_call_back(platform)
    platform.save()
    company.platform, company.platform_name = platform, platform.name
    company.einvoice_from = datetime.date(2026, 9, 1)
    company.save(update_fields=["platform", "platform_name", "einvoice_from", "updated_at"])
    return platform


def _let_call_back(platform: Platform) -> None:
    platform.signature = Platform.Signature.STANDARD
    platform.set_callback_secret(secrets.token_urlsafe(24))
