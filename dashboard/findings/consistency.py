"""How far schools differ on a metric, beyond chance; and how a value changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil, exp, floor, hypot, log
from typing import Any

import pandas as pd

from dashboard.style import words

Row = Mapping[str, Any]

FEWEST_SCHOOLS = 5  # fewer say nothing about consistency
INCOMPLETE_BELOW = 70  # recorded of recalled meetings, per cent
DIFFER = "differs beyond chance"
CHANCE, MAY = "no more than chance", "may differ"
PUBLISHED = {DIFFER: True, CHANCE: False}
LEARN, MAYBE, TALK = "worth learning from", "may be worth learning from", "worth a conversation"
MIDDLE = {True: "About eight in ten schools, chance set aside", False: "Middle 80% of schools"}
OUTSIDE = ("above", "below")  # the usual range
CHECK = "check the record first"  # before contact is judged
MARKS = {"learn": "★", "better": "☆", "conversation": "◆", "apart": "◇", "within": "●", "": "○"}  # of `place`
SAYS = {"learn": LEARN, "better": MAYBE, "conversation": TALK, "apart": TALK}  # of places outside the usual range
SHADES = (("▓", "usual range at the school’s size (95% limits)"), ("░", "rare (95% to 99.8% limits)"))  # as drawn
BY_CHANCE = 0.05  # how often a school lies outside 95% limits without being apart
TENTH, MEDIAN = 1.2816, 2**0.5 * 0.6745  # normal deviates: of the outer tenth; of the median odds ratio
SIDES = {"above": "above", "below": "below", "within the limits": "near"}
MISSING = {"base": None, "value": None, "lower": None, "upper": None, "status": "none", "why": ""}
LIMITS = {"says": "", "position": "", "limit": None, "limit_above": None, "outer": None, "outer_above": None}
RENAMED = {"lower": "limit", "upper": "limit_above", "lower_outer": "outer", "upper_outer": "outer_above"}


@dataclass(frozen=True)
class Comparison:
    """Schools around the university on one metric, in one period, at one level.

    `schools` has a row per school, from A to Z: unit, name, short_name, parent, base, value, lower, upper, status, what
    the published funnel says of it (`says`, its limits, and `side`: 'above' or 'below' where it lies outside them,
    else 'near'; '' where it has no limits). `modelled` is the published range of the middle 80% of schools, chance
    set aside, where there is one, `observed` that of their figures, and `says` what is published of whether they
    differ; `could`: how far apart they may be all the same. `figures` are the cells of all units.
    """

    metric: Row
    period: str
    university: Row
    schools: pd.DataFrame
    modelled: tuple[float, float] | None = None
    says: str = ""
    could: tuple[float, float] | None = None
    partial: bool = False  # the viewer sees some of the schools only: their own spread says nothing of all schools
    observed: tuple[float, float] | None = None
    figures: Mapping[str, Row] = field(default_factory=dict)

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.schools[self.schools["status"] == "shown"]

    @cached_property
    def hidden(self) -> pd.DataFrame:
        return self.schools[self.schools["status"] == "suppressed"]

    @cached_property
    def limited(self) -> bool:
        """Whether limits are published for any school."""
        return bool((self.schools["side"] != "").any())

    def in_doubt(self, incomplete: Collection[str]) -> tuple[Comparison, pd.DataFrame]:
        """The comparison without schools whose record looks incomplete, and those of them outside the usual range;
        nobody is in doubt on measures that are not of contact.
        """
        doubted = self.schools["unit"].isin(incomplete if self.metric["theme"] == "contact" else ())
        outside = self.schools[doubted & self.schools["side"].isin(OUTSIDE)]
        return replace(self, schools=self.schools[~doubted]), outside

    @property
    def unjudged(self) -> Comparison:
        """The comparison without limits, where schools are judged by their intervals alone."""
        unlimited = dict.fromkeys(RENAMED.values(), float("nan"))
        return replace(self, schools=self.schools.assign(side="", says="", position="", **unlimited))

    def figure(self, unit: str) -> Row:
        """A unit's own cell, or one that says there is none."""
        return self.figures.get(unit, MISSING)

    def on_side(self, side: str) -> pd.DataFrame:
        """Schools 'above' or 'below' the published limits, furthest first."""
        rows = self.schools[self.schools["side"] == side]
        return rows.sort_values("value", ascending=side == "below", kind="stable")

    def called(self, says: str) -> pd.DataFrame:
        """Schools outside the usual range: LEARN on the good side, those furthest out by the wider limits first; TALK
        on any other. The lowest first.
        """
        found = self.schools.assign(place=[place(school, self.metric) for school in self.schools.to_dict("records")])
        found = found[found["place"].isin(["learn", "better"] if says == LEARN else ["conversation", "apart"])]
        return found.assign(far=found["place"] != "learn").sort_values(["far", "value"], kind="stable")

    @cached_property
    def middle(self) -> tuple[float, float] | None:
        """Where the middle 80% of schools lie, as published: chance set aside, or else as observed.

        Beside own schools, whose figures have chance in them, as observed first: one range throughout.
        """
        return self.observed or self.modelled if self.partial else self.modelled or self.observed

    @property
    def chance_aside(self) -> bool:
        """Whether chance is set aside in that range."""
        return self.middle is not None and self.middle == self.modelled

    @property
    def middle_name(self) -> str:
        """What that range is called: two ranges of the same schools, with chance in it and without, have two names."""
        return MIDDLE[self.chance_aside]

    @property
    def reach(self) -> float:
        """How far apart the middle 80% of schools are; -1 with too few schools."""
        return self.middle[1] - self.middle[0] if self.middle else -1.0

    @property
    def numbers(self) -> pd.DataFrame:
        """The university, each school, and where the middle 80% of schools lie: one row each."""
        university = {**self.university, "unit": "university", "name": "University"}
        rows = [university, *self.schools.to_dict("records")]
        if self.middle:
            low, high = self.middle
            rows.append({"name": "The middle 80% of schools", "lower": low, "upper": high, "status": "shown"})
        return pd.DataFrame(rows).assign(metric=self.metric["metric"], period=self.period)

    @property
    def differs(self) -> bool | None:
        """Whether schools differ by more than chance, as published; None where that is not said."""
        return PUBLISHED.get(self.says)


