"""Average against inequality: where a school does well by everybody, and where groups lie far apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.charts.names import beside
from dashboard.charts.rows import NARROW, extent, hover
from dashboard.style import words
from dashboard.style.theme import Theme, template

HEIGHT, MARGIN = 440, 96  # pixels; the margin above and below the plot


def average_and_spread(
    schools: Sequence[Mapping[str, Any]],
    university: Mapping[str, Any] | None,
    metric: Mapping[str, Any],
    theme: Theme,
    highlighted: Collection[str] = (),
    column: int = NARROW,
) -> Chart:
    """A mark per school: across, its value; upwards, how far its groups lie apart. Filled where they differ.

    `schools` and `university`: unit, name, short_name, average, spread, says, groups.
    """
    figure = Chart()
    for differs in (False, True):
        part = [s for s in schools if (s["says"] == "groups differ") is differs]
        usual, symbol = (theme.attention, "circle") if differs else (theme.context, "circle-open")
        colours = [theme.accent if s["unit"] in highlighted else usual for s in part]
        figure.add_scatter(
            x=[s["average"] for s in part],
            y=[s["spread"] for s in part],
            mode="markers",
            marker={"color": colours, "size": 11, "symbol": symbol, "line": {"width": 2}},
            text=[
                hover(s["name"], f"{metric['label']}: {words.value(s['average'], metric)}",
                      f"groups lie {s['spread']:.1f}{metric['gap_suffix']} apart: {s['says']}",
                      f"of {words.plural(int(s['groups']), 'group')} with a figure")
                for s in part
            ],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    across = extent([s["average"] for s in schools], [s["average"] for s in schools], metric)
    top = max([s["spread"] for s in schools], default=1.0) * 1.15 or 1.0
    named = [s for s in schools if s["says"] == "groups differ" or s["unit"] in highlighted]
    marks = [(s["average"], s["spread"]) for s in schools]
    wanted = [(s["average"], s["spread"], s["short_name"]) for s in named]
    labels = beside(wanted, marks, (across[0], across[1]), (0.0, top), HEIGHT - MARGIN, theme, column)
    figure.update_layout(
        template=template(theme),
        height=HEIGHT,
        margin={"l": 48, "r": 12, "t": 30, "b": 66},
        annotations=labels,
        xaxis={"range": across, "ticksuffix": str(metric["suffix"]), "nticks": 6, "zeroline": False,
               "title": {"text": escape(f"{metric['label']}: everybody together")}},
        yaxis={"range": [-0.03 * top, top], "showgrid": True, "nticks": 5, "zeroline": False},
    )  # fmt: skip
    if university:
        for axis, at in (("x", university["average"]), ("y", university["spread"])):
            line = {"color": theme.ink, "width": 1.1, "dash": "dot"}
            figure.add_vline(at, line=line) if axis == "x" else figure.add_hline(at, line=line)
        figure.add_annotation(
            x=university["average"], y=1, yref="paper", yanchor="bottom", showarrow=False, text="University",
            font={"size": 13, "color": theme.ink},
        )  # fmt: skip
    return figure
