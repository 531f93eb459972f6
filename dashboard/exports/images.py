"""Charts as images: as they stand in a document, and by themselves with their source."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from dashboard.charts.chart import Chart
from dashboard.exports import inert
from dashboard.exports.chromium import Chromium, Drawing, drawing
from dashboard.exports.figure import Figure
from dashboard.exports.story import Story
from dashboard.style.html import Key
from dashboard.style.theme import LIGHT, Theme, recoloured

FAMILY = '"Source Sans Pro", "Source Sans 3", Arial, sans-serif'  # the first is what the PDF embeds
WIDE, NARROW = 760, 660  # pixels: charts with many rows are drawn wider, so that they fit a page
MANY = 600  # pixels of height from which a chart has many rows
AXIS = 36  # pixels that a value axis takes, wherever it stands
SCALE = 2  # of PNG
KINDS = {"png": "image/png", "svg": "image/svg+xml"}
LINE = 17  # pixels
KEY_LINE = 100  # characters


def svg(chromium: Chromium, figure: Figure) -> Drawing:
    """A chart alone, as it stands in a document; it is being drawn when this returns."""
    drawn = _dressed(figure.draw(LIGHT).checked())
    height = int(drawn.layout.height or 400)
    return chromium.begin(drawn, "svg", WIDE if height > MANY else NARROW, height)


def numbers(story: Story, figure: Figure) -> bytes:
    """A chart's numbers as CSV, each row with where it comes from."""
    return inert.csv(figure.numbers.assign(Source=story.source))


def single(chromium: Chromium, story: Story, figure: Figure, kind: str) -> bytes:
    """A chart of a pack to be taken away by itself, as png or svg."""
    return captioned(
        chromium, figure.draw(LIGHT).checked(), figure.title, figure.subtitle, (story.source, figure.note), kind
    )


def of_page(
    figure: Chart,
    theme: Theme,
    title: str,
    subtitle: str,
    under: Sequence[str],
    legend: Sequence[Key],
    kind: str,
) -> bytes:
    """A chart as it stands on a page of the dashboard, as png or svg, in light colours whatever the page has."""
    colours = dict(zip(theme.colours, LIGHT.colours, strict=True))
    light = [(colours.get(colour, colour), glyph, text) for colour, glyph, text in legend]
    with drawing() as opened:
        return captioned(opened, recoloured(figure.checked(), theme, LIGHT), title, subtitle, under, kind, light)


def captioned(
    chromium: Chromium,
    figure: go.Figure,
    title: str,
    subtitle: str,
    under: Sequence[str],
    kind: str,
    legend: Sequence[Key] = (),
) -> bytes:
    """A chart in light colours as png or svg: its finding above it, and `under` it where it comes from.

    legend: what its marks mean: colour, glyph, words.
    """
    drawn = _dressed(figure)
    head = [f"<b>{escape(line)}</b>" for line in wrap(title, 84)]
    head += [f'<span style="color:{LIGHT.muted}">{escape(line)}</span>' for line in wrap(subtitle, 105)]
    head += _keys(legend)
    foot = [line for text in under for line in wrap(text, 115)]
    top, bottom = LINE * len(head) + 26, LINE * len(foot) + 14
    margin = drawn.layout.margin
    above, below = int(margin.t or 0), max(int(margin.b or 0), AXIS)
    left = int(margin.l or 0)
    inside = int(drawn.layout.height or 400) - above - below
    drawn.update_layout(
        height=inside + above + below + top + bottom,
        margin={"t": above + top, "b": below + bottom, "l": left + 16, "r": 24},
        paper_bgcolor="#ffffff",
    )
    for text, y, anchor, shift in (
        ("<br>".join(head), 1, "bottom", above + 6),
        (f'<span style="color:{LIGHT.muted}">{"<br>".join(escape(x) for x in foot)}</span>', 0, "top", -below - 6),
    ):
        drawn.add_annotation(
            text=text, x=0, xref="paper", xanchor="left", xshift=-left, y=y, yref="paper", yanchor=anchor, yshift=shift,
            align="left", showarrow=False, font={"size": 13},
        )  # fmt: skip
    return chromium.begin(drawn, kind, WIDE, int(drawn.layout.height), SCALE if kind == "png" else 1).result()


def _keys(legend: Sequence[Key]) -> list[str]:
    """The legend in as many lines as it takes."""
    lines: list[str] = []
    length = KEY_LINE
    for colour, glyph, text in legend:
        key = f'<span style="color:{escape(colour)}">{escape(glyph)}</span> {escape(text)}'
        length += len(glyph) + len(text) + 4
        if length > KEY_LINE:
            lines.append(key)
            length = len(glyph) + len(text)
        else:
            lines[-1] += f"    {key}"
    return lines


def _dressed(figure: go.Figure) -> go.Figure:
    figure.update_layout(font={"family": FAMILY})
    return figure
