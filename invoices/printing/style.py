"""How a company's invoices look and which standing mentions they bear: one frozen value, without a database."""

import io
import math
import re
import warnings
from dataclasses import dataclass
from hashlib import sha256
from xml.etree import ElementTree

from PIL import Image, UnidentifiedImageError

from invoices.printing.layouts import DEFAULT_TEMPLATE, TEMPLATES

# A logo is shown at most 55 mm wide and 22 mm high: this is 300 dots per inch.
LOGO_PIXELS = (650, 260)
LOGO_BYTES = 5_000_000
LOGO_PIXELS_READ = 40_000_000
# What would bring another file, a font, a script or a transparency into the page.
SVG_REFUSED = frozenset(
    {"image", "text", "style", "script", "foreignObject", "filter", "mask", "feImage", "use", "a", "animate", "set"}
)
# Drawing calls itself for each level.
SVG_DEPTH = 100
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")


class LogoError(ValueError):
    """The file cannot be printed as a logo; the message is one French sentence."""


class UnknownTemplateError(ValueError):
    """There is no template of this name; the message is one French sentence."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Le modèle de facture « {name} » n’existe pas : choisissez {', '.join(TEMPLATES)}.")


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that is safe to print: PNG without transparency, or SVG made of shapes only (see :func:`read_logo`)."""

    data: bytes
    mime: str

    @property
    def url(self) -> str:
        """The address under which the page asks for it; the same picture always has the same."""
        return f"logo:{sha256(self.data).hexdigest()}"


_TOO_MANY_PIXELS = "Le logo a trop de points : réduisez l’image."


def read_logo(data: bytes) -> Logo:
    """The logo in an uploaded PNG, JPEG, GIF, WebP or SVG file, made fit for printing.

    A raster picture is laid on white (no transparency, which archive readers dislike), reduced to 300 dots per inch
    of its place on the page, and stripped of everything that is not pixels. Raises :class:`LogoError`.
    """
    if len(data) > LOGO_BYTES:
        raise LogoError("Le logo dépasse 5 Mo : choisissez une image plus légère.")
    if data.lstrip()[:1] == b"<":
        return _read_svg(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP"))
            if picture.width * picture.height > LOGO_PIXELS_READ:
                raise LogoError(_TOO_MANY_PIXELS)
            picture.thumbnail(LOGO_PIXELS, Image.Resampling.LANCZOS)
            rgba = picture.convert("RGBA")
    except LogoError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise LogoError(_TOO_MANY_PIXELS) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise LogoError("Le logo n’est pas une image PNG, JPEG, GIF, WebP ou SVG lisible.") from error
    page = Image.new("RGB", rgba.size, "white")
    page.paste(rgba, mask=rgba.getchannel("A"))
    out = io.BytesIO()
    page.save(out, format="PNG", optimize=True)
    return Logo(out.getvalue(), "image/png")


def _read_svg(data: bytes) -> Logo:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise LogoError("Le logo SVG contient une déclaration DOCTYPE : enregistrez-le en SVG simple.")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - no declarations, so no entities
    except (ElementTree.ParseError, ValueError) as error:
        raise LogoError("Le logo SVG n’est pas un document lisible.") from error
    if _depth(root) > SVG_DEPTH:
        raise LogoError("Le logo SVG a trop de groupes les uns dans les autres : simplifiez-le.")
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if name in SVG_REFUSED:
            raise LogoError(f"Le logo SVG contient un élément « {name} » : vectorisez-le en formes simples.")
        for key, value in element.attrib.items():
            attribute = key.rpartition("}")[2]
            if attribute.startswith("on") or attribute == "href" or "url(" in value.replace("url(#", ""):
                raise LogoError("Le logo SVG renvoie à une autre ressource : enregistrez-le en un seul fichier.")
            if "device-cmyk" in value.lower():  # the file's one output intent is sRGB
                raise LogoError("Le logo SVG est en couleurs d’imprimerie (CMJN) : enregistrez-le en RVB.")
            if "\\" in value:  # an escape of CSS could hide what is refused above
                raise LogoError("Le logo SVG contient un caractère « \\ » : enregistrez-le en SVG simple.")
        if (box := element.get("viewBox")) is not None and not _is_view_box(box):
            raise LogoError(
                "Le logo SVG a un cadre (viewBox) qui n’est pas de quatre nombres : enregistrez-le à nouveau."
            )
    if root.tag.rpartition("}")[2] != "svg" or not (root.get("viewBox") or (root.get("width") and root.get("height"))):
        raise LogoError("Le logo SVG n’indique pas ses dimensions.")
    return Logo(ElementTree.tostring(root), "image/svg+xml")


def _depth(root: ElementTree.Element) -> int:
    """How many elements lie one within another, without calling itself for each."""
    depth, level = 0, [root]
    while level and depth <= SVG_DEPTH:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


def _is_view_box(text: str) -> bool:
    """True where ``text`` is four finite numbers, the last two of them more than zero (SVG 2, 8.6)."""
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        return False
    return len(numbers) == 4 and all(map(math.isfinite, numbers)) and numbers[2] > 0 and numbers[3] > 0


@dataclass(frozen=True, slots=True)
class PrintStyle:
    """What *Paramétrage société* says of the printed invoice, and what depends on the kind of customer.

    Everything has a default, so that ``PrintStyle()`` prints the invoice's own content and nothing else.
    The content's own notes (PMT, PMD, AAB, REG, ABL) and payment instructions come before these texts.
    """

    template: str = DEFAULT_TEMPLATE
    colour: str = "#1f3d5c"  # "#rrggbb"; for the title, the amount to pay and some hairlines
    logo: Logo | None = None  # from read_logo()
    # Lines at the foot of every page: legal form, capital, RCS and town, seat, "EI", "membre d'un assujetti unique"…
    legal_mentions: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()  # telephone, address, site: one line more at the foot
    # True for a professional customer or a public body: the four terms below are obligatory for them alone
    # (C. com. L441-9, L441-10, D441-5), and the recovery fee is forbidden to individuals.
    is_professional: bool = True
    late_penalty: str = ""  # rate of the late penalties
    early_discount: str = ""  # terms of the discount, or that there is none
    recovery_fee: str = ""  # the fixed 40 € fee; never printed for an individual
    payment_terms: str = ""  # printed when the invoice has none of its own (BT-20)
    # The mentions new with the reform, printed from the company's issuing date on (CGI ann. II 242 nonies A).
    has_reform_mentions: bool = False
    vat_on_debits: bool = False  # « Option pour le paiement de la taxe d'après les débits »
    other_mentions: tuple[str, ...] = ()  # mediator, guarantee, withdrawal: paragraphs of some trades
    iban: str = ""  # used when the invoice has no account of its own (BT-84)
    bic: str = ""
    account_name: str = ""
    has_transfer_code: bool = False  # QR code of a SEPA transfer (EPC069-12) beside the account

    def __post_init__(self) -> None:
        if self.template not in TEMPLATES:
            raise UnknownTemplateError(self.template)
        if not COLOUR.match(self.colour):
            raise ValueError(f"not a colour #rrggbb: {self.colour!r}")