def compare(
    cells: pd.DataFrame,
    units: pd.DataFrame,
    metric: Row,
    period: str,
    published: pd.DataFrame | None = None,
    funnel: pd.DataFrame | None = None,
) -> Comparison:
    """Set schools against the university.

    `cells`: everyone, one metric, period and level, all units; `published`: at most one row, with the `low` and
    `high` between which the middle 80% of schools lie, and what it `says` of whether they differ; `funnel`: a row
    per school that has limits.
    """
    figures = {r["unit"]: {**MISSING, **r} for r in cells.to_dict("records")}
    limits, about = _limits(funnel), ["unit", "name", "short_name", "parent"]
    rows = [
        {**figures.get(u["unit"], MISSING), **limits.get(u["unit"], LIMITS), **{k: u[k] for k in about}}
        for u in units[units["kind"] == "school"].to_dict("records")
    ]
    schools = pd.DataFrame(rows, columns=[*about, *MISSING, *LIMITS])
    schools = schools.sort_values(["short_name", "name"], key=lambda names: names.str.casefold(), ignore_index=True)
    schools["side"] = [SIDES.get(p, "") for p in schools["position"]]
    found = Comparison(metric, period, figures.get("university", MISSING), schools, figures=figures)
    if published is None or published.empty:
        return found
    row = published.iloc[0]
    modelled, could = (float(row["low"]), float(row["high"])), None
    if pd.notna(row.get("odds_ratio_upper")):
        could = range_at(float(row["value"]), float(row["odds_ratio_upper"]))
    return replace(found, modelled=modelled, could=could, says=str(row["says"]))


def range_at(value: float, odds_ratio: float) -> tuple[float, float]:
    """The middle 80% of schools around the middle one's value, both in per cent, at a median odds ratio."""
    if not 0 < value < 100:
        return value, value
    at, reach = log(value / (100 - value)), TENTH * log(max(odds_ratio, 1.0)) / MEDIAN
    low, high = (100 / (1 + exp(-at - side * reach)) for side in (-1, 1))
    return low, high


def _limits(funnel: pd.DataFrame | None) -> dict[str, dict[str, Any]]:
    """What the published funnel says of each school, its limits renamed: a school's interval has the same names."""
    if funnel is None or funnel.empty:
        return {}
    shown = funnel[funnel["status"] == "shown"].rename(columns=RENAMED)
    return {r["unit"]: {k: r[k] for k in LIMITS} for r in shown.to_dict("records")}


def verdict(side: str, better: str) -> str:
    """'well' or 'attention' for a school on that side of the university; 'context' where neither fits."""
    if side not in OUTSIDE or better == "neither":
        return "context"
    return "well" if (side == "above") == (better == "higher") else "attention"


def is_doubted(unit: object, metric: Row, incomplete: Collection[str]) -> bool:
    """Whether a figure is not judged before the record is checked: of contact, in a school whose record is in doubt."""
    return unit in incomplete and metric["theme"] == "contact"


