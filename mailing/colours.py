"""Contrast of colours (WCAG 2.2, 1.4.3): for mails, printed pages and screens. Arithmetic alone."""

from collections.abc import Sequence
from typing import Final

READABLE: Final = 4.5
WHITE: Final = "#ffffff"


def channels_of(colour: str) -> list[float]:
    """Red, green and blue of ``#rrggbb``, each from 0 to 1."""
    return [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]


def write_colour(channels: Sequence[float]) -> str:
    """Red, green and blue from 0 to 1 as ``#rrggbb``."""
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def luminance(channels: Sequence[float]) -> float:
    """Relative luminance of red, green and blue: 0 for black, 1 for white."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, from 1 to 21, in either order."""
    lighter, darker = sorted((luminance(channels_of(first)), luminance(channels_of(second))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def darken_for_white(colour: str) -> str:
    """``#rrggbb``, darkened until it can be read on white and white on it."""
    channels = channels_of(colour)
    while contrast(write_colour(channels), WHITE) < READABLE:  # as it will be written
        channels = [channel * 0.95 for channel in channels]
    return write_colour(channels)
