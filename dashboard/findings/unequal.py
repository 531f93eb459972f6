"""Schools by characteristic, and by how far their groups lie apart: what is chosen from the published gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.style import words

Row = Mapping[str, Any]
# "no clear gap" last: a characteristic has none only if all of its groups can say so
ORDER = {"clear gap": 0, "possible gap": 1, "too few to say": 2, "no clear gap": 3}
STATUS = {"shown": 0, "suppressed": 1, "none": 2}


def strongest(gaps: pd.DataFrame, schools: pd.DataFrame, characteristics: pd.DataFrame) -> list[dict[str, Any]]:
    """For each school and characteristic a gap that is clear, else possible, else too few to say, else none; the widest
    of those: for the chart of tiles.

    `gaps`: of one metric, period and level against the reference.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for g in gaps.to_dict("records"):
        key = (g["unit"], g["characteristic"])
        if key not in found or _rank(g) < _rank(found[key]):
            found[key] = g
    none = {"group": "", "reference": "", "value": None, "evidence": "", "direction": "none", "status": "none"}
    return [
        {**none, **found.get((unit, str(c)), {}), "unit": unit, "name": name, "characteristic": c, "label": label}
        for unit, name in zip(schools["unit"], schools["name"], strict=True)
        for c, label in characteristics["label"].items()
    ]


def _rank(gap: Row) -> tuple[int, int, float]:
    size = -abs(gap["value"]) if gap["status"] == "shown" else 0.0
    return STATUS[gap["status"]], ORDER.get(gap["evidence"], 4) if gap["status"] == "shown" else 4, size


def tiles_title(cells: Sequence[Row]) -> str:
    """How many of the tiles show a clear gap, in how many schools."""
    shown = [c for c in cells if c["status"] == "shown"]
    clear = [c for c in shown if c["evidence"] == "clear gap"]
    if not shown:
        return "No gap is published for schools here"
    if not clear:
        return "No school shows a clear gap by any characteristic"
    schools = words.plural(len({c["unit"] for c in clear}), "school")
    return words.headline(f"{schools} with a clear gap by at least one characteristic, {hidden_share(cells)}")


def hidden_share(cells: Sequence[Row]) -> str:
    """'15 of 280 tiles hidden to protect people'."""
    hidden = sum(c["status"] == "suppressed" for c in cells)
    return f"{words.small(hidden)} of {words.number(len(cells))} tiles {words.STATUS['suppressed']}"


def spread_rows(
    found: pd.DataFrame, cells: pd.DataFrame, units: pd.DataFrame, ends: Mapping[str, bool] | None = None
) -> list[dict[str, Any]]:
    """Units with both an average and a spread of groups; `cells`: everyone together.

    ends: of an ordered characteristic, the units in which both end groups are shown: only there is there a range.
    """
    average = {c["unit"]: c for c in cells.to_dict("records") if c["status"] == "shown"}
    return [
        {"unit": r["unit"], "name": units.loc[r["unit"], "name"], "short_name": units.loc[r["unit"], "short_name"],
         "kind": units.loc[r["unit"], "kind"], "average": average[r["unit"]]["value"], "spread": r["between_group_sd"],
         "range": r["range"] if ends is None or ends.get(r["unit"]) else None, "says": r["says"], "groups": r["groups"]}
        for r in found.to_dict("records")
        if r["status"] == "shown" and r["unit"] in average and r["unit"] in units.index
        and pd.notna(r["between_group_sd"])
    ]  # fmt: skip


def with_both_ends(cells: pd.DataFrame, groups: pd.DataFrame) -> dict[str, bool]:
    """Units → whether the first and the last group of an ordered characteristic are shown. `groups`: its own."""
    order = groups[groups["compared"].astype(bool)].sort_values("ordering")["group"]
    ends = {order.iloc[0], order.iloc[-1]}
    shown = cells[(cells["status"] == "shown") & cells["group"].isin(ends)]
    return {str(unit): set(rows["group"]) == ends for unit, rows in shown.groupby("unit")}


def slope_words(found: pd.DataFrame, cells: pd.DataFrame, groups: pd.DataFrame, metric: Row) -> str:
    """How a value changes along an ordered characteristic: 'Along the whole order, from IMD 1 (most deprived) to IMD 5
    (least deprived): 3 points higher (1 to 5 points).' Nothing where an end is hidden or there is no slope.

    `found`, `cells`: rows of `inequality` and of `cell` of one unit. `groups`: the characteristic's own.
    """
    order = groups[groups["compared"].astype(bool)].sort_values("ordering")["group"]
    if found.empty or pd.isna(found.iloc[0]["slope"]) or not any(with_both_ends(cells, groups).values()):
        return ""
    slope = found.iloc[0]
    change = words.difference(slope["slope"], slope["slope_lower"], slope["slope_upper"], metric)
    return f"Along the whole order, from {order.iloc[0]} to {order.iloc[-1]}: {change}."


def spread_title(schools: Sequence[Row], characteristic: str) -> str:
    """In how many schools groups differ by more than chance, as published."""
    if not schools:
        return "How far groups lie apart is not published for any school here"
    apart = sum(s["says"] == "groups differ" for s in schools)
    few = sum(s["says"] == "too few to say" for s in schools)
    of = words.plural(len(schools), "school")
    said = f"groups by {words.lowered(characteristic)} differ in {words.small(apart) if apart else 'none'} of {of}"
    return words.headline(f"{said}, too few to say in {words.small(few)}" if few else said)
