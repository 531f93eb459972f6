"""Where a faculty or school stands beside the university, and beside an unnamed band of all schools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.findings import consistency
from dashboard.findings.consistency import Comparison
from dashboard.style import words

Row = Mapping[str, Any]
ALL_SCHOOLS = "Middle 80% of all schools"
LIES = {"above": "above", "below": "below", "near": "within"}  # the usual range
IN_WORDS = {"well": "clearly better", "attention": "clearly worse", "context": "clearly apart"}
USUAL = {"well": "better than usual", "attention": "worse than usual", "context": "apart"}  # of schools, by the funnel


@dataclass(frozen=True)
class Band:
    """How all schools spread on one measure, none of them named: the limits of all, of the middle 80%, the middle."""

    lowest: float
    low: float
    middle: float
    high: float
    highest: float


def band(rows: pd.DataFrame, group: str = "all") -> Band | None:
    """The published band of a group, or None where there is none or a limit of it is hidden."""
    found = rows[rows["group"] == group]
    if found.empty:
        return None
    limits = found.iloc[0][["lowest", "low", "middle", "high", "highest"]]
    return None if limits.isna().any() else Band(*(float(x) for x in limits))


def side(own: Row, university: Row) -> str:
    """'above' or 'below' where the whole interval lies on that side of the university's value, else 'near' or ''."""
    if own["status"] != "shown" or university["status"] != "shown":
        return ""
    if own["lower"] > university["value"]:
        return "above"
    return "below" if own["upper"] < university["value"] else "near"


def side_of(own: Row, c: Comparison) -> str:
    """A school's side of the published limits; a faculty has none: its interval against the university's value."""
    school = c.schools[c.schools["unit"] == own.get("unit")]
    return str(school["side"].iloc[0]) if len(school) else side(own, c.university)


def sides(rows: pd.DataFrame, university: Row, limits: pd.DataFrame) -> list[str]:
    """Each row's side: a school's by the funnel ('' where it has no limits), any other's by its interval.

    rows: cells of one metric. limits: rows of `funnel` of that metric.
    """
    shown = limits[limits["status"] == "shown"] if len(limits) else limits
    position = dict(zip(shown["unit"], shown["position"], strict=True)) if len(shown) else {}
    return [
        consistency.SIDES.get(str(position.get(row["unit"])), "")
        if str(row["unit"]).startswith("school:")
        else side(row, university)
        for row in rows.to_dict("records")
    ]


def beside(own: Row, c: Comparison, in_doubt: bool = False) -> str:
    """'University 81%: clearly lower' of a faculty, by its interval; of a school 'lower than usual', by the funnel.

    in_doubt: its record of meetings looks incomplete, so that contact is not judged.
    """
    said = f"University {words.shown(c.university, c.metric)}"
    if in_doubt and c.metric["theme"] == "contact":
        return f"{said}: {consistency.CHECK}"
    is_school = own.get("unit") in set(c.schools["unit"])
    higher, lower, near = (
        ("higher than usual", "lower than usual", "within the usual range")
        if is_school
        else ("clearly higher", "clearly lower", "not clearly apart")
    )
    how = {"above": higher, "below": lower, "near": near}.get(side_of(own, c))
    return f"{said}: {how}" if how else said


def figure(cells: pd.DataFrame, unit: str) -> Row:
    """A unit's cell among `cells`, or one that says there is none."""
    found = cells[cells["unit"] == unit]
    return found.iloc[0].to_dict() if len(found) else dict(consistency.MISSING)


def question(name: str, period: str, in_progress: bool) -> str:
    """The question of a unit's overview."""
    return f"How does {words.within(name)} compare{' this year' if in_progress else f' in {period}'}?"