def place(school: Row, metric: Row) -> str:
    """Where a school stands, by its `side` and what is published of it: 'learn' (beyond the 99.8% limits on the good
    side), 'better' (beyond the 95% ones), 'conversation', 'apart' (neither way is better), 'within', '' unknown.
    """
    if school["side"] not in OUTSIDE:
        return "within" if school["side"] else ""
    if (found := verdict(str(school["side"]), str(metric["better"]))) == "well":
        return "learn" if school["says"] == LEARN else "better"
    return "conversation" if found == "attention" else "apart"


def in_any_case(n: int) -> str:
    """How many of so many lie outside the usual range whatever they do, as it holds 95 in 100 of them."""
    return f"{words.headline(by_chance(n))} of {words.small(n)} would in any case"


def by_chance(n: int) -> str:
    """How many that is: 'hardly one', 'about one or two'."""
    expected = n * BY_CHANCE
    if expected < 1:
        return "about one" if expected >= 0.5 else "hardly one"
    if abs(expected - round(expected)) <= 0.25:
        return f"about {words.small(round(expected))}"
    return f"about {words.small(floor(expected))} or {words.small(ceil(expected))}"


def consistency_question(period: str, in_progress: bool) -> str:
    """The question of the overview: about this year, or about the last one where none is in progress."""
    return "Is tutoring consistent this year?" if in_progress else f"Was tutoring consistent in {period}?"


def consistency_answer(comparisons: Sequence[Comparison]) -> str:
    """The answer to 'Is tutoring consistent?' from the headline measures."""
    judged = [c for c in comparisons if c.differs is not None]
    apart = [c for c in judged if c.differs]
    measures = words.plural(len(judged), "headline measure")
    if not judged:
        return "There are too few figures to say."
    if not apart:
        said = f"No difference between schools beyond chance can be seen on {measures}."
        at_most = {c.could[1] - c.could[0]: c for c in judged if c.could}
        return f"{said} {words.sentence(_could(at_most[max(at_most)]))}" if at_most else said
    if len(apart) == len(judged):
        which = "the headline measure" if len(judged) == 1 else f"all {measures}"
        opening = f"No. On {which}, schools differ by more than chance."
    else:
        opening = f"Only in part. On {words.small(len(apart))} of {measures}, schools differ by more than chance."
    return f"{opening} {words.sentence(spread(widest(apart)))}"


def widest(comparisons: Sequence[Comparison]) -> Comparison:
    """The comparison whose middle 80% of schools are furthest apart."""
    return max(comparisons, key=lambda c: c.reach)


def spread(c: Comparison) -> str:
    """'on ‘Met their tutor’ about eight in ten schools lie between 61% and 92%', or the range as observed."""
    label = words.quoted(c.metric["label"])
    if c.middle is None:
        return f"on {label} too few schools have figures to say how far apart they are"
    low, high = (words.value(x, c.metric) for x in c.middle)
    if c.chance_aside:
        apart = f"about eight in ten schools lie between {low} and {high}"
        return f"on {label} {apart if low != high else f'schools, chance set aside, are all at about {low}'}"
    if low == high:
        return f"on {label} the middle 80% of schools are all at {low}"
    return f"on {label} the middle 80% of schools range from {low} to {high}"


def strips_title(comparisons: Sequence[Comparison]) -> str:
    """The finding of the chart of headline measures: where schools are furthest apart, and where closest."""
    judged = [c for c in comparisons if c.middle]
    if not judged:
        return "Too few schools have figures to say how far apart they are"
    far, near = widest(judged), min(judged, key=lambda c: c.reach)
    if far.reach == near.reach or far.metric["suffix"] != near.metric["suffix"]:
        return words.headline(spread(far))
    alike = [words.quoted(c.metric["label"]) for c in judged if round(c.reach) == round(near.reach)]
    if len(alike) == len(judged):
        return words.headline(spread(far))
    return f"Schools are furthest apart on {words.quoted(far.metric['label'])}, closest on {words.listed(alike)}"


@dataclass(frozen=True)
class Change:
    """How a value moved between two periods, with the interval of the difference."""

    value: float
    lower: float
    upper: float

    @property
    def is_clear(self) -> bool:
        return self.lower > 0 or self.upper < 0


def change(now: Row, before: Row) -> Change | None:
    """The difference of two values with its interval, or None where either is not shown.

    The interval is recovered from the two separate ones (Zou and Donner 2008; for proportions with Wilson
    intervals this is Newcombe's 1998 method 10), taking the periods as independent.
    """
    if now["status"] != "shown" or before["status"] != "shown":
        return None
    difference = now["value"] - before["value"]
    down = hypot(now["value"] - now["lower"], before["upper"] - before["value"])
    up = hypot(now["upper"] - now["value"], before["value"] - before["lower"])
    return Change(difference, difference - down, difference + up)


