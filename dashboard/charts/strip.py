"""All schools as dots on one line per metric: how far apart they are, at a glance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.charts.rows import hover
from dashboard.findings.consistency import Comparison
from dashboard.style import words
from dashboard.style.theme import Theme, template

ROW = 104
STEP = 0.085  # how far dots of equal value are set apart, in rows


def strips(comparisons: Sequence[Comparison], theme: Theme, highlighted: Collection[str] = ()) -> Chart:
    """One strip per comparison: a dot for each school, a tick for the university, a band for the middle 80%."""
    figure = Chart()
    for row, c in enumerate(comparisons):
        _dots(figure, row, c, theme, highlighted)
    n = len(comparisons)
    figure.update_layout(
        template=template(theme),
        height=ROW * n + 40,
        margin={"l": 4, "r": 12},
        shapes=[shape for row, c in enumerate(comparisons) for shape in _background(row, c, theme)],
        annotations=[_heading(row, c, theme) for row, c in enumerate(comparisons)],
    )
    figure.update_yaxes(range=[n - 0.45, -0.62], visible=False)
    suffixes = {str(c.metric["suffix"]) for c in comparisons}
    figure.update_xaxes(ticksuffix=suffixes.pop() if len(suffixes) == 1 else "", zeroline=False, nticks=6)
    values = [v for c in comparisons for v in [*c.shown["value"], *(c.middle or ())]]
    if values and all(c.metric["suffix"] == "%" for c in comparisons):
        figure.update_xaxes(range=[max(min(values) - 5, -2), 102])
    return figure


def _background(row: int, c: Comparison, theme: Theme) -> list[dict[str, Any]]:
    """The band of the middle 80% of schools and the university's tick."""
    shapes: list[dict[str, Any]] = []
    if c.middle:
        band = {"type": "rect", "x0": c.middle[0], "x1": c.middle[1], "y0": row - 0.17, "y1": row + 0.17}
        shapes.append(band | {"line": {"width": 0}, "fillcolor": theme.context, "opacity": 0.18, "layer": "below"})
    if c.university["status"] == "shown":
        at = c.university["value"]
        tick = {"type": "line", "x0": at, "x1": at, "y0": row - 0.27, "y1": row + 0.27}
        shapes.append(tick | {"line": {"color": theme.ink, "width": 2}})
    return shapes


def _dots(figure: Chart, row: int, c: Comparison, theme: Theme, highlighted: Collection[str]) -> None:
    shown = sorted(c.shown.to_dict("records"), key=lambda s: s["value"])
    places = [row + o for o in offsets([s["value"] for s in shown])]
    for own in (False, True):
        part = [(at, s) for at, s in zip(places, shown, strict=True) if (s["unit"] in highlighted) is own]
        if not part:
            continue
        figure.add_scatter(
            x=[s["value"] for _, s in part],
            y=[at for at, _ in part],
            mode="markers",
            marker={
                "size": 12 if own else 9,
                "color": theme.accent if own else theme.context,
                "symbol": "diamond" if own else "circle",
                "line": {"width": 1, "color": theme.page},
            },
            text=[_hover(s, c) for _, s in part],
            hovertemplate="%{text}<extra></extra>",
        )


def _hover(school: dict[str, Any], c: Comparison) -> str:
    interval = words.shown_interval(school, c.metric)
    return hover(
        school["name"],
        f"{c.metric['label']}: {words.value(school['value'], c.metric)} (95% interval {interval})",
        f"out of {words.shown_base(school)}",
    )


def _heading(row: int, c: Comparison, theme: Theme) -> dict[str, Any]:
    at = f"{words.shown(c.university, c.metric)} · {c.period}"
    return {
        "text": f"<b>{escape(c.metric['label'])}</b>  <span style='color:{theme.muted}'>{escape(at)}</span>",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": row - 0.32,
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 14, "color": theme.ink},
        "bgcolor": theme.page,
        "borderpad": 2,
    }


def offsets(values: Sequence[float]) -> list[float]:
    """Vertical places for dots in order of value, so that equal values stand side by side: 0, +1, −1, +2 …"""
    seen: dict[float, int] = {}
    places = []
    for value in values:
        k = seen.get(value, 0)
        seen[value] = k + 1
        places.append(STEP * ((k + 1) // 2) * (1 if k % 2 else -1))
    return places
