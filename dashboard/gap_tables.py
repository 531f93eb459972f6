"""The tables behind the charts of gaps: frames and rows of figures in, frames of words out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.style import words

Row = Mapping[str, Any]
BESIDE_FIGURES = ("As it stands", "Like for like", "95% interval")
PART_FIGURES = ("Gap", "95% interval", "Within schools", "From which schools")
SPREAD_FIGURES = ("Average", "Groups lie apart", "Lowest to highest", "Most to least disadvantaged", "Groups")
YEAR_FIGURES = ("Gap", "95% interval")


def pooled_rows(rows: pd.DataFrame, pooled: pd.DataFrame, drawn: pd.DataFrame, faculty: str = "") -> pd.DataFrame:
    """Rows of `tables.school_gap_rows` with the pooled gap after the university, and each school's drawn one.

    faculty: the name of the one whose schools are pooled; without it all are.
    """
    if pooled.empty:
        return rows
    nearer = drawn[drawn["status"] == "shown"].set_index("school")["value"] if len(drawn) else pd.Series(dtype=float)
    rows = rows.assign(drawn=rows["unit"].map(nearer).astype(float))
    p = pooled.iloc[0]
    name = f"{faculty}: schools pooled" if faculty else "All schools, pooled"
    together = {
        "unit": "pooled", "kind": "pooled", "name": name, "short_name": name, "label": name, "heading": False,
        "group": p["group"], "reference": "", "value": p["value"], "lower": p["lower"], "upper": p["upper"],
        "evidence": str(p["says"]), "direction": "none", "status": p["status"], "base": None, "reference_base": None,
    }  # fmt: skip
    at = int((rows["kind"] == "university").sum())
    made = [*rows.to_dict("records")[:at], together, *rows.to_dict("records")[at:]]
    return pd.DataFrame(made, columns=list(rows.columns))


def numbers(gaps: pd.DataFrame, pooled: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    """The numbers behind one group's gap in every school: as they stand, pooled, and drawn towards the pooled one."""
    of_schools = drawn.assign(unit=drawn["school"], kind_of_gap="drawn towards the pooled gap") if len(drawn) else drawn
    stands, together = gaps.assign(kind_of_gap="as it stands"), pooled.assign(kind_of_gap="pooled over schools")
    return pd.concat([part for part in (stands, together, of_schools) if len(part)] or [stands])


def tiles(
    cells: Sequence[Row], schools: Sequence[Row], columns: Sequence[tuple[str, str]], metric: Row
) -> pd.DataFrame:
    """One row per school, one column per characteristic: the strongest gap in words."""
    found = {(c["unit"], c["characteristic"]): _tile(c, metric) for c in cells}
    return pd.DataFrame(
        [
            {"School": s["name"], **{label: found[s["unit"], name] for name, label in columns}}
            for s in schools
        ]
    )  # fmt: skip


def _tile(c: Row, metric: Row) -> str:
    if c["status"] != "shown":
        return words.STATUS[c["status"]]
    return f"{c['group']} {words.signed(c['value'], metric)}: {c['evidence']}"


def beside_raw(rows: Sequence[Row], metric: Row) -> pd.DataFrame:
    """One row per gap: as it stands, like for like, and what the two together say."""
    return pd.DataFrame(
        [
            {
                "Group": f"{r['label']} ({r['note'].split(':')[0]})",
                "Against": r["reference"],
                "As it stands": f"{words.signed(r['value'], metric)}{metric['gap_suffix']}",
                "Like for like": f"{words.signed(r['like_for_like'], metric)}{metric['gap_suffix']}",
                "95% interval": words.gap_interval(r["like_for_like_lower"], r["like_for_like_upper"], metric),
                "Says": r["like_for_like_says"],
            }
            for r in rows
        ]
    )


def parts(whole: Row, schools: pd.DataFrame, units: pd.DataFrame, metric: Row) -> pd.DataFrame:
    """The gap and its two parts, then each school's parts, in the order of `units`."""
    rows = [{"Part": "The gap as it stands", "Gap": words.signed(whole["value"], metric)}]
    for label, part in (("Within schools", "within_schools"), ("From which schools", "which_schools")):
        interval = words.gap_interval(whole[f"{part}_lower"], whole[f"{part}_upper"], metric)
        rows.append({"Part": label, "Gap": words.signed(whole[part], metric), "95% interval": interval})
    of_schools = {r["school"]: r for r in schools.to_dict("records")}
    for unit, name in units["name"].items():
        if r := of_schools.get(unit):
            rows.append(
                {
                    "Part": str(name),
                    "Within schools": words.signed(r["within_schools"], metric),
                    "From which schools": words.signed(r["which_schools"], metric),
                }
            )
    return pd.DataFrame(rows).fillna("–")


def spread(rows: Sequence[Row], metric: Row, ordered: bool = False) -> pd.DataFrame:
    """One row per unit: its average, and how far its groups lie apart.

    The range of ordered groups is the least disadvantaged minus the most, where both are shown.
    """
    column, say = (SPREAD_FIGURES[3], words.signed) if ordered else (SPREAD_FIGURES[2], words.size)
    return pd.DataFrame(
        [
            {
                "Place": r["name"],
                "Average": words.value(r["average"], metric),
                "Groups lie apart": f"{r['spread']:.1f}{metric['gap_suffix']}",
                column: say(r["range"], metric) if pd.notna(r["range"]) else "–",
                "Groups": words.number(r["groups"]),
                "Says": r["says"],
            }
            for r in rows
        ]
    )


def years(rows: Sequence[Row], metric: Row) -> pd.DataFrame:
    """One row per year: the gap in it."""
    return pd.DataFrame(
        [
            {
                "Year": r["label"],
                "Gap": f"{words.signed(r['value'], metric)}{metric['gap_suffix']}",
                "95% interval": words.gap_interval(r["lower"], r["upper"], metric),
                "Evidence": r["evidence"],
            }
            if r["status"] == "shown"
            else {"Year": r["label"], "Gap": words.missing(r)}
            for r in rows
        ]
    ).fillna("–")
