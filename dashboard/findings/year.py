"""Through the year in words: who has not met their tutor yet, and which weeks were unlike those of earlier years."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import pandas as pd

from dashboard.findings import consistency, equity
from dashboard.style import words

Row = Mapping[str, Any]
NOT_MET = "no_meeting"
SHARE: Row = {"label": "Have met their tutor", "suffix": "%", "decimals": 0, "gap_suffix": " points"}
SIGNALS = {"high": "above", "low": "below"}
RULES = {
    "outside the limits": "outside the limits",
    "two of three near a limit": "two of three weeks near a limit",
    "seven on one side": "part of seven weeks or more on one side of what was expected",
    "seven rising or falling": "part of seven weeks or more that rise or fall",
}
NO_LIMITS = {
    "no earlier year": "there is no earlier year to expect anything from",
    "too few to say": "too few weeks of earlier years are alike enough to say what is unusual",
}


@dataclass(frozen=True)
class Span:
    """Which year is looked at, up to which week, and the year before ('' where there is none)."""

    year: str
    last: str
    week: int
    label: str
    in_progress: bool

    @property
    def when(self) -> str:
        """Up to when figures count."""
        return f"by week {self.week} of {self.year}" if self.in_progress else f"in {self.year}"

    @property
    def since(self) -> str:
        """The same point of the year before."""
        return f"by week {self.week} of {self.last}" if self.in_progress else f"in {self.last}"


def line(curve: pd.DataFrame, year: str, unit: str, to_date: bool, group: str = "all") -> pd.DataFrame:
    """One line of the table of curves: its weeks in order, those that are shown.

    to_date: up to the week that the year in progress has reached, out of those who had begun by then, so that years can
    be set side by side; an earlier year's further weeks are those of its whole.
    """
    if curve.empty:
        return curve
    own = curve[(curve["academic_year"] == year) & (curve["unit"] == unit) & (curve["group"] == group)]
    if "part" in own:  # releases made before curves had parts have one line a year
        dated = own["part"] == "to_date"
        own = own[dated | ~own["week"].isin(own.loc[dated, "week"])] if to_date else own[~dated]
    return own[own["status"] == "shown"].sort_values("week")


def late(points: Iterable[pd.DataFrame], span: Span) -> str:
    """Whom else the further weeks of last year's lines are out of, where any are drawn."""
    further = [p for p in points if "part" in p and (p["part"] == "year").any()]
    if not span.in_progress or not further:
        return ""
    since = min(int(p.loc[p["part"] == "year", "week"].min()) for p in further)
    which = f"From week {since} on, lines" if since else "Lines"
    return f"{which} of {span.last} are also out of those who began later in it."


def at(points: pd.DataFrame, week: int) -> Row | None:
    """A line's point at the end of a week; None where it has none."""
    found = points[points["week"] == week] if len(points) else points
    return found.iloc[0].to_dict() if len(found) else None


def last_point(points: pd.DataFrame, span: Span) -> Row | None:
    """A line's point up to the same time of its year: the week reached, or the end of a whole year."""
    if points.empty:
        return None
    return at(points, span.week) if span.in_progress else at(points, int(points["week"].max()))


def answer(now: Row | None, before: Row | None, place: str, span: Span) -> str:
    """Who has not met their tutor yet: the share and how many, with doubt, beside the year before."""
    if now is None:
        return words.sentence(f"how many students {place} had met their tutor {span.when} is not shown")
    said = (
        f"{span.when}, {_not_met(now)} of the students {place} had no meeting with their tutor on record "
        f"({words.interval(100 - now['upper'], 100 - now['lower'], SHARE)}), {_people(now)}"
    )
    if before is not None:
        said += f"; {_moved(now, before)} the {_not_met(before)} {span.since}"
    return words.sentence(said)


def _not_met(point: Row) -> str:
    return words.value(100 - point["value"], SHARE)


def _people(point: Row) -> str:
    """'about 7,100 of 37,400': both are rounded."""
    n = point["base"] * (100 - point["value"]) / 100
    step = 10 ** max(0, floor(log10(n)) - 1) if n >= 1 else 1
    return f"about {words.number(round(n / step) * step)} of {words.number(point['base'])}"


def _moved(now: Row, before: Row) -> str:
    """Of those who have not met their tutor, by the interval of the difference, as on the Overview."""
    moved = consistency.change(now, before)
    if moved is None or not moved.is_clear:
        return "not clearly different from"
    return "clearly fewer than" if moved.value > 0 else "clearly more than"


def widest(gaps: pd.DataFrame, metrics: pd.DataFrame, characteristics: pd.DataFrame) -> str:
    """The widest clear gap among those who have not met their tutor; or that there is none to see."""
    clear = first_gap(gaps, metrics, characteristics)
    if clear is None:
        return ""
    by = characteristics.loc[clear["characteristic"]]
    said = equity.gap_words(clear, metrics.loc[NOT_MET], by)
    return words.sentence(f"the widest clear gap is by {words.lowered(str(by['label']))}: {said}")


def first_gap(gaps: pd.DataFrame, metrics: pd.DataFrame, characteristics: pd.DataFrame) -> dict[Any, Any] | None:
    """The widest clear gap, of the finest characteristics; None where there is none."""
    clear = equity.finest(equity.missing_out(gaps, metrics), characteristics) if len(gaps) else gaps
    return clear.iloc[0].to_dict() if len(clear) else None


