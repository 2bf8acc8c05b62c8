"""The pictures of the README, made small from those of ``make screenshots`` and an invoice of the demonstration."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "images"
# What a screenshot is called there → the picture of the README, and how much of its height is shown.
PICTURES = {
    "gestion-tableau-de-bord-1440-light": ("tableau-de-bord", 1200),
    "gestion-selection-1440-light": ("selection", 1200),
    "gestion-liste-1440-light": ("liste-a-exporter", 1100),
    "gestion-bordereau-1440-light": ("bordereau", 1000),
    "factures-390-light": ("espace-client-telephone", 1200),
}
WIDTH, COLOURS, MOST_BYTES = 1200, 96, 150_000


def shrink(picture: Image.Image, name: str, height: int) -> Path:
    """Keep ``picture``, cut at ``height``, as a PNG of few colours. Raises ValueError where it stays too heavy."""
    cut = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, height)))
    if cut.width > WIDTH:
        cut = cut.resize((WIDTH, cut.height * WIDTH // cut.width), Image.Resampling.LANCZOS)
    path = TARGET / f"{name}.png"
    cut.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path.name} weighs {path.stat().st_size} bytes.")
    return path


def main(screenshots: Path, invoice: Path) -> None:
    """Write all pictures from the folder ``screenshots`` and the PDF ``invoice``."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for source, (name, height) in PICTURES.items():
        with Image.open(screenshots / f"{source}.png") as picture:
            shrink(picture, name, height)
    page = TARGET / "page"
    subprocess.run(["pdftoppm", "-png", "-r", "80", "-f", "1", "-singlefile", str(invoice), str(page)], check=True)
    with Image.open(page.with_suffix(".png")) as picture:
        shrink(picture, "facture-pdf", picture.height)
    page.with_suffix(".png").unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
