"""What the figures say: comparisons and the sentences that report them. Pure: frames in, words out.

Everything is worked out from published cells and gaps; nothing here reads a release or draws.
"""

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
RECORD_CHECK = "recorded_of_recalled"
MISSING = {"base": None, "value": None, "lower": None, "upper": None, "status": "none"}


@dataclass(frozen=True)
class Comparison:
    """Schools around the university on one metric, in one period, at one level.

    `schools` has a row per school: unit, name, short_name, parent, base, value, lower, upper, status and
    `side`: 'above' or 'below' where the whole interval lies on that side of the university's value, else
    'near'; '' where there is no figure.
    """

    metric: Row
    period: str
    university: Row
    schools: pd.DataFrame

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
        """The values between which the middle 80% of schools lie, or None with too few schools."""
        values = self.shown["value"].astype(float)
        if len(values) < FEWEST_SCHOOLS:
            return None
        return float(values.quantile(0.1)), float(values.quantile(0.9))

    @property
    def differs(self) -> bool | None:
        """Whether more schools lie wholly above or below than chance explains; None with too few schools."""
        if len(self.shown) < FEWEST_SCHOOLS:
            return None
        outside = int(self.shown["side"].isin(["above", "below"]).sum())
        return chance_of(outside, len(self.shown)) < 0.01


def chance_of(outside: int, schools: int) -> float:
    """How probable it is that at least `outside` of `schools` 95% intervals miss by chance (binomial)."""
    p = OUTSIDE_BY_CHANCE
    return sum(comb(schools, k) * p**k * (1 - p) ** (schools - k) for k in range(outside, schools + 1))


def compare(cells: pd.DataFrame, units: pd.DataFrame, metric: Row, period: str) -> Comparison:
    """Set schools against the university. `cells`: everyone, one metric, period and level, all units."""
    figures = cells.set_index("unit")[list(MISSING)]
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
    return Comparison(metric, period, university, schools)


def verdict(side: str, better: str) -> str:
    """'well' or 'attention' for a school on that side of the university; 'context' where neither fits."""
    if side not in ("above", "below") or better == "neither":
        return "context"
    return "well" if (side == "above") == (better == "higher") else "attention"


# --- Is tutoring consistent? ------------------------------------------------------------------------


def consistency_answer(comparisons: Sequence[Comparison]) -> str:
    """The answer to 'Is tutoring consistent?' from the headline measures."""
    judged = [c for c in comparisons if c.differs is not None]
    if not judged:
        return "There are too few figures to say."
    apart = [c for c in judged if c.differs]
    all_of_them = f"{words.plural(len(judged), 'headline measure')}"
    if not apart:
        return f"As far as these figures can tell, yes: on {all_of_them} schools differ no more than chance would have it."
    if len(apart) == len(judged):
        which = "the headline measure" if len(judged) == 1 else f"all {all_of_them}"
        opening = f"No. On {which}, schools differ by more than chance."
    else:
        opening = (
            f"Only in part. On {words.small(len(apart))} of {all_of_them}, schools differ by more than chance."
        )
    return f"{opening} {words.sentence(spread(widest(apart)))}"


def widest(comparisons: Sequence[Comparison]) -> Comparison:
    """The comparison whose middle 80% of schools are furthest apart."""
    return max(comparisons, key=lambda c: c.middle[1] - c.middle[0] if c.middle else -1.0)


def spread(c: Comparison) -> str:
    """'on ‘Met their tutor’ the middle 80% of schools range from 61% to 92%'."""
    label = words.quoted(c.metric["label"])
    if c.middle is None:
        return f"on {label} too few schools have figures to say"
    low, high = (words.value(x, c.metric) for x in c.middle)
    if low == high:
        return f"on {label} the middle 80% of schools are all at {low}"
    return f"on {label} the middle 80% of schools range from {low} to {high}"


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
    """'Up 3 points on 2025/26 to week 9 (2 to 4).' or why that cannot be said."""
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


# --- Which schools differ? --------------------------------------------------------------------------