def first_characteristic(
    curve: pd.DataFrame, gaps: pd.DataFrame, metrics: pd.DataFrame, characteristics: pd.DataFrame, groups: pd.DataFrame
) -> str:
    """The one to begin with: that of the widest clear gap, else the first, of those with two groups to set side by
    side; that of the widest clear gap where none has; '' where there is no such gap either.

    curve: lines of the groups of one unit, level and year.
    """
    compared = groups[groups["compared"].astype(bool)][["characteristic", "group"]]
    seen = curve[curve["status"] == "shown"].merge(compared, on=["characteristic", "group"])
    sizes = seen.groupby("characteristic")["group"].nunique()
    several = set(sizes[sizes >= 2].index)
    of_several = gaps[gaps["characteristic"].isin(several)] if len(gaps) else gaps
    clear = first_gap(of_several if several else gaps, metrics, characteristics)
    if clear is not None:
        return str(clear["characteristic"])
    offered = characteristics.index[characteristics["available"].astype(bool)]
    return next((str(c) for c in offered if c in several), "")


def units_title(own: Row | None, university: Row | None, before: Row | None, name: str, span: Span) -> str:
    """The finding of the chart of a unit's line beside the university's, or beside its own of the year before."""
    if own is None:
        return f"{name}: too few students to show when they met their tutor"
    said = f"{words.value(own['value'], SHARE)} had met their tutor {span.when}"
    if university is not None:
        return f"{said}, {_against(own, university)} across the university"
    if before is not None:
        return f"{said}, {_against(own, before)} {span.since}"
    return said


def _against(own: Row, other: Row) -> str:
    value = words.value(other["value"], SHARE)
    return f"against {value}" if _moved(own, other).startswith("clearly") else f"not clearly apart from {value}"


def groups_title(
    points: Mapping[str, Row], compared: Sequence[str], gaps: pd.DataFrame, metrics: pd.DataFrame, span: Span
) -> str:
    """The finding of the chart of groups: the widest clear gap, by the evidence of `gaps` (of the characteristic)."""
    known = {group: points[group] for group in compared if group in points}
    if len(known) < 2:
        return "Too few groups can be shown to set side by side"
    found = equity.apart(gaps, metrics, known)
    if not isinstance(found, str):
        behind, ahead = (f"{group} at {words.value(known[group]['value'], SHARE)}" for group in found)
        return f"Had met their tutor {span.when}: {behind}, {ahead}"
    values = sorted(point["value"] for point in known.values())
    reach = words.interval(values[0], values[-1], SHARE)
    return words.headline(f"{found}: {span.when}, {reach} had met their tutor")


def hidden_groups(now: Mapping[str, pd.DataFrame], before: Mapping[str, pd.DataFrame], last: str) -> str:
    """Which groups are not drawn, this year or the year before, in words. now, before: group → its line."""
    hidden = [g for g, points in now.items() if points.empty]
    also = [g for g, points in before.items() if points.empty and g not in hidden] if last else []
    said = [words.listed(hidden)] if hidden else []
    if also:
        said.append(f"{'also ' if hidden else ''}{words.listed(also)} in {last}")
    return words.sentence(f"{words.STATUS['suppressed']}: {'; '.join(said)}") if said else ""


def weeks_title(weeks: pd.DataFrame) -> str:
    """The finding of the chart of contacts: which weeks were unlike those of earlier years."""
    shown = weeks[weeks["status"] == "shown"]
    if shown.empty:
        return "Weekly contacts are hidden to protect people"
    signals = shown[shown["signal"].isin(SIGNALS)]
    if len(signals):
        high, low = (
            _weeks(rows["week"].tolist()) if len(rows := signals[signals["signal"] == side]) else "" for side in SIGNALS
        )
        first = f"{'more' if high else 'fewer'} contacts than earlier years lead one to expect in {high or low}"
        return words.headline(f"{first}, fewer in {low}" if high and low else first)
    if shown["expected"].isna().all():
        return "There is nothing yet to compare the weekly contacts with"
    if shown["lower"].isna().all():
        return "Too few alike weeks in earlier years to say which weeks stand out"
    return "No week stood out from what earlier years lead one to expect"


def weeks_words(weeks: pd.DataFrame) -> str:
    """Every signal and the rule it breaks, in words; or why there are no limits."""
    shown = weeks[weeks["status"] == "shown"]
    signals = shown[shown["signal"].isin(SIGNALS)]
    by_rule = [
        f"{_weeks(rows['week'].tolist())} {'is' if len(rows) == 1 else 'are'} {RULES.get(str(rule), rule)}"
        for rule, rows in signals.groupby("rule", sort=False)
    ]
    if by_rule:
        return words.sentence("; ".join(by_rule)) + " A signal is a reason to ask what happened, not a verdict."
    reasons = {str(r) for r in shown["rule"]} & NO_LIMITS.keys()
    return words.sentence(NO_LIMITS[reasons.pop()]) if len(reasons) == 1 and shown["lower"].isna().all() else ""


def _weeks(weeks: Sequence[int]) -> str:
    """'week 4', 'weeks 4, 5 and 9'; runs of three or more as 'weeks 11 to 17'."""
    runs: list[list[int]] = []
    for week in sorted(int(w) for w in weeks):
        if runs and week == runs[-1][-1] + 1:
            runs[-1].append(week)
        else:
            runs.append([week])
    parts = [f"{r[0]} to {r[-1]}" if len(r) > 2 else words.listed([str(w) for w in r]) for r in runs]
    return f"week{'s' if len(weeks) > 1 else ''} {words.listed(parts)}"
