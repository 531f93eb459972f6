"""Schools by characteristic: one tile each, coloured by who is worse off and how sure one can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.charts.rows import NARROW, Label, Rows, hover, lay_out
from dashboard.style import words
from dashboard.style.theme import VERDICT, Theme

TILE, GAP = 24, 0.04  # a tile's height in pixels, and the air beside it in columns
HEAD, HEAD_NARROW = 74, 190  # pixels for the names of the columns
FILLED, LIGHT = 0.9, 0.28  # a clear gap, a possible one
SILENT = {"too few to say": "?", "suppressed": "–", "none": "×"}


def tiles(
    cells: Sequence[Mapping[str, Any]],
    schools: Sequence[Mapping[str, Any]],
    columns: Sequence[tuple[str, str]],
    metric: Mapping[str, Any],
    theme: Theme,
    column: int = NARROW,
) -> Chart:
    """A tile for each of `cells` (unit, name, characteristic, label, group, reference, value, lower, upper, evidence,
    direction, status): its gap in figures where it is clear or possible. Each carries unit, characteristic and group.

    `schools`: unit, short_name, in reading order; `columns`: (characteristic, label).
    """
    narrow = column == NARROW
    rows = Rows(tuple(Label(s["short_name"], column=column) for s in schools))
    at = {s["unit"]: place for s, place in zip(schools, rows.places, strict=True)}
    across = {name: i for i, (name, _) in enumerate(columns)}
    figure = Chart()
    looks = [_look(c, theme) for c in cells]
    colours, shades = [colour for colour, _ in looks], [shade for _, shade in looks]
    figure.add_bar(
        x=[1 - 2 * GAP] * len(cells),
        base=[across[c["characteristic"]] + GAP for c in cells],
        y=[at[c["unit"]] for c in cells],
        width=[TILE] * len(cells),
        orientation="h",
        marker={"color": colours, "opacity": shades, "line": {"width": 0}},
        customdata=[[c["unit"], c["characteristic"], c["group"]] for c in cells],
        text=[_hover(c, metric) for c in cells],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=[across[c["characteristic"]] + 0.5 for c in cells],
        y=[at[c["unit"]] for c in cells],
        mode="text",
        text=[_figure(c, metric, narrow) for c in cells],
        textfont={
            "size": 13,
            "color": [theme.page if shade == FILLED else theme.ink for shade in shades],
        },
        hoverinfo="skip",
    )
    lay_out(figure, rows, theme)
    head = HEAD_NARROW if narrow else HEAD
    labels = [
        escape(label) if narrow else "<br>".join(wrap(escape(label), 13, break_long_words=False))
        for _, label in columns
    ]
    figure.update_layout(
        barmode="overlay",
        margin={"t": head},
        height=head + rows.height + 8,
        xaxis={"range": [0, len(columns)], "tickvals": [i + 0.5 for i in range(len(columns))], "ticktext": labels,
               "tickangle": -90 if narrow else 0, "showgrid": False, "tickfont": {"color": theme.ink}},
    )  # fmt: skip
    figure.update_layout(margin={"b": 8})
    return figure


def _look(cell: Mapping[str, Any], theme: Theme) -> tuple[str, float]:
    """Colour and opacity: strong for a clear gap, light for a possible one, the panel's where there is none."""
    verdict = VERDICT.get(str(cell["direction"]))
    if cell["status"] != "shown" or cell["evidence"] not in ("clear gap", "possible gap") or not verdict:
        return theme.panel, 1.0
    return getattr(theme, verdict), FILLED if cell["evidence"] == "clear gap" else LIGHT


def _figure(cell: Mapping[str, Any], metric: Mapping[str, Any], narrow: bool) -> str:
    """What stands in a tile: the gap where it is clear or possible and there is room, else a sign for why not."""
    if cell["status"] != "shown":
        return SILENT[cell["status"]]
    if cell["evidence"] in ("clear gap", "possible gap"):
        return "" if narrow else words.signed(cell["value"], metric)
    return SILENT.get(cell["evidence"], "·")


def _hover(cell: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    if cell["status"] != "shown":
        return hover(cell["name"], f"{cell['label']}: {words.STATUS[cell['status']]}")
    gap = f"{words.signed(cell['value'], metric)}{metric['gap_suffix']}"
    return hover(
        cell["name"],
        f"{cell['label']}: {cell['group']} against {cell['reference']}",
        f"{gap} (95% interval {words.gap_interval(cell['lower'], cell['upper'], metric)})",
        cell["evidence"],
    )