def schools_answer(c: Comparison) -> str:
    """The answer to 'Which schools differ beyond chance?'."""
    if c.university["status"] != "shown":
        return f"There is no figure for the university on {words.quoted(c.metric['label'])} here, so nothing to compare with."
    n, above, below = len(c.shown), len(c.on_side("above")), len(c.on_side("below"))
    at = words.value(c.university["value"], c.metric)
    if not n:
        return "No school has enough students for a figure here."
    if not above and not below:
        return (
            f"No school stands out: the interval of each of the {words.plural(n, 'school')} "
            f"with a figure reaches the university’s {at}."
        )
    said = f"{words.sentence(words.plural(above, 'school') + ' clearly above')[:-1]} and {words.small(below)} clearly below the university’s {at}"
    if c.differs:
        return f"{said}: more than chance would put there."
    return f"{said}; about as many as chance alone could put there."


def schools_title(c: Comparison) -> str:
    """The finding of the chart of all schools."""
    return words.sentence(spread(c))[:-1]


def named(rows: pd.DataFrame, metric: Row, incomplete: set[str]) -> list[str]:
    """'School of Law: 52% (48% to 56%), record looks incomplete', one per school."""
    return [
        f"{r['name']}: {words.value(r['value'], metric)} ({words.interval(r['lower'], r['upper'], metric)})"
        + (", record looks incomplete" if r["unit"] in incomplete else "")
        for r in rows.to_dict("records")
    ]


def incomplete_records(cells: pd.DataFrame) -> dict[str, float]:
    """Schools (and their value) that log far fewer meetings than students recall. `cells`: the record check."""
    low = cells[
        (cells["status"] == "shown")
        & (cells["upper"] < INCOMPLETE_BELOW)
        & cells["unit"].str.startswith("school:")
    ]
    return dict(zip(low["unit"], low["value"], strict=True))


# --- Who is missing out? ----------------------------------------------------------------------------


def missing_out(gaps: pd.DataFrame, metrics: pd.DataFrame, evidence: str = "clear gap") -> pd.DataFrame:
    """Gaps with that evidence, told from the side of whoever is worse off, widest first.

    Adds `worse_off`, `better_off` (groups) and `weight` (the gap in multiples of what is material).
    A gap in favour of a group is a gap against its reference: both ways round belong here.
    """
    found = gaps[
        (gaps["status"] == "shown") & (gaps["evidence"] == evidence) & (gaps["direction"] != "none")
    ].copy()
    against_group = found["direction"] == "worse"
    found["worse_off"] = found["group"].where(against_group, found["reference"])
    found["better_off"] = found["reference"].where(against_group, found["group"])
    found["weight"] = found["value"].abs() / found["metric"].map(metrics["material"]).astype(float)
    return found.sort_values("weight", ascending=False, kind="stable")


def widest_by_characteristic(found: pd.DataFrame, most: int) -> pd.DataFrame:
    """Of gaps sorted widest first: the widest of each characteristic, at most `most`."""
    return found.drop_duplicates("characteristic").head(most)


def gap_words(gap: Row, metric: Row) -> str:
    """'9 points lower for Black than for White (7 to 11 points)', from `missing_out`."""
    x = gap["value"] if gap["worse_off"] == gap["group"] else -gap["value"]
    low, high = sorted((abs(gap["lower"]), abs(gap["upper"])))
    if gap["lower"] <= 0 <= gap["upper"]:
        low = 0.0
    bounds = f"{words.number(low, int(metric['decimals']))} to {words.size(high, metric)}"
    return f"{words.size(x, metric)} {words.than(x)} for {gap['worse_off']} than for {gap['better_off']} ({bounds})"


def equity_answer(gaps: pd.DataFrame, metrics: pd.DataFrame, metric: Row, characteristics: pd.DataFrame) -> str:
    """The answer to 'Who is missing out?' for one metric at the university."""
    label = words.quoted(metric["label"])
    compared = gaps[gaps["status"] == "shown"]
    if compared.empty:
        return f"There are no gaps to show for {label} here."
    judged = compared[compared["evidence"] != "too few to say"]
    if judged.empty:
        return f"Too few students to say who is missing out on {label} here."
    if metric["better"] == "neither":
        n = int((judged["evidence"] == "clear gap").sum())
        return f"{words.sentence(words.plural(n, 'clear difference') + ' between groups on ' + label)} Neither direction is better in itself."
    clear = missing_out(compared, metrics)
    if clear.empty:
        possible = len(missing_out(compared, metrics, "possible gap"))
        doubt = f"; {words.plural(possible, 'gap')} may be real" if possible else ""
        return f"No clear gap on {label} at the university{doubt}."
    first = clear.iloc[0]
    n = clear["characteristic"].nunique()
    where = characteristics.loc[first["characteristic"], "label"]
    return (
        f"{words.sentence('On ' + label + ', there is a clear gap by ' + words.small(n) + ' of ' + words.plural(compared['characteristic'].nunique(), 'characteristic'))} "
        f"The widest is by {where[:1].lower() + where[1:] if where[1:2].islower() else where}: {gap_words(first, metric)}."
    )


