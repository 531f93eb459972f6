"""What changed from year to year: how far apart schools are, and how wide a gap is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.style import words

Row = Mapping[str, Any]
IN_WORDS = {
    "narrowing": "the gap is narrowing",
    "widening": "the gap is widening",
    "turned round": "the gap has turned round",
    "no longer there": "the gap is no longer there",
    "no clear change": "no clear change in the gap",
    "too few to say": "too few students to say whether the gap changes",
}


def _in_years(rows: pd.DataFrame, periods: pd.DataFrame, part: str) -> list[dict[str, Any]]:
    """A row per academic year of that part, the earliest first; years without one say so."""
    by_year = {r["academic_year"]: r for r in rows[rows["part"] == part].to_dict("records")} if len(rows) else {}
    years = periods[periods["part"] == part].sort_values("academic_year")
    return [
        {"value": None, "lower": None, "upper": None, "status": "none", "direction": "none", "said": (),
         **by_year.get(p["academic_year"], {}), "label": p["academic_year"], "period": p["label"]}
        for p in years.to_dict("records")
    ]  # fmt: skip


def consistency(found: pd.DataFrame, periods: pd.DataFrame, part: str) -> list[dict[str, Any]]:
    """How far apart schools were in each year: `lower` and `upper` are the ends of the middle 80%."""
    of_schools = found[found["between"] == "schools"] if len(found) else found
    rows = _in_years(of_schools, periods, part)
    for r in rows:
        if r["status"] == "shown":
            odds = f"{r['odds_ratio']:.2f} ({r['odds_ratio_lower']:.2f} to {r['odds_ratio_upper']:.2f})"
            r |= {"lower": r["low"], "upper": r["high"], "odds": odds}
            r["said"] = (
                f"eight in ten schools: {r['low']:.0f}% to {r['high']:.0f}%",
                f"median odds ratio {odds}",
                r["says"],
            )
    return rows


def consistency_title(rows: Sequence[Row], metric: Row) -> str:
    """'About eight in ten schools lay between 72% and 95% in 2021/22, between 74% and 95% in 2025/26'."""
    shown = [r for r in rows if r["status"] == "shown"]
    said = [
        f"between {words.value(r['lower'], metric)} and {words.value(r['upper'], metric)} in {r['period']}"
        for r in ([shown[0], shown[-1]] if len(shown) > 1 else shown)
    ]
    return f"About eight in ten schools lay {', '.join(said)}"


def gap(gaps: pd.DataFrame, periods: pd.DataFrame) -> list[dict[str, Any]]:
    """One group's gap in each whole year."""
    rows = _in_years(gaps, periods, "year")
    for r in rows:
        if r["status"] == "shown":
            r["said"] = (r["evidence"],)
    return rows


def gap_title(trend: pd.DataFrame, group: str, reference: str, metric: Row) -> str:
    """What is published of how a gap moved: 'Black and White: no clear change in the gap from 2021/22 to 2025/26'."""
    pair = f"{group} and {reference}"
    if trend.empty:
        return f"{pair}: too few years with figures to say whether the gap changes"
    r = trend.iloc[0]
    said = IN_WORDS.get(str(r["says"]), str(r["says"]))
    when = f"from {r['first_year']} to {r['last_year']}"
    if r["says"] == "too few to say":
        return f"{pair}: {said} {when}"
    bounds = words.gap_interval(r["lower"], r["upper"], metric)
    moved = f"{words.signed(r['change'], metric)}{metric['gap_suffix']} beside {reference}, 95% interval {bounds}"
    return f"{pair}: {said} {when} (along a line through all years {group} moved {moved})"
