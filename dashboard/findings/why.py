"""Whether a gap is real, and what it is made of: like for like, pooled over schools, within schools or by which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.findings.equity import WORTH, students
from dashboard.style import words

Row = Mapping[str, Any]
ALIKE = "Among students of the same school and level"
BESIDE_RAW = {
    "turns round": "it turns round",
    "gone, if anything turned round": "it is gone, if anything turned round",
    "mostly which schools": "most of it is gone, so it comes mostly from which schools and levels they are in",
    "remains": "it remains",
    "appears": "a gap appears",
    "no clear gap either way": "there is no clear gap either way",
    "too few to say": "there are too few to say",
}
MADE_OF = {
    "turns round": "within schools it turns round",
    "gone, if anything turned round": "within schools it is gone, if anything turned round",
    "mostly within schools": "it lies mostly within schools",
    "mostly which schools": "it comes mostly from which schools they are in",
    "both": "it lies partly within schools and comes partly from which schools they are in",
    "appears within schools": "it appears within schools only",
    "no clear gap to explain": "there is no clear gap to explain",
    "too few to say": "too few students to say what it is made of",
}
DIFFERS = "differs between schools"
MOST_SCHOOLS = 8


def like_words(gap: Row, metric: Row) -> str:
    """'Among students of the same school and level it remains: 14 points lower (10 to 18).', or nothing where not made.

    `gap`: a row of `gap`, or of `equity.missing_out`, which is told from the side of whoever is worse off.
    """
    says = BESIDE_RAW.get(str(gap.get("like_for_like_says", "")))
    if not says:
        return ""
    if pd.isna(gap["like_for_like"]):
        return f"{ALIKE} {says}."
    left = [float(gap[column]) for column in ("like_for_like", "like_for_like_lower", "like_for_like_upper")]
    says = f"part of {says}" if is_part(gap) else says
    if gap.get("worse_off", gap["group"]) != gap["group"]:
        left = [-left[0], -left[2], -left[1]]
    return f"{ALIKE} {says}: {words.difference(left[0], left[1], left[2], metric)}."


def is_part(gap: Row) -> bool:
    """Whether of a gap that remains like for like clearly less does, and no more than half."""
    furthest = max(abs(gap["like_for_like_lower"]), abs(gap["like_for_like_upper"]))
    clearly = furthest < abs(gap["value"])
    return bool(
        gap["like_for_like_says"] == "remains" and clearly and abs(gap["like_for_like"]) <= abs(gap["value"]) / 2
    )


def pooled_words(pooled: pd.DataFrame, metric: Row) -> str:
    """Whether the gap is the same everywhere, as published; or nothing."""
    if pooled.empty:
        return ""
    r = pooled.iloc[0]
    same = "it differs between schools" if r["says"] == DIFFERS else "it is not clearly different between schools"
    at = words.difference(r["value"], r["lower"], r["upper"], metric)
    said = f"Pooled over {words.plural(int(r['schools']), 'school')}, the gap within a school is {at}, and {same}."
    if pd.notna(r["likely_lower"]):
        likely = words.sides(r["likely_lower"], r["likely_upper"], metric)
        said += f" In another such school it would likely be {likely}."
    return said


def likely(pooled: pd.DataFrame) -> tuple[float, float] | None:
    """Where another such school's gap would lie, or None where that is not published."""
    if pooled.empty or pd.isna(pooled.iloc[0]["likely_lower"]):
        return None
    return float(pooled.iloc[0]["likely_lower"]), float(pooled.iloc[0]["likely_upper"])


def beside_rows(gaps: pd.DataFrame, labels: Mapping[str, str], place: str) -> list[dict[str, Any]]:
    """Gaps that are clear or possible, or appear like for like, with both figures: for the chart of the two."""
    made = gaps[(gaps["status"] == "shown") & gaps.get("like_for_like", pd.Series(index=gaps.index)).notna()]
    keep = made["evidence"].isin(WORTH) | (made.get("like_for_like_says", "") == "appears")
    rows = made[keep].sort_values("value", key=abs, ascending=False, kind="stable")
    return [
        {**r, "name": place, "label": r["group"],
         "note": f"{words.lowered(labels[r['characteristic']])}: {r['like_for_like_says']}"}
        for r in rows.to_dict("records")
    ]  # fmt: skip


def beside_title(rows: Sequence[Row]) -> str:
    """How many gaps are still there like for like."""
    if not rows:
        return "No clear or possible gap to look at like for like"
    kept = sum(r["like_for_like_says"] in ("remains", "appears") for r in rows)
    of = words.plural(len(rows), "gap")
    if not kept:
        return f"Like for like, none of {of} clearly remains"
    return f"Like for like, {words.small(kept)} of {of} {'remains' if kept == 1 else 'remain'}"


def part_rows(whole: Row, schools: pd.DataFrame, units: pd.DataFrame, place: str) -> list[dict[str, Any]]:
    """The gap, its two parts, and the schools that weigh most in them: for the chart of parts."""
    rows = [
        _part("The gap as it stands", place, (whole["value"], None, None, "whole")),
        _part("Within schools", place, (*_limits(whole, "within_schools"), "within")),
        _part("From which schools", place, (*_limits(whole, "which_schools"), "which")),
    ]
    if schools.empty:
        return rows
    weight = schools["within_schools"].abs() + schools["which_schools"].abs()
    first = schools.assign(weight=weight).sort_values("weight", ascending=False, kind="stable").head(MOST_SCHOOLS)
    heading = f"The {words.plural(len(first), 'school')} that weigh most" if len(first) > 1 else "By school"
    rows.append({"label": heading, "heading": True, "name": heading, "bars": []})
    names = units["short_name"]
    for r in first.to_dict("records"):
        bars = [(r["within_schools"], None, None, "within"), (r["which_schools"], None, None, "which")]
        rows.append(_part(str(names[r["school"]]), str(units.loc[r["school"], "name"]), *bars))
    return rows


def _part(label: str, name: str, *bars: tuple[Any, Any, Any, str]) -> dict[str, Any]:
    return {"label": label, "heading": False, "name": name, "bars": list(bars)}


def _limits(row: Row, part: str) -> tuple[Any, Any, Any]:
    return row[part], row[f"{part}_lower"], row[f"{part}_upper"]


def part_title(whole: Row, group: str, characteristic: Row, metric: Row) -> str:
    """'6.2 points lower for commuters than for others: it comes mostly from which schools they are in'."""
    size = f"{words.size(whole['value'], metric)} {'higher' if whole['value'] > 0 else 'lower'}"
    people, others = (students(each, characteristic) for each in (group, characteristic["reference"]))
    made_of = MADE_OF.get(str(whole["says"]), str(whole["says"]))
    return words.headline(f"{size} for {people} than for {others}: {made_of}")
