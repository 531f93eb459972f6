"""How schools meet their students, beside what comes of it: shares of each mode, and one outcome, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.charts.rows import FOOT, LINE, NARROW, Label, Rows, extent, hover, in_words, lay_out
from dashboard.style import words
from dashboard.style.theme import Theme

SPLIT = (0.6, 0.68)  # where the modes end and the outcome begins, as shares of the plot
WIDE_NAME, NARROW_NAME = 40, 16  # characters of a line of the outcome's name


def modes(
    places: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    metric: Mapping[str, Any],
    theme: Theme,
    column: int = NARROW,
) -> Chart:
    """One row per place in the order given: a bar of its modes, and its outcome with the 95% interval.

    `places`: name, short_name, kind, `modes` (share of each mode by name; empty where hidden: `without` says so), and
    the outcome's base, value, lower, upper, status.
    """
    rows = Rows(tuple(Label(p["short_name"], bold=p["kind"] == "university", column=column) for p in places))
    at = dict(zip([p["name"] for p in places], rows.places, strict=True))
    figure = Chart()
    for name, colour in zip(names, look(names, theme).values(), strict=True):
        part = [p for p in places if p["modes"]]
        figure.add_bar(
            x=[p["modes"].get(name, 0.0) for p in part],
            y=[at[p["name"]] for p in part],
            width=[14.0] * len(part),
            orientation="h",
            marker={"color": colour, "opacity": 0.85, "line": {"width": 0.5, "color": theme.page}},
            text=[hover(p["name"], f"{name}: {p['modes'].get(name, 0.0):.0f}% of meetings") for p in part],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
    shown = [p for p in places if p["status"] == "shown"]
    figure.add_scatter(
        x=[p["value"] for p in shown],
        y=[at[p["name"]] for p in shown],
        xaxis="x2",
        mode="markers",
        marker={"color": [theme.ink if p["kind"] == "university" else theme.accent for p in shown], "size": 9},
        error_x={
            "type": "data", "array": [p["upper"] - p["value"] for p in shown],
            "arrayminus": [p["value"] - p["lower"] for p in shown], "color": theme.accent, "thickness": 2, "width": 0,
        },
        text=[hover(p["name"], f"{metric['label']}: {words.shown(p, metric)} ({words.shown_interval(p, metric)})")
              for p in shown],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    hidden = [p for p in places if not p["modes"]]
    said = in_words([at[p["name"]] for p in hidden], [p["without"] for p in hidden], 1, theme)
    without = [p for p in places if p["status"] != "shown"]
    span = extent([p["lower"] for p in shown], [p["upper"] for p in shown], metric)
    said += [
        one | {"xref": "x2"}
        for one in in_words([at[p["name"]] for p in without], [_short(p) for p in without], span[0], theme)
    ]
    lay_out(figure, rows, theme, "%", without=said)
    narrow = column == NARROW
    figure.update_layout(
        barmode="stack",
        xaxis={"domain": [0, SPLIT[0]], "range": [0, 100], "tickvals": [0, 50, 100], "ticktext": ["0%", "50%", "100%"]},
        xaxis2={
            "domain": [SPLIT[1], 1], "range": span, "side": "top", "nticks": 3 if narrow else 5, "zeroline": False,
            "ticksuffix": str(metric["suffix"]), "anchor": "y",
        },
    )  # fmt: skip
    _name(figure, wrap(str(metric["label"]), NARROW_NAME if narrow else WIDE_NAME), theme)
    return figure


def _name(figure: Chart, lines: Sequence[str], theme: Theme) -> None:
    """The outcome's name under its part of the plot: it ends where that ends, and may begin before it on a phone."""
    figure.add_annotation(
        x=1, xref="paper", xanchor="right", y=0, yref="paper", yanchor="top", yshift=-3, showarrow=False,
        text="<br>".join(escape(line) for line in lines), align="right", font={"size": 13, "color": theme.muted},
    )  # fmt: skip
    more = LINE * (len(lines) - 1)
    figure.update_layout(height=figure.layout["height"] + more, margin={"b": FOOT + more})


def look(names: Sequence[str], theme: Theme) -> dict[str, str]:
    """The colour of each mode."""
    palette = (*theme.groups, theme.context)
    return {name: palette[i % len(palette)] for i, name in enumerate(names)}


def _short(place: Mapping[str, Any]) -> str:
    return "hidden" if place["status"] == "suppressed" else "none"
