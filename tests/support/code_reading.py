"""What a camera makes of a printed code: the page drawn as a picture, and a reader of codes."""

import io
import subprocess

import zxingcpp
from PIL import Image

DOTS_PER_INCH = "150"  # what a telephone makes of a sheet on a table


def read_code(pdf: bytes) -> zxingcpp.Barcode:
    """The one QR code on the first page of ``pdf``; fails where there is none that can be read, or more than one."""
    drawn = subprocess.run(
        ["pdftoppm", "-r", DOTS_PER_INCH, "-f", "1", "-l", "1", "-png", "-"], input=pdf, capture_output=True, check=True
    )
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(drawn.stdout)))
    return code
