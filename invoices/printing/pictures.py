"""The logo as WeasyPrint draws it: encoded, or its shapes worked out, once and not again for each document."""

import io
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import pydyf
from PIL import Image
from weasyprint.images import RasterImage, SVGImage

from invoices.printing.fetching import REFUSING
from invoices.printing.style import Logo

MOST_SIZES = 8


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


class Drawn(SVGImage):  # type: ignore[misc]
    """An SVG that keeps the operators of its shapes for each size; one that needs more than those is drawn as ever."""

    def __init__(self, logo: Logo) -> None:
        tree = ElementTree.fromstring(logo.data)  # noqa: S314 - our own writing of it, without declarations
        super().__init__(tree, logo.url, REFUSING, None)
        self._known: dict[tuple[float, float], tuple[list[Any], dict[str, Any]] | None] = {}

    def draw(self, stream: Any, concrete_width: float, concrete_height: float, style: Any) -> None:
        """Draw the picture on ``stream``, whose state is put back by the caller."""
        size = (concrete_width, concrete_height)
        if size not in self._known:
            # A company has one template at a time, so one size, and its logo is in all of its documents.
            if len(self._known) >= MOST_SIZES:
                self._known.clear()
            self._known[size] = self._recorded(stream, style, size)
        if (known := self._known[size]) is None:
            super().draw(stream, concrete_width, concrete_height, style)
            return
        operators, states = known
        for name, state in states.items():
            stream._resources["ExtGState"].setdefault(name, pydyf.Dictionary(state))
        stream.stream.extend(operators)

    def _recorded(self, stream: Any, style: Any, size: tuple[float, float]) -> tuple[list[Any], dict[str, Any]] | None:
        """The operators and the opacities that they name; None where they need another resource of their document."""
        resources = {name: pydyf.Dictionary() for name in stream._resources}
        fonts: dict[Any, Any] = {}
        images: dict[Any, Any] = {}
        recorder = stream.clone(resources=resources, fonts=fonts, images=images)
        super().draw(recorder, *size, style)
        states = resources.pop("ExtGState")
        is_plain = all(set(state) <= {"ca", "CA"} for state in states.values())
        if not is_plain or fonts or images or any(resources.values()):
            return None
        return [item if isinstance(item, bytes) else item.data for item in recorder.stream], dict(states)


@lru_cache(maxsize=32)
def _printed(logo: Logo) -> Printed:
    return Printed(Image.open(io.BytesIO(logo.data)), logo.url.partition(":")[2], logo.data)


@lru_cache(maxsize=32)
def _drawn(logo: Logo) -> Drawn:
    return Drawn(logo)


def known_pictures(logo: Logo | None) -> dict[str, Printed | Drawn]:
    """WeasyPrint's cache of pictures, holding the logo by its address."""
    if logo is None:
        return {}
    return {logo.url: _drawn(logo) if logo.mime == "image/svg+xml" else _printed(logo)}
