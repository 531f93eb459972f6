"""How far schools differ on a metric, beyond chance; and how a value changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, hypot
from typing import Any

import pandas as pd

from dashboard.style import words

Row = Mapping[str, Any]

OUTSIDE_BY_CHANCE = 0.05  # how often a 95% interval misses the university's value if schools do not differ
FEWEST_SCHOOLS = 5  # fewer say nothing about consistency
INCOMPLETE_BELOW = 70  # recorded of recalled meetings, per cent
PUBLISHED = {"differs beyond chance": True, "no more than chance": False}
MISSING = {"base": None, "value": None, "lower": None, "upper": None, "status": "none", "why": ""}


@dataclass(frozen=True)
class Comparison:
    """Schools around the university on one metric, in one period, at one level.

    `schools` has a row per school: unit, name, short_name, parent, base, value, lower, upper, status and
    `side`: 'above' or 'below' where the whole interval lies on that side of the university's value, else
    'near'; '' where there is no figure. `modelled` is the published range of the middle 80% of schools, chance
    set aside, where there is one, and `says` what is published of whether they differ.
    """

    metric: Row
    period: str
    university: Row
    schools: pd.DataFrame
    modelled: tuple[float, float] | None = None
    says: str = ""
    partial: bool = False  # the viewer sees some of the schools only: their own spread says nothing of all schools
    observed: tuple[float, float] | None = None  # then: the published middle 80% of all schools, as observed

    @property
    def shown(self) -> pd.DataFrame:
        return self.schools[self.schools["status"] == "shown"]

    @property
    def hidden(self) -> pd.DataFrame:
        return self.schools[self.schools["status"] == "suppressed"]

    def on_side(self, side: str) -> pd.DataFrame:
        """Schools wholly 'above' or 'below' the university's value, furthest first."""
        rows = self.schools[self.schools["side"] == side]
        return rows.sort_values("value", ascending=side == "below", kind="stable")

    @property
    def middle(self) -> tuple[float, float] | None:
        """The values between which the middle 80% of schools lie, or None with too few schools.

        As published where it is, so that every page and finding gives one range; else as observed.
        """
        values = self.shown["value"].astype(float)
        if self.partial:
            return self.modelled or self.observed
        if len(values) < FEWEST_SCHOOLS:
            return None
        if self.modelled:
            return self.modelled
        return float(values.quantile(0.1)), float(values.quantile(0.9))

    @property
    def reach(self) -> float:
        """How far apart the middle 80% of schools are; -1 with too few schools."""
        return self.middle[1] - self.middle[0] if self.middle else -1.0

    @property
    def figures(self) -> pd.DataFrame:
        """The university, each school, and where the middle 80% of schools lie: one row each."""
        university = {**self.university, "unit": "university", "name": "University"}
        rows = [university, *self.schools.to_dict("records")]
        if self.middle:
            low, high = self.middle
            rows.append({"name": "The middle 80% of schools", "lower": low, "upper": high, "status": "shown"})
        return pd.DataFrame(rows).assign(metric=self.metric["metric"], period=self.period)

    @property
    def differs(self) -> bool | None:
        """Whether schools differ by more than chance; None with too few schools.

        As published where it is; else whether more schools lie wholly above or below than chance explains.
        """
        if self.says:
            return PUBLISHED.get(self.says)
        if self.partial or len(self.shown) < FEWEST_SCHOOLS:
            return None
        outside = int(self.shown["side"].isin(["above", "below"]).sum())
        return chance_of(outside, len(self.shown)) < 0.01


def chance_of(outside: int, schools: int) -> float:
    """How probable it is that at least `outside` of `schools` 95% intervals miss by chance (binomial)."""
    p = OUTSIDE_BY_CHANCE
    return sum(comb(schools, k) * p**k * (1 - p) ** (schools - k) for k in range(outside, schools + 1))


def compare(
    cells: pd.DataFrame, units: pd.DataFrame, metric: Row, period: str, published: pd.DataFrame | None = None
) -> Comparison:
    """Set schools against the university.

    `cells`: everyone, one metric, period and level, all units; `published`: at most one row, with the `low` and
    `high` between which the middle 80% of schools lie, and what it `says` of whether they differ.
    """
    figures = cells.set_index("unit").reindex(columns=list(MISSING))
    university = {**MISSING, **figures.to_dict("index").get("university", {})}
    schools = units.loc[units["kind"] == "school", ["unit", "name", "short_name", "parent"]]
    schools = schools.join(figures, on="unit").reset_index(drop=True)
    schools["status"] = schools["status"].fillna("none")
    schools["side"] = ""
    if university["status"] == "shown":
        is_shown = schools["status"] == "shown"
        schools.loc[is_shown, "side"] = "near"
        schools.loc[is_shown & (schools["lower"] > university["value"]), "side"] = "above"
        schools.loc[is_shown & (schools["upper"] < university["value"]), "side"] = "below"
    if published is None or published.empty:
        return Comparison(metric, period, university, schools)
    row = published.iloc[0]
    return Comparison(metric, period, university, schools, (float(row["low"]), float(row["high"])), str(row["says"]))


def verdict(side: str, better: str) -> str:
    """'well' or 'attention' for a school on that side of the university; 'context' where neither fits."""
    if side not in ("above", "below") or better == "neither":
        return "context"
    return "well" if (side == "above") == (better == "higher") else "attention"


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
        return f"As far as these figures can tell, yes: on {measures} schools differ no more than by chance."
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
    if c.modelled:
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
    furthest, closest = words.quoted(far.metric["label"]), words.quoted(near.metric["label"])
    return f"Schools are furthest apart on {furthest}, closest on {closest}"


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
    """The answer to 'Which schools differ beyond chance?'; so many schools' records look incomplete."""
    if c.university["status"] != "shown":
        return f"There is no figure for the university on {words.quoted(c.metric['label'])} here to compare with."
    n, above, below = len(c.shown), len(c.on_side("above")), len(c.on_side("below"))
    at = words.value(c.university["value"], c.metric)
    if incomplete:
        at += f" (which includes {words.plural(incomplete, 'school')} whose record looks incomplete)"
    if not n:
        return "There is no figure for any school here to compare with the university’s."
    if not above and not below:
        return f"No school stands out: each of {words.plural(n, 'interval')} reaches the university’s {at}."
    lower = words.small(below) if below else "none"
    said = f"{words.plural(above, 'school')} clearly above and {lower} clearly below the university’s {at}"
    if c.says:
        chance = "schools differ by more than chance" if c.differs else "schools differ by no more than chance"
    else:
        chance = "more than chance would put there" if c.differs else "about as many as chance alone could put there"
    return words.sentence(f"{said}: {chance}")


def named(rows: pd.DataFrame, metric: Row, incomplete: set[str]) -> list[str]:
    """'School of Law: 52% (48% to 56%), record looks incomplete', one per school."""
    return [
        f"{r['name']}: {words.value(r['value'], metric)} ({words.interval(r['lower'], r['upper'], metric)})"
        + (", record looks incomplete" if r["unit"] in incomplete else "")
        for r in rows.to_dict("records")
    ]


def incomplete_records(cells: pd.DataFrame) -> dict[str, float]:
    """Schools (and their value) that log far fewer meetings than students recall. `cells`: the record check."""
    is_low = (cells["status"] == "shown") & (cells["upper"] < INCOMPLETE_BELOW)
    low = cells[is_low & cells["unit"].str.startswith("school:")]
    return dict(zip(low["unit"], low["value"], strict=True))
