"""The companies of the demonstration: issuers that do not exist, complete enough to show everything."""

import datetime
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils.text import slugify

from invoices.models import Company, Platform

SIREN = "999999998"  # passes the check, and is not assigned
MERCHANT_SIREN = "999997620"
_DEMO = Path(settings.BASE_DIR) / "demo"

# What both have: the same bank's example, and thirty days.
_COMMON: dict[str, Any] = {
    "iban": "FR7630006000011234567890189",
    "bic": "AGRIFRPP",
    "payment_delay_days": 30,
    "einvoice_from": datetime.date(2027, 9, 1),
}
_MUSIC_SHOP: dict[str, Any] = {
    **_COMMON,
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
    "account_holder": "Harmonie Disques",
    "payment_terms": "Paiement à 30 jours date de facture, par virement.",
    "operations": Company.Operations.GOODS,
    "sender_name": "Harmonie Disques – comptabilité",
    "sender_email": "comptabilite@harmonie-disques.example",
    "reply_to": "comptabilite@harmonie-disques.example",
}
# Building materials: large amounts, long invoices, mixed rates, deposits, reverse charge, public customers.
_MERCHANT: dict[str, Any] = {
    **_COMMON,
    "name": "Comptoir des Matériaux du Forez",
    "siret": f"{MERCHANT_SIREN}00011",
    "vat_identifier": f"FR55{MERCHANT_SIREN}",
    "legal_form": "SA à conseil d’administration",
    "share_capital": "1 250 000 €",
    "trade_register": "RCS Saint-Étienne 999 997 620",
    "address": "ZI de la Plaine, 27 rue des Carriers",
    "postcode": "42600",
    "city": "Montbrison",
    "publication_director": "Hélène Marcoux",
    "hosting": "Comptoir des Matériaux du Forez, 27 rue des Carriers, 42600 Montbrison, 04 99 42 00 00",
    "email": "facturation@materiaux-forez.example",
    "phone": "04 99 42 00 00",
    "website": "https://www.materiaux-forez.example",
    "colour": "#20603d",
    "pdf_template": "modern",
    "account_holder": "Comptoir des Matériaux du Forez",
    "payment_terms": "Paiement par virement à l’échéance, escompte déduit.",
    "operations": Company.Operations.BOTH,
    "sender_name": "Comptoir des Matériaux du Forez – facturation",
    "sender_email": "facturation@materiaux-forez.example",
    "reply_to": "facturation@materiaux-forez.example",
}


def create_demo_company() -> Company:
    """The demonstration's company, made the first time and found again afterwards."""
    return _create(SIREN, _MUSIC_SHOP, logo=_DEMO / "logo.svg", dark_logo=_DEMO / "logo-sombre.svg")


def create_demo_merchant() -> Company:
    """The second company of the demonstration, made the first time and found again afterwards."""
    return _create(MERCHANT_SIREN, _MERCHANT, logo=_DEMO / "logo-negoce.svg")


def _create(siren: str, fields: dict[str, Any], *, logo: Path, dark_logo: Path | None = None) -> Company:
    company, is_new = Company.objects.get_or_create(siren=siren, defaults=fields)
    if is_new:
        company.logo.save(f"{slugify(company.name)}.svg", ContentFile(logo.read_bytes()))
        if dark_logo is not None:
            company.dark_logo.save(f"{slugify(company.name)}-sombre.svg", ContentFile(dark_logo.read_bytes()))
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
