"""From an invoice's content to the bytes of its PDF: PDF/A-3a and PDF/UA-1, with the Factur-X XML where it is given."""

import datetime
import io
import os
import threading
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import weasyprint.pdf
from weasyprint import CSS, HTML, Attachment
from weasyprint.css import ColorProfile

from invoices.cldr import one_language
from invoices.en16931.model import InvoiceContent
from invoices.en16931.profiles import conformance_level
from invoices.printing.actual_text import copied_as_typed
from invoices.printing.fetching import REFUSING, InMemoryFetcher
from invoices.printing.finishing import finish
from invoices.printing.fonts import font_configuration, printable
from invoices.printing.markup import CODE_URL, stylesheets, to_html
from invoices.printing.metadata import XML_NAME, InvoiceMetadata
from invoices.printing.page import Page, compose
from invoices.printing.pictures import known_pictures
from invoices.printing.structure import lean_structure
from invoices.printing.style import PrintStyle
from invoices.printing.weasyprint_cache.switch import document_of, patched

VARIANT = "pdf/a-3a"
# Not "srgb": under that name WeasyPrint opens the profile's file again for each document, and never closes it.
INTENT = "sRGB"

# Pango's font map, shared by all documents, is not made for several threads.
_one_at_a_time = threading.Lock()


def _forget_lock() -> None:
    """A child forked while another thread was rendering must not wait for that thread for ever."""
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)


def render_invoice(
    content: InvoiceContent,
    style: PrintStyle,
    *,
    created: datetime.datetime,
    xml: bytes | None = None,
    identifier: bytes | None = None,
    label: str = "",
) -> bytes:
    """The PDF of an invoice or a credit note. The same arguments give the same bytes, in any process.

    ``created`` (aware) is written as the time of the file and of its attachment. ``xml`` is attached as
    ``factur-x.xml`` with relationship Alternative, and makes the file a Factur-X of the profile ``content.profile``
    (EN 16931 where it names no other). ``identifier`` is the permanent part of the file's ID; by default it is made
    from what is printed. ``label`` is a word printed under the title, such as « Copie ».
    """
    if created.tzinfo is None:
        raise ValueError("created must be aware of its time zone")
    with one_language():
        page = compose(content, style, label=label)
        html = to_html(page, style, seller=content.seller.name)
    metadata = InvoiceMetadata(
        title=printable(page.document_title),
        author=printable(content.seller.name),
        subject=printable(f"{page.document_title} – {content.buyer.name}"),
        created=created,
        level=None if xml is None else conformance_level(content.profile),
    )
    attachments = [] if xml is None else [_attachment(xml, created)]
    if identifier is None:
        identifier = sha256(html.encode() + (xml or b"")).digest()[:16]
    with _one_at_a_time:
        return _to_pdf(html, page, style, metadata, attachments, identifier.hex().encode())


def print_page(html: str, css: str) -> bytes:
    """The PDF of any other page, in the bundled faces; it fetches nothing. ``html`` is a whole document."""
    with _one_at_a_time:
        sheet = CSS(string=css, font_config=font_configuration(), url_fetcher=REFUSING)
        document = HTML(string=html, url_fetcher=REFUSING).render(font_config=font_configuration(), stylesheets=[sheet])
        pdf: bytes = document.write_pdf()
    return pdf


class _FileProfile(ColorProfile):  # type: ignore[misc]
    """A profile that is written as its file is: the library writes it again, the first time otherwise than later."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(io.BytesIO(content), name, "relative-colorimetric", (["r"], ["g"], ["b"]))
        self._content = content

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return self._content


@cache
def _colour_profile() -> ColorProfile:
    """The sRGB profile of the output intent, as WeasyPrint ships it."""
    return _FileProfile((files(weasyprint.pdf) / "sRGB2014.icc").read_bytes(), "sRGB2014.icc")


def _attachment(xml: bytes, created: datetime.datetime) -> Attachment:
    # WeasyPrint writes the times it is given followed by a "Z".
    when = created.astimezone(datetime.UTC)
    return Attachment(
        file_obj=io.BytesIO(xml),
        name=XML_NAME,
        description="Facture électronique Factur-X",
        created=when,
        modified=when,
        relationship="Alternative",
        url_fetcher=REFUSING,
    )


def _to_pdf(
    html: str,
    page: Page,
    style: PrintStyle,
    metadata: InvoiceMetadata,
    attachments: list[Attachment],
    identifier: bytes,
) -> bytes:
    pictures = {}
    if style.logo:
        pictures[style.logo.url] = (style.logo.data, style.logo.mime)
    known: dict[str, Any] = dict(known_pictures(style.logo))
    if page.transfer_code:
        known[CODE_URL] = page.transfer_code
    sheets = stylesheets(html, style, foot_lines=page.foot.count("\n") + 1)
    with copied_as_typed(), lean_structure(), patched():
        document = document_of(html, InMemoryFetcher(pictures)).render(
            stylesheets=sheets,
            cache=known,
            font_config=font_configuration(),
            color_profiles={INTENT: _colour_profile()},
            pdf_variant=VARIANT,
            output_intent=INTENT,
        )
        document.metadata = metadata
        pdf: bytes = document.write_pdf(
            finisher=finish,
            pdf_variant=VARIANT,
            pdf_identifier=identifier,
            output_intent=INTENT,
            attachments=attachments,
        )
    return pdf
