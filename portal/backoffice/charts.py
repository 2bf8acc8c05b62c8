"""Small charts drawn by the server as SVG: bars with their figures, so that no meaning is in colour alone."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640
COLUMN_HEIGHT, COLUMN_TOP, COLUMN_FOOT = 190, 22, 24
ROW_HEIGHT, ROW_BAR, ROW_LABEL, ROW_FIGURE = 28, 16, 120, 80


@dataclass(frozen=True, slots=True)
class Bar:
    """What one bar shows: a label, a count, and the class of its colour."""

    label: str
    count: int
    style: str = ""


@dataclass(frozen=True, slots=True)
class PlacedBar:
    """A bar with its place in the drawing (whole user units), as plain text that no locale changes."""

    bar: Bar
    x: str
    y: str
    width: str
    height: str
    label_x: str
    label_y: str
    figure_x: str
    figure_y: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing: its key (for ids), its title, its size, its bars; ``anchor`` is where labels are hung."""

    key: str
    title: str
    width: str
    height: str
    bars: Sequence[PlacedBar]
    anchor: str

    @property
    def total(self) -> int:
        """The sum of all bars."""
        return sum(placed.bar.count for placed in self.bars)


def column_chart(key: str, title: str, bars: Sequence[Bar]) -> Chart:
    """Standing bars over time, equally wide."""
    highest = max((bar.count for bar in bars), default=0) or 1
    step = WIDTH // max(len(bars), 1)
    room = COLUMN_HEIGHT - COLUMN_TOP - COLUMN_FOOT
    placed = []
    for index, bar in enumerate(bars):
        height = _length(bar.count, highest, room)
        left, top = index * step + step // 6, COLUMN_HEIGHT - COLUMN_FOOT - height
        middle = str(index * step + step // 2)
        placed.append(
            PlacedBar(
                bar,
                x=str(left),
                y=str(top),
                width=str(step - step // 3),
                height=str(height),
                label_x=middle,
                label_y=str(COLUMN_HEIGHT - 6),
                figure_x=middle,
                figure_y=str(top - 6),
            )
        )
    return Chart(key, title, str(WIDTH), str(COLUMN_HEIGHT), placed, "middle")


def row_chart(key: str, title: str, bars: Sequence[Bar]) -> Chart:
    """Lying bars, one below the other."""
    highest = max((bar.count for bar in bars), default=0) or 1
    room = WIDTH - ROW_LABEL - ROW_FIGURE
    placed = []
    for index, bar in enumerate(bars):
        width = _length(bar.count, highest, room)
        top = index * ROW_HEIGHT
        text = str(top + ROW_BAR - 2)
        placed.append(
            PlacedBar(
                bar,
                x=str(ROW_LABEL),
                y=str(top),
                width=str(width),
                height=str(ROW_BAR),
                label_x="0",
                label_y=text,
                figure_x=str(ROW_LABEL + width + 8),
                figure_y=text,
            )
        )
    return Chart(key, title, str(WIDTH), str(len(bars) * ROW_HEIGHT), placed, "start")


def _length(count: int, highest: int, room: int) -> int:
    """How long a bar is; something is always more than nothing."""
    return max(round(room * count / highest), 2) if count else 0
