"""Equity gaps, every school: schools by characteristic, and averages against how far groups lie apart."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import gap_tables, layout
from dashboard.access import UNIVERSITY
from dashboard.charts.scatter import average_and_spread
from dashboard.charts.tiles import tiles as draw_tiles
from dashboard.findings import unequal
from dashboard.layout import Visit
from dashboard.page.equity_where import Asked
from dashboard.style import words

POINT = (
    "Choose a tile to see that school and group, or go there with the boxes: *Whose figures*, the view *Where*, "
    "*Characteristic* and *Group*."
).replace("*", "")


def tiles(visit: Visit, x: Asked) -> None:
    """Every school by every characteristic; a tile leads to its school and group."""
    layout.chart(visit, **visit.once("tiles", lambda: _tiles(visit, x)), pick=_go)


def _tiles(visit: Visit, x: Asked) -> dict[str, Any]:
    release, theme = visit.release, visit.theme
    schools = _schools(release.units, x.top)
    offered = release.characteristics[
        release.characteristics["available"].astype(bool) & release.characteristics["of"].isna()
    ]
    gaps = release.gaps(**x.when)
    gaps = gaps[gaps["unit"].isin(schools["unit"]) & gaps["characteristic"].isin(offered.index)]
    cells = unequal.strongest(gaps, schools, offered)
    columns = list(offered["label"].items())
    places: list[dict[Any, Any]] = schools[["unit", "name", "short_name"]].to_dict("records")
    title = unequal.tiles_title(cells)
    return {
        "figure": draw_tiles(cells, places, columns, x.metric, theme, visit.column),
        "title": title,
        "subtitle": (
            f"{x.about}. Each tile is the clearest gap of a school’s groups, or why there is none to see, "
            f"in{x.metric['gap_suffix'] or ' the measure’s own unit'}."
        ),
        "alt": f"{title}.",
        "table": gap_tables.tiles(cells, places, columns, x.metric),
        "figures": lambda: pd.DataFrame(cells).assign(**x.when),
        "legend": [
            (theme.attention, "■", "clear gap: a group worse off than the reference"),
            (theme.well, "■", "clear gap: a group better off"),
            (theme.ink, "□", "paler: possible gap"),
            (theme.ink, "·", "no clear gap"),
            (theme.ink, "?", "too few to say"),
            (theme.ink, "–", words.STATUS["suppressed"]),
            (theme.ink, "×", words.STATUS["none"]),
        ],
        "note": POINT,
        "key": "tiles",
    }


def _go(tile: list[str]) -> None:
    """To the school and group of a tile."""
    unit, characteristic, group = tile
    st.query_params.update({"unit": unit, "characteristic": characteristic, "group": group, "view": "where"})


def _schools(units: pd.DataFrame, top: str) -> pd.DataFrame:
    """The schools of a unit, in reading order."""
    schools = units[units["kind"] == "school"]
    return schools if top == UNIVERSITY else schools[schools["parent"] == top]


def spread(visit: Visit, x: Asked) -> None:
    """Each school by its average and by how far its groups lie apart."""
    chart = visit.once("spread", lambda: _spread(visit, x))
    if "figure" in chart:
        layout.chart(visit, **chart)
    else:
        layout.section(chart["title"])


def _spread(visit: Visit, x: Asked) -> dict[str, Any]:
    release, label = visit.release, str(x.characteristic["label"])
    ends, is_ordered = None, bool(x.characteristic["ordered"])
    if is_ordered:
        groups = release.groups[release.groups["characteristic"] == x.of["characteristic"]]
        ends = unequal.with_both_ends(release.cells(**x.of), groups)
    rows = unequal.spread_rows(
        release.derived("inequality", **x.of),
        release.everyone(x.when["metric"], x.level, x.period),
        release.units,
        ends,
    )
    own = set(_schools(release.units, x.top)["unit"])
    schools = [r for r in rows if r["kind"] == "school" and r["unit"] in own]
    university = next((r for r in rows if r["unit"] == UNIVERSITY), None)
    title = unequal.spread_title(schools, label)
    if not schools:
        return {"title": title}
    theme = visit.theme
    good = "to the right" if x.metric["better"] == "higher" else "to the left"
    best = f"Best is low and {good}: a good average for every group. " if x.metric["better"] != "neither" else ""
    return {
        "figure": average_and_spread(schools, university, x.metric, theme, {x.unit}, visit.column),
        "title": title,
        "subtitle": (
            f"{label}. {x.about}. Upwards: how far a school’s groups lie apart (standard deviation between groups"
            f"{', in' + x.metric['gap_suffix'] if x.metric['gap_suffix'] else ''}). {best}"
            "Small groups lie apart by chance alone: only filled marks differ by more."
        ),
        "alt": f"{title}.",
        "table": gap_tables.spread([*([university] if university else []), *schools], x.metric, is_ordered),
        "figures": lambda: pd.DataFrame([*([university] if university else []), *schools]).assign(**x.of),
        "numeric": gap_tables.SPREAD_FIGURES,
        "legend": [
            (theme.attention, "●", "groups differ"),
            (theme.context, "○", "no more than chance, or too few to say"),
        ],
        "key": "spread",
    }