def answer(name: str, compared: Sequence[Comparison], own: Sequence[Row], in_doubt: bool = False) -> str:
    """How a unit stands on the headline measures: where clearly better or worse than the university.

    in_doubt: its record of meetings looks incomplete, so that nothing is judged on contact.
    """
    sides = [
        "" if in_doubt and c.metric["theme"] == "contact" else side_of(row, c)
        for row, c in zip(own, compared, strict=True)
    ]
    judged = [(c, row, s) for c, row, s in zip(compared, own, sides, strict=True) if s]
    if not judged and in_doubt and any(side_of(row, c) for row, c in zip(own, compared, strict=True)):
        return f"How {words.within(name)} compares cannot be said before its record of meetings is checked."
    if not judged:
        return f"There are too few figures to say how {words.within(name)} compares."
    verdicts = {v: [j for j in judged if consistency.verdict(j[2], j[0].metric["better"]) == v] for v in IN_WORDS}
    apart = [j for v in ("attention", "well") for j in verdicts[v]]
    of_all = f"{words.small(len(judged))} headline measure{'s' if len(judged) > 1 else ''}"
    of_all += " that can be judged" if len(judged) < len(compared) else ""
    is_school = own[0].get("unit") in set(compared[0].schools["unit"])
    in_words = USUAL if is_school else IN_WORDS
    if not apart and is_school and all(s == "near" for _, _, s in judged):
        on = _every(len(judged), len(compared))
        within = f"{words.within(name)} lies within the usual range for schools on {on}"
        return words.sentence(f"{within}; the range allows for its size and for how schools differ anyway")
    if not apart:
        return words.sentence(f"{words.within(name)} is not clearly apart from the university on any of {of_all}")
    told = {in_words[v]: len(verdicts[v]) for v in ("well", "attention") if verdicts[v]}
    if max(told.values()) == len(judged):
        said = f"{next(iter(told))} on {_every(len(judged), len(compared))}"
    else:
        said = f"{words.listed([f'{how} on {words.small(n)}' for how, n in told.items()])} of {of_all}"
    first, row, _ = apart[0]
    example = (
        f"{words.quoted(first.metric['label'])}: {words.value(row['value'], first.metric)} here, "
        f"{words.value(first.university['value'], first.metric)} across the university"
    )
    beside = "beside other schools" if is_school else "beside the university"
    return f"{words.sentence(f'{beside}, {words.within(name)} is {said}')} {words.sentence(example)}"


def _every(n: int, of: int) -> str:
    if n < of:
        return f"the {words.small(n)} of {words.plural(of, 'headline measure')} that can be judged"
    return {1: "one headline measure", 2: "both headline measures"}.get(n, f"all {words.small(n)} headline measures")


def schools_answer(c: Comparison, spread: Band | None) -> str:
    """The answer to 'Which schools stand apart from the rest?' for a lead: about own schools, the others unnamed."""
    if c.university["status"] != "shown":
        return f"There is no figure for the university on {words.quoted(c.metric['label'])} here to compare with."
    at = words.value(c.university["value"], c.metric)
    if len(c.schools) == 1:
        school = c.schools.iloc[0].to_dict()
        if school["status"] != "shown":
            return words.sentence(f"{school['name']}: {words.missing(school)}. The university is at {at}")
        said = f"{words.within(str(school['name']))} is at {words.shown(school, c.metric)}"
        said += (
            f", {LIES[school['side']]} the usual range around the university’s {at}"
            if school["side"]
            else f"; the university is at {at}"
        )
    elif not len(c.shown):
        return f"There is no figure for any of your schools here to compare with the university’s {at}."
    elif not c.limited:
        said = f"too few schools have figures to say which of yours stand apart from the university’s {at}"
    else:
        above, below = len(c.on_side("above")), len(c.on_side("below"))
        said = f"of {words.plural(len(c.shown), 'school')}, {words.small(above) if above else 'none'} "
        said += f"{'lies' if above == 1 else 'lie'} above and {words.small(below) if below else 'none'} "
        said += f"below the usual range around the university’s {at}"
        if above or below:
            said += f". {consistency.in_any_case(len(c.shown))}"
    return words.sentence(said) + (f" {words.sentence(all_schools(spread, c.metric))}" if spread else "")


def schools_title(c: Comparison) -> str:
    """The finding of the chart of own schools where no band is published."""
    return words.headline(schools_answer(c, None))


