"""Readable neighbours of the company's colour (WCAG 2.2, 1.4.3)."""

import colorsys
from dataclasses import dataclass

from mailing.colours import READABLE, channels_of, contrast, luminance, write_colour

# What text is on, in static/house.css: the least favourable ground of each scheme.
LIGHT_GROUNDS = ("#ffffff", "#eef1f5")
DARK_GROUNDS = ("#11161c", "#232b35")
STEPS = 100


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent of one scheme: ``ground`` behind ``ink`` on buttons, ``text`` links on pages. As ``#rrggbb``."""

    ground: str
    ink: str
    text: str


def readable_on(colour: str, grounds: tuple[str, ...]) -> str:
    """``colour`` itself where it reads on every ground (4.5:1), else its nearest neighbour in lightness that does.

    The neighbour is sought away from the grounds: darker on light ones, lighter on dark ones.
    """
    towards = 0.0 if all(luminance(channels_of(ground)) > 0.18 for ground in grounds) else 1.0
    hue, lightness, saturation = colorsys.rgb_to_hls(*channels_of(colour))
    for step in range(STEPS + 1):
        moved = lightness + (towards - lightness) * step / STEPS
        candidate = colour.lower() if step == 0 else write_colour(colorsys.hls_to_rgb(hue, moved, saturation))
        if all(contrast(candidate, ground) >= READABLE for ground in grounds):
            return candidate
    return "#000000" if towards == 0.0 else "#ffffff"


def accents(colour: str) -> tuple[Accent, Accent]:
    """The accents of the light and of the dark scheme, from the company's ``#rrggbb``.

    Buttons are filled with the same colour in both, the company's face; links alone change with what they are on.
    """
    fill = readable_on(colour, LIGHT_GROUNDS)
    ink = max(("#ffffff", "#000000"), key=lambda candidate: contrast(fill, candidate))
    light, dark = (Accent(fill, ink, readable_on(colour, grounds)) for grounds in (LIGHT_GROUNDS, DARK_GROUNDS))
    return light, dark
