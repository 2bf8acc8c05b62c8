"""The style that the tests print in, with a logo, and the moment at which they print."""

import dataclasses
import datetime
import io

from PIL import Image

from invoices.en16931.model import InvoiceContent
from invoices.printing import PrintStyle, read_logo
from tests.support import invoice_samples as samples

CREATED = datetime.datetime(2022, 6, 7, 10, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))


def picture() -> bytes:
    """A small logo with transparency."""
    image = Image.new("RGBA", (300, 100), (200, 30, 30, 0))
    image.paste((31, 61, 92, 255), (10, 10, 90, 90))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


STYLE = PrintStyle(
    logo=read_logo(picture()),
    legal_mentions=("SAS au capital de 120 000 € – RCS Grenoble 552 081 317",),
    late_penalty="Pénalités de retard au taux légal triplé.",
    early_discount="Escompte : néant.",
    recovery_fee="Indemnité forfaitaire de recouvrement : 40 €.",
    payment_terms="Paiement à 30 jours.",
    has_reform_mentions=True,
    has_transfer_code=True,
)


def style_for(content: InvoiceContent, **more: object) -> PrintStyle:
    """STYLE, for the kind of customer of ``content``."""
    return dataclasses.replace(STYLE, is_professional=content.buyer != samples.PERSON, **more)  # type: ignore[arg-type]