def rows(spread: Band | None, metric: Row) -> list[dict[str, str]]:
    """The unnamed band as rows of the table behind the chart of schools."""
    if not spread:
        return []
    low, high = words.value(spread.low, metric), words.value(spread.high, metric)
    return [
        {"School": "All schools, unnamed: the middle 80%", "Value": f"{low} to {high}"},
        {"School": "All schools, unnamed: lowest and highest",
         "Value": words.interval(spread.lowest, spread.highest, metric)},
    ]  # fmt: skip


def all_schools(spread: Band, metric: Row) -> str:
    """'Across the university, the middle 80% of schools lie between 55% and 84%'."""
    low, high = words.value(spread.low, metric), words.value(spread.high, metric)
    return f"across the university, the middle 80% of schools lie between {low} and {high}"


def strips_title(compared: Sequence[Comparison], whose: str = "your") -> str:
    """The finding of the chart of own schools: how many lie outside the middle 80% of all, on which side, on what."""
    judged = [c for c in compared if c.middle and len(c.shown)]
    count = len(compared[0].schools)
    if not judged:
        return words.headline(
            f"{whose} schools beside the university" if count > 1 else f"{whose} school and the university"
        )
    beyond = [(c, s) for c in judged for s in c.shown.to_dict("records") if not _within(s["value"], c)]
    if not beyond:
        lies = f"{whose} schools lie" if count > 1 else f"{whose} school lies"
        return words.headline(f"{lies} within the middle 80% of all schools on every measure")
    chance = ", as chance alone can do" if all(_reaches(s, c) for c, s in beyond) else ""
    sides: dict[str, list[tuple[Comparison, Row]]] = {}
    for c, s in beyond:
        sides.setdefault("below" if c.middle and s["value"] < c.middle[0] else "above", []).append((c, s))
    told: list[str] = []
    for side in ("below", "above"):
        if found := sides.get(side):
            n = len({s["unit"] for _, s in found})
            which = f"{words.small(n)} of {whose} {words.plural(count, 'school')} {'lies' if n == 1 else 'lie'}"
            which = which if count > 1 else f"{whose} school lies"
            where = f"{which} {side} where most schools are" if not told else f"{words.small(n)} {side}"
            where = where if count > 1 or not told else side
            told.append(f"{where} on {_on(found, len(judged))}")
    return words.headline(f"{', '.join(told)}{chance}")


def _on(found: Sequence[tuple[Comparison, Row]], of: int) -> str:
    """Measures by name where they are few; only that there are some where not all schools found lie there on each."""
    labels = list(dict.fromkeys(str(c.metric["label"]) for c, _ in found))
    if len(found) < len({s["unit"] for _, s in found}) * len(labels):
        return "one measure or more"
    if len(labels) == of > 1:
        return "every measure"
    if len(labels) < 3:
        return words.listed([words.quoted(label) for label in labels])
    return f"{words.small(len(labels))} of {words.plural(of, 'measure')}"


def _reaches(school: Row, c: Comparison) -> bool:
    """Whether the school's interval reaches into the middle of all schools."""
    low, high = c.middle or (school["value"], school["value"])
    return bool(school["lower"] <= high and school["upper"] >= low)


def _within(value: float, c: Comparison) -> bool:
    low, high = c.middle or (value, value)
    return low <= value <= high


def benchmark(compared: Sequence[Comparison]) -> str:
    """The answer where a lead looks at the university: how far apart all schools are, none of them named."""
    judged = [c for c in compared if c.middle]
    if not judged:
        return "These are the university’s figures, to compare yours with."
    apart = consistency.spread(consistency.widest(judged))
    return f"These are the university’s figures, to compare yours with. {words.sentence(apart)}"


def headline(name: str, compared: Sequence[Comparison], own: Sequence[Row]) -> pd.DataFrame:
    """The table behind a unit's headline measures: one row each, the unit beside the university."""
    return pd.DataFrame(
        [
            {
                "Measure": c.metric["label"],
                "Period": c.period,
                name: words.shown(row, c.metric),
                "95% interval": words.shown_interval(row, c.metric),
                "University": words.shown(c.university, c.metric),
                ALL_SCHOOLS: words.interval(*c.middle, c.metric) if c.middle else "not published",
            }
            for c, row in zip(compared, own, strict=True)
        ]
    )
