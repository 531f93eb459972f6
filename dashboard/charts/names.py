"""Names beside marks, where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from dashboard.charts.rows import CHARACTER, NARROW
from dashboard.style.theme import Theme

WIDTH, WIDTH_NARROW = 1000, 290  # pixels across a plot, about
PLACES = (("left", 1, 0), ("right", -1, 0), ("center", 0, 1), ("center", 0, -1))  # beside, below, above
MARK, LINE = 7.0, 8.0  # half of a mark and of a line of text, in pixels
Span = tuple[float, float]
Box = tuple[float, float, float, float]  # middle across and down, half the width and the height


def beside(
    wanted: Sequence[tuple[float, float, str]],
    marks: Sequence[tuple[float, float]],
    across: Span,
    up: Span,
    height: float,
    theme: Theme,
    column: int = NARROW,
) -> list[dict[str, Any]]:
    """Annotations for `wanted` (x, y, name); a name that would lie on a mark or a name is left to the hover.

    `marks`: all marks of the plot, which spans `across` and `up` and is `height` pixels tall.
    """
    width = WIDTH_NARROW if column == NARROW else WIDTH

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - across[0]) / (across[1] - across[0]) * width, (up[1] - y) / (up[1] - up[0]) * height

    taken: list[Box] = [(*at(x, y), MARK, MARK) for x, y in marks]
    labels = []
    for x, y, name in sorted(wanted):
        right, down = at(x, y)
        half = len(name) * CHARACTER / 2
        for anchor, dx, dy in PLACES:
            box = (right + dx * (half + 10), down + dy * 18, half, LINE)
            inside = box[0] - half >= 0 and box[0] + half <= width and LINE <= box[1] <= height - LINE
            if inside and not any(_meet(box, other) for other in taken):
                taken.append(box)
                labels.append(
                    {
                        "text": escape(name), "x": x, "y": y, "xanchor": anchor, "xshift": 10 * dx, "yshift": -18 * dy,
                        "showarrow": False, "font": {"size": 13, "color": theme.ink}, "bgcolor": theme.page,
                    }
                )  # fmt: skip
                break
    return labels


def _meet(one: Box, other: Box) -> bool:
    return abs(one[0] - other[0]) < one[2] + other[2] and abs(one[1] - other[1]) < one[3] + other[3]
