"""The QR code of a SEPA credit transfer, which a bank's application reads: what it says, and its squares.

EPC069-12, version 002 (the data element «BIC» is optional), in a QR code of ISO/IEC 18004 with error level M.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import zxingcpp

SMALLEST_AMOUNT = Decimal("0.01")
LARGEST_AMOUNT = Decimal("999999999.99")
LONGEST_NAME = 70
LONGEST_TEXT = 140
LONGEST_PAYLOAD = 331  # bytes
UTF_8 = "1"


@dataclass(frozen=True, slots=True)
class TransferCode:
    """The dark squares of a code ``size`` squares wide: runs of them as (left, top, length), from the top left."""

    size: int
    runs: tuple[tuple[int, int, int], ...]

    def as_svg(self, *, margin: int = 0) -> str:
        """A picture of black squares on white, with ``margin`` light squares around (the standard wants four)."""
        width = self.size + 2 * margin
        dark = "".join(f"M{x + margin} {y + margin}h{length}v1h-{length}z" for x, y, length in self.runs)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {width}" shape-rendering="crispEdges">'
            f'<path fill="#fff" d="M0 0h{width}v{width}h-{width}z"/><path d="{dark}"/></svg>'
        )

    # What follows is how WeasyPrint draws a picture of a page: its own SVG takes ten times as long for so many squares.
    def get_intrinsic_size(self, image_resolution: float, font_size: float) -> tuple[None, None, float]:
        """No size of its own, and as wide as high."""
        return None, None, 1.0

    def draw(self, stream: Any, concrete_width: float, concrete_height: float, style: Any) -> None:
        """Fill the squares in one go, in the colour of the text around, so that no seam shows between rows."""
        stream.set_color(style["color"])
        stream.transform(a=concrete_width / self.size, d=concrete_height / self.size)
        stream.stream.append(b"\n".join([b"%d %d %d 1 re" % run for run in self.runs]))
        stream.fill()


def transfer_payload(*, holder: str, iban: str, bic: str, amount: Decimal, currency: str, text: str) -> str:
    """The lines of the code: pay ``amount`` to ``holder``, recalling ``text``; empty where it cannot be said.

    The standard knows euros only, from 0.01 to 999 999 999.99; ``holder`` and ``text`` are cut to its lengths.
    ``iban`` and ``bic`` may be written in groups.
    """
    iban, bic = "".join(iban.split()).upper(), "".join(bic.split()).upper()
    if not (iban and holder.strip()) or currency != "EUR" or not SMALLEST_AMOUNT <= amount <= LARGEST_AMOUNT:
        return ""
    if not (iban.isalnum() and len(iban) <= 34 and len(bic) in (0, 8, 11)):
        return ""
    name, recalled = (" ".join(value.split()) for value in (holder, text))
    payload = "\n".join(
        (
            "BCD",
            "002",
            UTF_8,
            "SCT",
            bic,
            name[:LONGEST_NAME],
            iban,
            f"EUR{amount:.2f}",
            "",
            "",
            recalled[:LONGEST_TEXT],
        )
    )
    return payload if len(payload.encode()) <= LONGEST_PAYLOAD else ""


def transfer_code(payload: str) -> TransferCode:
    """The code that says ``payload``."""
    # As bytes: given text, the library writes the letters of Latin-1 otherwise than the payload declares.
    code = zxingcpp.create_barcode(payload.encode(), zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    # Two dimensions, so a list for each row; typeshed knows one.
    rows = cast("list[list[int]]", memoryview(code.to_image(scale=1, add_quiet_zones=False)).tolist())
    return TransferCode(len(rows), tuple(_runs(rows)))


def _runs(rows: list[list[int]]) -> list[tuple[int, int, int]]:
    """Runs of dark squares (0 in ``rows``), row by row."""
    runs = []
    for top, row in enumerate(rows):
        line = bytes(row)
        right = 0
        while (left := line.find(0, right)) >= 0:
            right = line.find(255, left)
            right = len(line) if right < 0 else right
            runs.append((left, top, right - left))
    return runs
