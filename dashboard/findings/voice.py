"""Student voice in words: how students answered, whose voice is missing, and whether weighting changes the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.findings import consistency, equity, standing
from dashboard.style import words

Row = Mapping[str, Any]
RESPONSE_RATE = "response_rate"
HALF = 50.0
MATERIAL = 3.0  # points of a response rate that matter, where the release does not say
RATE: Row = {"label": "Response rate", "suffix": "%", "decimals": 0, "gap_suffix": " points"}
FIVE = ("strongly_disagree", "disagree", "neither", "agree", "strongly_agree")
ANSWERS = ("strongly disagree", "disagree", "neither", "agree", "strongly agree")
MOST_NAMED = 4
UNEVEN = "some are heard less"
EVENLY = {
    UNEVEN: "some groups are heard less than others",
    "no clear difference": "no clear difference between groups",
    "too few to say": "too few answers to say how evenly",
    "not asked": "the survey did not ask",
}


def statements(metrics: pd.DataFrame) -> pd.DataFrame:
    """The statements that students were asked to agree with, among all metrics."""
    is_statement = (metrics["theme"] == "voice") & (metrics["kind"] == "proportion") & (metrics.index != RESPONSE_RATE)
    return metrics[is_statement & metrics["available"].astype(bool)]


def none_to_show(metrics: pd.DataFrame) -> str:
    """Why there is no answer at all, in words."""
    reasons = metrics.loc[(metrics["theme"] == "voice") & metrics["unavailable_because"].notna(), "unavailable_because"]
    why = f": {reasons.iloc[0]}" if len(reasons) else ""
    return words.sentence(f"This release cannot say{why}")


def split(cells: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Cells of statements with how the answers divide beside them: FIVE and `bands`, missing where not shown."""
    key = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]
    if answers.empty:
        return cells.assign(**dict.fromkeys(FIVE, float("nan")), bands=0)
    shown = answers.loc[answers["status"] == "shown", [*key, *FIVE, "bands"]]
    return cells.merge(shown, on=key, how="left").fillna({"bands": 0})


def answer(cells: pd.DataFrame, metrics: pd.DataFrame, place: str, period: str) -> str:
    """Whether students agree that their tutor knows them, and the rest, in one place. cells: its statements."""
    shown = cells[cells["status"] == "shown"].sort_values("value", kind="stable")
    if shown.empty:
        hidden = (cells["status"] == "suppressed").any()
        said = "hidden to protect people" if hidden else "not on record"
        return words.sentence(f"how students {place} answered in {period} is {said}")
    most, few = int((shown["lower"] > HALF).sum()), int((shown["upper"] < HALF).sum())
    who = f"of the students {place} who answered in {period}"
    if most == len(shown):
        said = f"{who}, most agree with {_all(len(shown))}"
    elif few == len(shown):
        said = f"{who}, fewer than half agree with {_all(len(shown))}"
    else:
        said = f"{who}, a clear majority agrees with {words.small(most)} of {words.plural(len(shown), 'statement')}"
    low, high = (_agreeing(shown.iloc[i].to_dict(), metrics) for i in (0, -1))
    return words.sentence(f"{said}: {low}" if len(shown) == 1 else f"{said}: from {low} to {high}")


def _all(n: int) -> str:
    return {1: "the statement that is shown", 2: "both statements"}.get(n, f"all {words.small(n)} statements")


def _agreeing(cell: Row, metrics: pd.DataFrame) -> str:
    metric = metrics.loc[cell["metric"]]
    return f"{words.value(cell['value'], metric)} on {words.quoted(metric['label'])} ({_interval(cell, metric)})"


def _interval(cell: Row, metric: Row) -> str:
    return words.interval(cell["lower"], cell["upper"], metric)


