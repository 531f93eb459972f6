"""One figure per academic year, side by side, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.charts.rows import graded, hover
from dashboard.style import words
from dashboard.style.theme import VERDICT, Theme, template

HEIGHT = 300


def by_year(rows: Sequence[Mapping[str, Any]], metric: Mapping[str, Any], theme: Theme, gap: bool = False) -> Chart:
    """Values from year to year with their intervals; of a `gap`, around a line of no gap.

    `rows`: label (the year), value, lower, upper, status, `said` (lines for whoever points at the mark), and of gaps
    `direction`. Years without a figure say why.
    """
    figure = Chart()
    shown = [(at, r) for at, r in enumerate(rows) if r["status"] == "shown"]
    for verdict in ("context", "well", "attention") if gap else ("accent",):
        part = [(at, r) for at, r in shown if not gap or VERDICT.get(r["direction"], "context") == verdict]
        colour = getattr(theme, verdict)
        graded(figure, [(at, r["lower"], r["value"], r["upper"]) for at, r in part], colour, upright=True)
        figure.add_scatter(
            x=[at for at, _ in part],
            y=[r["value"] for _, r in part],
            mode="markers+text",
            marker={"color": colour, "size": 10},
            text=[words.signed(r["value"], metric) if gap else words.value(r["value"], metric) for _, r in part],
            textposition="middle right",
            textfont={"size": 13, "color": theme.ink},
            cliponaxis=False,
            customdata=[[hover(r["label"], *r["said"])] for _, r in part],
            hovertemplate="%{customdata[0]}<extra></extra>",
        )
    lows, highs = [r["lower"] for _, r in shown], [r["upper"] for _, r in shown]
    low, high = min(lows + [0.0] * gap, default=0.0), max(highs + [0.0] * gap, default=1.0)
    air = 0.12 * (high - low) or 1.0
    figure.update_layout(
        template=template(theme),
        height=HEIGHT,
        margin={"l": 48, "r": 34, "t": 10, "b": 36},
        annotations=[_why(at, r, low, theme) for at, r in enumerate(rows) if r["status"] != "shown"],
        xaxis={"tickvals": list(range(len(rows))), "ticktext": [escape(r["label"]) for r in rows],
               "range": [-0.5, len(rows) - 0.3], "showgrid": False, "zeroline": False, "automargin": False},
        yaxis={"range": [low - air, high + air], "showgrid": True, "nticks": 5, "zeroline": False,
               "ticksuffix": "" if gap else str(metric["suffix"])},
    )  # fmt: skip
    if gap:
        figure.add_hline(0, line={"color": theme.ink, "width": 1.2}, layer="below")
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", y=0, yanchor="bottom", text="no gap", showarrow=False,
            font={"size": 13, "color": theme.ink},
        )  # fmt: skip
    return figure


def _why(at: int, row: Mapping[str, Any], low: float, theme: Theme) -> dict[str, Any]:
    return {
        "text": f"<i>{escape(words.missing(row))}</i>", "x": at, "y": low, "yanchor": "bottom", "textangle": -90,
        "showarrow": False, "font": {"size": 13, "color": theme.muted},
    }  # fmt: skip