def equity_title(gaps: pd.DataFrame) -> str:
    """The finding of the chart of all gaps at the university."""
    counts = gaps.loc[gaps["status"] == "shown", "evidence"].value_counts()
    clear, possible = int(counts.get("clear gap", 0)), int(counts.get("possible gap", 0))
    total = int(counts.sum())
    return f"{words.sentence(words.small(clear))[:-1]} of {words.plural(total, 'comparison')} {'is' if clear == 1 else 'are'} a clear gap, {words.small(possible)} a possible one"


def places_title(gaps: pd.DataFrame, group: str, reference: str) -> str:
    """The finding of the chart of one group's gap in every school."""
    shown = gaps[gaps["status"] == "shown"]
    clear = shown[shown["evidence"] == "clear gap"]
    hidden = int((gaps["status"] == "suppressed").sum())
    tail = f"; it is hidden in {words.small(hidden)}" if hidden else ""
    if shown.empty:
        return f"{group} and {reference}: no school has enough students to show"
    if clear.empty:
        return f"{group} and {reference}: no clear gap in any of {words.plural(len(shown), 'school')}{tail}"
    return f"{group} and {reference}: a clear gap in {words.small(len(clear))} of {words.plural(len(shown), 'school')}{tail}"


def groups_title(cells: pd.DataFrame, groups: pd.DataFrame, metric: Row, place: str) -> str:
    """The finding of the chart of groups side by side: how far apart they are at `place`."""
    comparable = set(groups.loc[groups["compared"], "group"])
    shown = cells[(cells["status"] == "shown") & cells["group"].isin(comparable)]
    if len(shown) < 2:
        return f"Too few groups have figures at {place} to set side by side"
    low, high = shown.loc[shown["value"].idxmin()], shown.loc[shown["value"].idxmax()]
    return (
        f"At {place}: from {words.value(low['value'], metric)} ({low['group']}) "
        f"to {words.value(high['value'], metric)} ({high['group']})"
    )


# --- Can these figures be trusted? ------------------------------------------------------------------


def quality_answer(reconciliation: pd.DataFrame, checks: pd.DataFrame) -> str:
    """The answer to 'Can I trust these figures?'."""
    totals = reconciliation[["rows_read", "rows_loaded", "rows_quarantined", "duplicates_dropped"]].sum()
    read = int(totals["rows_read"])
    balanced = unbalanced(reconciliation).empty
    critical = int((~checks["passed"] & (checks["severity"] == "critical")).sum())
    warnings = int((~checks["passed"] & (checks["severity"] == "warning")).sum())
    if not balanced or critical:
        why = "some rows are unaccounted for" if not balanced else words.plural(critical, "critical check") + " failed"
        return f"Not yet: {why}."
    aside = words.share(totals["rows_quarantined"], read)
    set_aside = f"{aside} of them {'were' if aside != 'none' else 'was'} set aside because a check failed"
    opening = "Yes" if not warnings else "Yes, with care"
    doubt = f", and {words.plural(warnings, 'warning')} {'needs' if warnings == 1 else 'need'} a look" if warnings else ""
    return f"{opening}: every one of {words.number(read)} rows is accounted for, {set_aside}{doubt}."


def unbalanced(reconciliation: pd.DataFrame) -> pd.DataFrame:
    """Files whose rows read are not rows loaded + quarantined + duplicates."""
    accounted = reconciliation[["rows_loaded", "rows_quarantined", "duplicates_dropped"]].sum(axis=1)
    return reconciliation[reconciliation["rows_read"] != accounted]


def not_available(definitions: pd.DataFrame) -> list[str]:
    """One sentence per reason why measures or characteristics are not shown."""
    missing = definitions[~definitions["available"].astype(bool)]
    return [
        f"Not shown, because {reason}: {words.listed([words.quoted(x) for x in rows['label']])}."
        for reason, rows in missing.groupby("unavailable_because", sort=False)
    ]