def doubt(rate: Row, weighted: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """How many answered, and whether that is likely to have turned the answer."""
    moved = weighted_title(weighted, metrics) if len(weighted) else ""
    if rate["status"] != "shown":
        return words.sentence(moved)
    heard = f"{words.value(rate['value'], RATE)} of those enrolled answered"
    if rate["upper"] < HALF:
        heard += ", so most were not heard"
    return words.sentence(f"{heard}; {moved[:1].lower()}{moved[1:]}" if moved else heard)


def beside(own: pd.DataFrame, university: pd.DataFrame, metrics: pd.DataFrame, limits: pd.DataFrame) -> str:
    """Where a unit's answers stand apart: a school's from the usual range, a faculty's from the university's.

    limits: rows of `funnel`.
    """
    apart: dict[str, list[str]] = {}
    judged, is_school = 0, own["unit"].astype(str).str.startswith("school:").any()
    for metric, rows in own.groupby("metric", sort=False):
        other = standing.figure(university[university["metric"] == metric], "university")
        (side,) = standing.sides(rows, other, _of(limits, metric))
        judged += bool(side)
        if side in consistency.OUTSIDE:
            apart.setdefault(side, []).append(words.quoted(str(metrics.loc[metric, "label"])))
    if not judged:
        return ""
    if not apart and is_school:
        return f"Agreement lies within the usual range for schools on {_all(judged)}."
    if not apart:
        return "No statement is clearly apart from the university’s."
    whole = {side: _all(judged) for side, labels in apart.items() if len(labels) == judged > 1}
    ways = (("above", "above"), ("below", "below")) if is_school else (("above", "higher"), ("below", "lower"))
    said = [f"{way} on {whole.get(side) or words.listed(apart[side])}" for side, way in ways if side in apart]
    if is_school:
        return words.sentence(f"beside the usual range for schools, agreement is {words.listed(said)}")
    return words.sentence(f"agreement is clearly {words.listed(said)} than across the university")


def _of(limits: pd.DataFrame, metric: object) -> pd.DataFrame:
    """The limits of one metric."""
    return limits[limits["metric"] == metric] if len(limits) else limits


def statements_title(cells: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """The finding of the chart of all statements."""
    shown = cells[cells["status"] == "shown"].sort_values("value", kind="stable")
    if shown.empty:
        return "The answers here are hidden to protect people"
    low, high = shown.iloc[0], shown.iloc[-1]
    label = metrics["label"]
    if len(shown) == 1:
        return f"{words.quoted(label[low['metric']])}: {words.value(low['value'], RATE)} agree"
    if low["upper"] >= high["lower"]:
        reach = words.interval(low["value"], high["value"], RATE)
        return f"No clear difference between statements: {reach} agree"
    most, least = (
        words.listed([words.quoted(label[m]) for m in shown.loc[shown["value"] == row["value"], "metric"]])
        for row in (high, low)
    )
    return f"Students agree most with {most}, least with {least}"


def units_title(rows: pd.DataFrame, university: Row, kind: str, limits: pd.DataFrame) -> str:
    """The finding of the chart of one statement by unit. rows: the units beside the university; limits: of `funnel`."""
    if university["status"] != "shown":
        return "The university’s answers are hidden to protect people"
    at = words.value(university["value"], RATE)
    sides = standing.sides(rows, university, limits)
    judged = [s for s in sides if s]
    if rows.empty:
        return f"Across the university, {at} agree"
    if not judged:
        return f"Too few answers to set beside the university’s {at} who agree"
    by_range = kind == "school"
    if len(rows) == 1:
        where = {"above": "clearly above", "below": "clearly below"}.get(sides[0], "not clearly apart from")
        if by_range:
            where = f"{standing.LIES[sides[0]]} the usual range around"
        return (
            f"{rows.iloc[0]['name']}: {words.value(rows.iloc[0]['value'], RATE)} agree, {where} the university’s {at}"
        )
    above, below = judged.count("above"), judged.count("below")
    of_all = f"of {words.plural(len(judged), kind).replace('facultys', 'faculties')}"
    if by_range:
        outside = [f"{words.small(n)} {side}" for n, side in ((above, "above"), (below, "below")) if n]
        apart = words.listed(outside) if outside else f"{'all' if len(judged) > 1 else 'it is'} within"
        return words.headline(f"{of_all}, {apart} the usual range around the university’s {at} who agree")
    if not above and not below:
        return words.headline(f"{of_all}, none is clearly apart from the university’s {at} who agree")
    said = [
        f"{words.small(n)} {'is' if n == 1 else 'are'} clearly {s}" for n, s in ((above, "above"), (below, "below"))
    ]
    told = words.listed([s for s, n in zip(said, (above, below), strict=True) if n])
    return words.headline(f"{of_all}, {told} the university’s {at} who agree")


def groups_title(rows: pd.DataFrame, gaps: pd.DataFrame, metrics: pd.DataFrame, place: str) -> str:
    """The finding of the chart of one statement by group: the widest clear gap, by the evidence of `gaps`."""
    shown = rows[(rows["status"] == "shown") & rows["compared"].astype(bool)].set_index("group")["value"]
    if len(shown) < 2:
        return f"{place}: too few groups have figures to set side by side"
    found = equity.apart(gaps, metrics, {*shown.index})
    if isinstance(found, str):
        return f"{place}: {found}, {words.interval(shown.min(), shown.max(), RATE)} agree"
    less, more = (f"{group} at {words.value(shown[group], RATE)}" for group in found)
    return f"{place}: {less}, {more} who agree"


def heard_less(rates: pd.DataFrame, everyone: Row, compared: Sequence[str], material: float = MATERIAL) -> pd.DataFrame:
    """Groups whose response rate lies clearly, and by what matters, below everybody's; the lowest first."""
    if everyone["status"] != "shown":
        return rates.head(0)
    shown = rates[(rates["status"] == "shown") & rates["group"].isin(compared)]
    less = shown[(shown["upper"] < everyone["value"]) & (shown["value"] <= everyone["value"] - material)]
    return less.sort_values("value", kind="stable")


def response_title(rates: pd.DataFrame, less: pd.DataFrame, everyone: Row) -> str:
    """The finding of the chart of response rates by group."""
    if everyone["status"] != "shown" or not (rates["status"] == "shown").any():
        return "Too little can be shown of who answered here"
    at = words.value(everyone["value"], RATE)
    if less.empty and (rates["status"] == "shown").sum() < 2:
        return "Too few groups can be shown to say who was heard less"
    if less.empty:
        return f"No group’s response rate is clearly and materially below everybody’s {at}"
    named = [f"{r['group']} ({words.value(r['value'], RATE)})" for r in less.head(MOST_NAMED).to_dict("records")]
    return f"Heard less than everybody ({at}): {words.listed(named)}"


def evenness(found: pd.DataFrame, characteristic: str, characteristics: pd.DataFrame) -> str:
    """How evenly the groups of a characteristic answered, in plain words, and by what else they did not."""
    rows, labels = found.set_index("characteristic"), characteristics["label"]
    said, is_uneven = "", False
    if characteristic in rows.index:
        row = rows.loc[characteristic]
        is_uneven = row["says"] == UNEVEN
        verdict = EVENLY.get(str(row["says"]), str(row["says"]))
        if row["status"] == "shown":
            low, high = words.number(row["lower"], 2), words.number(row["upper"], 2)
            verdict += (
                f". On a scale from 0 (as uneven as can be) to 1 (all groups answer alike) this is "
                f"{words.number(row['r_indicator'], 2)} ({low} to {high})"
            )
        said = words.sentence(f"by {words.lowered(str(labels[characteristic]))}, {verdict}")
    told = {characteristic, *rows.index[rows["says"] == UNEVEN]}
    others = [c for c in labels.index if c in told and c != characteristic and characteristics["of"].get(c) not in told]
    if others:
        named = words.listed([words.lowered(str(labels[c])) for c in others])
        said += f" Some groups are {'also ' if is_uneven else ''}heard less by {named}."
    return said.strip()


def weighted_title(weighted: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Whether the answers change once everybody enrolled counts alike."""
    shown = weighted[weighted["status"] == "shown"]
    if shown.empty:
        return "Too few answers to weight them to everyone enrolled"
    moved = (shown["weighted"] - shown["value"]).abs()
    if moved.max() == 0:
        return "Weighted to everyone enrolled, every share of agreement stays the same"
    if moved.max() == 1:
        return "Weighted to everyone enrolled, no share of agreement moves by more than 1 point"
    row = shown.loc[moved.idxmax()]
    metric = metrics.loc[row["metric"]]
    was, becomes = words.value(row["value"], metric), words.value(row["weighted"], metric)
    return f"Weighted to everyone enrolled, {words.quoted(metric['label'])} is at {becomes} rather than {was}"


def linked_words(metrics: pd.DataFrame) -> str:
    """What it means that answers are not linked to students; empty where they are."""
    if RESPONSE_RATE not in metrics.index or metrics.loc[RESPONSE_RATE, "available"]:
        return ""
    because = metrics.loc[RESPONSE_RATE, "unavailable_because"]
    return f"Answers are not linked to students, because {because}: groups are as declared with each answer."
