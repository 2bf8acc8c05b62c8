"""The logo as WeasyPrint draws it, encoded once and not again for each document."""

import io
from functools import lru_cache
from typing import Any

import pydyf
from PIL import Image
from weasyprint.images import RasterImage

from invoices.printing.style import Logo


class Printed(RasterImage):  # type: ignore[misc]
    """A picture that keeps its encoded form. Made for one size: no resampling takes place."""

    _encoded: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    def get_x_object(self, interpolate: bool, dpi_ratio: float) -> pydyf.Stream:
        """A new stream object with the same content each time: a document numbers its objects."""
        if self._encoded is None:
            stream = super().get_x_object(interpolate, dpi_ratio)
            content = tuple(item if isinstance(item, bytes) else item.data for item in stream.stream)
            self._encoded = (content, dict(stream.extra))
        content, extra = self._encoded
        return pydyf.Stream(list(content), pydyf.Dictionary(extra))


@lru_cache(maxsize=32)
def _printed(logo: Logo) -> Printed:
    return Printed(Image.open(io.BytesIO(logo.data)), logo.url.partition(":")[2], logo.data)


def known_pictures(logo: Logo | None) -> dict[str, Printed]:
    """WeasyPrint's cache of pictures, holding the raster logo by its address; an SVG is drawn as it comes."""
    if logo is None or logo.mime == "image/svg+xml":
        return {}
    return {logo.url: _printed(logo)}
