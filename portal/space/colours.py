"""Contrast of colours, and readable neighbours of the company's colour (WCAG 2.2, 1.4.3)."""

import colorsys
from dataclasses import dataclass

READABLE = 4.5
# What text stands on, in static/house.css: the least favourable ground of each scheme.
LIGHT_GROUNDS = ("#ffffff", "#eef1f5")
DARK_GROUNDS = ("#11161c", "#232b35")
STEPS = 100


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent of one scheme: ``ground`` behind ``ink`` on buttons, ``text`` links on pages. As ``#rrggbb``."""

    ground: str
    ink: str
    text: str


def relative_luminance(colour: str) -> float:
    """Luminance of ``#rrggbb`` between 0 (black) and 1 (white), as WCAG defines it."""
    channels = [_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, from 1 to 21, in either order."""
    lighter, darker = sorted((relative_luminance(first), relative_luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(colour: str, grounds: tuple[str, ...]) -> str:
    """``colour`` itself where it reads on every ground (4.5:1), else its nearest neighbour in lightness that does.

    The neighbour is sought away from the grounds: darker on light ones, lighter on dark ones.
    """
    towards = 0.0 if all(relative_luminance(ground) > 0.18 for ground in grounds) else 1.0
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)))
    for step in range(STEPS + 1):
        moved = lightness + (towards - lightness) * step / STEPS
        candidate = colour.lower() if step == 0 else _hex(colorsys.hls_to_rgb(hue, moved, saturation))
        if all(contrast(candidate, ground) >= READABLE for ground in grounds):
            return candidate
    return "#000000" if towards == 0.0 else "#ffffff"


def accents(colour: str) -> tuple[Accent, Accent]:
    """The accents of the light and of the dark scheme, from the company's ``#rrggbb``."""
    return _accent(colour, LIGHT_GROUNDS), _accent(colour, DARK_GROUNDS)


def _accent(colour: str, grounds: tuple[str, ...]) -> Accent:
    text = readable_on(colour, grounds)
    ink = max(("#ffffff", "#000000"), key=lambda candidate: contrast(text, candidate))
    return Accent(ground=text, ink=ink, text=text)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