def change_words(moved: Change | None, metric: Row, since: str) -> str:
    """'Up 3 points on 2025/26 to week 9 (+2 to +4 points).' or why that cannot be said."""
    if moved is None:
        return f"No figure to compare with for {since}."
    bounds = words.gap_interval(moved.lower, moved.upper, metric)
    if not moved.is_clear:
        return f"No clear change on {since} ({bounds})."
    return f"{'Up' if moved.value > 0 else 'Down'} {words.size(moved.value, metric)} on {since} ({bounds})."


def change_verdict(moved: Change | None, better: str) -> str:
    """'well', 'attention' or 'context' for a change."""
    if moved is None or not moved.is_clear:
        return "context"
    return verdict("above" if moved.value > 0 else "below", better)


def schools_answer(c: Comparison, incomplete: int = 0) -> str:
    """The answer to 'Which schools stand apart from the rest?'; so many schools' records look incomplete."""
    label = words.quoted(c.metric["label"])
    if c.university["status"] != "shown":
        return f"There is no figure for the university on {label} here to compare with."
    if not len(c.shown):
        return "There is no figure for any school here to compare with the university’s."
    if not c.limited:
        return f"Too few schools have figures on {label} to say which of them stand apart. {_consistent(c)}".rstrip()
    apart = {side: c.on_side(side) for side in OUTSIDE}
    n, of = sum(map(len, apart.values())), words.plural(len(c.shown), "school")
    around = f"the university’s {words.value(c.university['value'], c.metric)}"
    if incomplete:
        around += f" (which includes {words.plural(incomplete, 'school')} whose record looks incomplete)"
    if not n:
        said = f"No school stands apart on {label}: all {of} lie within the usual range around {around}"
    else:
        sides = [f"{words.small(len(rows))} {side}" for side, rows in apart.items() if len(rows)]
        verb = "stands" if n == 1 else "stand"
        which = f"{' and '.join(sides)} the usual range"
        said = f"{words.small(n)} of {of} {verb} apart on {label}: {which} around {around}"
        said += f". {in_any_case(len(c.shown))}"
    return f"{words.sentence(said)} {_consistent(c)}".rstrip()


def funnel_title(c: Comparison) -> str:
    """The finding of the funnel: how many schools lie outside the usual range, and what is said of them."""
    learn, talk = len(c.called(LEARN)), len(c.called(TALK))
    if not learn + talk:
        return f"All {words.plural(int((c.schools['side'] != '').sum()), 'school')} lie within the usual range"
    said = [f"{words.small(n)} {says}" for n, says in ((learn, LEARN), (talk, TALK)) if n]
    return words.headline(f"{words.plural(learn + talk, 'school')} outside the usual range: {' and '.join(said)}")


def _consistent(c: Comparison) -> str:
    """Whether schools differ, as published; or nothing."""
    if c.says == MAY:
        return "Schools may differ; among as many comparisons as are looked at it may be chance."
    if c.differs is None:
        return ""
    return "Schools differ by more than chance." if c.differs else words.sentence(alike(c))


def alike(c: Comparison) -> str:
    """That no difference is to be seen between schools, and how large a one there may be all the same."""
    seen = "no difference between schools beyond chance can be seen"
    return f"{seen}; {_could(c)}" if c.could else seen


def _could(c: Comparison) -> str:
    low, high = (words.value(x, c.metric) for x in c.could or ())
    label = words.quoted(c.metric["label"])
    return f"on {label} about eight in ten could still lie as far apart as {low} and {high}"


def named(rows: pd.DataFrame, metric: Row, doubted: bool = False) -> list[str]:
    """'◆ School of Law: 52% (48% to 56%), below the usual range', one per school; ○ where the figures are doubted."""
    return [
        f"{MARKS['' if doubted else place(r, metric)]} {r['name']}: {words.value(r['value'], metric)} "
        f"({words.interval(r['lower'], r['upper'], metric)}), {r['side']} the usual range"
        for r in rows.to_dict("records")
    ]


def incomplete_records(cells: pd.DataFrame) -> dict[str, float]:
    """Schools (and their value) that log far fewer meetings than students recall. `cells`: the record check."""
    is_low = (cells["status"] == "shown") & (cells["upper"] < INCOMPLETE_BELOW)
    low = cells[is_low & cells["unit"].str.startswith("school:")]
    return dict(zip(low["unit"], low["value"], strict=True))
