"""Colours and typography, once, for pages and charts, in light and dark."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

BODY = '"Source Sans", "Source Sans 3", "Helvetica Neue", Arial, sans-serif'
STYLESHEET = Path(__file__).with_name("style.css")


@dataclass(frozen=True)
class Theme:
    """The colours of one appearance. `attention` and `well` differ for every common colour vision."""

    name: str
    page: str
    panel: str
    ink: str  # text
    muted: str  # secondary text
    line: str  # rules and grid
    context: str  # marks that are not the story
    accent: str  # the selected unit
    attention: str  # needs attention
    well: str  # going well
    groups: tuple[str, ...]  # groups side by side
    ordered: tuple[str, ...]  # ordered groups, from most to least disadvantaged

    def of(self, verdict: str) -> str:
        """The colour of a verdict: well, attention, context, or doubt, which stands back and is drawn hollow."""
        return self.context if verdict == "doubt" else str(getattr(self, verdict))

    @property
    def colours(self) -> list[str]:
        """All of them, in the order of the fields."""
        single = (self.page, self.panel, self.ink, self.muted, self.line, self.context, self.accent)
        return [*single, self.attention, self.well, *self.groups, *self.ordered]


LIGHT = Theme(
    name="light",
    page="#fffdf9",
    panel="#f5f2ea",
    ink="#22262b",
    muted="#5a626b",
    line="#dedad0",
    context="#7a818a",
    accent="#4338a8",
    attention="#b84a06",
    well="#0b7468",
    groups=("#2f6db5", "#a03478", "#7c6a0a", "#008a8a", "#8a4a2a", "#5a5aa8"),
    ordered=("#5b1a66", "#8a3a86", "#a8629f", "#8f74ad", "#7a818a"),
)
DARK = Theme(
    name="dark",
    page="#16181c",
    panel="#20242a",
    ink="#ebe8e2",
    muted="#aab1ba",
    line="#383e46",
    context="#7d8691",
    accent="#a9b0ff",
    attention="#f2994f",
    well="#45c4b0",
    groups=("#7fb2ef", "#e58fc4", "#d3bf52", "#4fc7c7", "#d99c7b", "#b0b0f0"),
    ordered=("#f0b6f5", "#d793d6", "#b97fb9", "#a48bbf", "#8b94a0"),
)
VERDICT = {"worse": "attention", "better": "well"}  # of a gap, by how its group fares
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
GLYPHS = ("●", "◆", "■", "▲", "✚", "★")  # the same symbols in text


def template(theme: Theme) -> dict[str, Any]:
    """What every chart of the theme starts from, as a Plotly template."""
    axis = {
        "gridcolor": theme.line,
        "linecolor": theme.line,
        "zerolinecolor": theme.line,
        "showline": False,
        "ticks": "",
        "tickfont": {"size": 13, "color": theme.muted},
        "title": {"font": {"size": 13, "color": theme.muted}},
        "fixedrange": True,  # a finger that scrolls the page must not zoom the chart
    }
    font = {"family": BODY, "size": 14, "color": theme.ink}
    return {
        "layout": {
            "font": font,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": {**axis, "automargin": True},
            "yaxis": {**axis, "showgrid": False, "automargin": True},
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {"bgcolor": theme.panel, "bordercolor": theme.line, "font": font, "align": "left"},
        }
    }


def recoloured(figure: go.Figure, of: Theme, to: Theme) -> go.Figure:
    """A copy of a chart in the colours of another theme."""
    drawn = figure.to_json()
    for before, after in zip(of.colours, to.colours, strict=True):
        drawn = drawn.replace(f'"{before}"', f'"{after}"')
    return pio.from_json(drawn)


def stylesheet(theme: Theme) -> str:
    """The page's style sheet with the theme's colours as CSS variables."""
    colours = {k: v for k, v in asdict(theme).items() if isinstance(v, str) and v.startswith("#")}
    variables = "".join(f"--{name}:{colour};" for name, colour in colours.items())
    variables += f"--on-paper:{'invert(1) hue-rotate(180deg)' if theme is DARK else 'none'};"  # charts, when printed
    return f"<style>:root{{{variables}}}\n{STYLESHEET.read_text(encoding='utf-8')}</style>"
