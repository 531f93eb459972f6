"""Where a group can be seen whose figure is hidden: the nearest published view of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from dashboard.style import words

EVERY_LEVEL, WHOLE_YEAR, POOLED = "all", "year", "pooled"
TOLD = (WHOLE_YEAR, POOLED)  # other periods that a view is looked for in
MOST_NAMED = 4
Group = tuple[str, str]  # characteristic, group
Period = tuple[str, str]  # academic year, part


@dataclass(frozen=True)
class View:
    """One figure of one group: what a page is opened with to show it."""

    metric: str
    characteristic: str
    group: str
    unit: str
    level: str
    academic_year: str
    part: str

    @property
    def period(self) -> Period:
        """When."""
        return self.academic_year, self.part


@dataclass(frozen=True)
class Offer:
    """The nearest views of some hidden figures, that one page shows: the first of them, and for how many units.

    hidden: the figures, with the reason of each.
    """

    view: View
    hidden: tuple[tuple[View, str], ...]
    units: int = 1


@dataclass(frozen=True)
class Nearest:
    """What is shown, and what lies around it.

    seen: figures that are shown, to this viewer. parents: unit → the unit it belongs to. broader: group → broader
    groups it is part of. pooled: the last years that are pooled; last_year: the last whole year.
    """

    seen: frozenset[View]
    parents: Mapping[str, str]
    broader: Mapping[Group, Sequence[Group]]
    pooled: Period | None = None
    last_year: Period | None = None

    def to(self, hidden: View) -> View | None:
        """The nearest view in which the group is shown; None where the release has none."""
        return next((view for view in self._around(hidden) if view in self.seen), None)

    def _around(self, hidden: View) -> Iterator[View]:
        """Views ever further away: another level, a broader group, three years together, larger units; then all that
        in the last year.
        """
        yield from self._at_the_time(hidden)
        if self.last_year and self.last_year != hidden.period:
            earlier = _at(hidden, self.last_year)
            yield earlier
            yield from self._at_the_time(earlier)

    def _at_the_time(self, hidden: View) -> Iterator[View]:
        yield replace(hidden, level=EVERY_LEVEL)
        for characteristic, group in self.broader.get((hidden.characteristic, hidden.group), ()):
            yield replace(hidden, characteristic=characteristic, group=group)
        if self.pooled and self.pooled != hidden.period:
            yield replace(_at(hidden, self.pooled), level=EVERY_LEVEL)
        unit = hidden.unit
        while unit := self.parents.get(unit, ""):
            yield replace(hidden, unit=unit)
            yield replace(hidden, unit=unit, level=EVERY_LEVEL)


def _at(view: View, period: Period) -> View:
    return replace(view, academic_year=period[0], part=period[1])


def views(rows: pd.DataFrame) -> list[View]:
    """The figures of rows of `cell` or `gap`."""
    columns = [rows[name].astype(str) for name in View.__dataclass_fields__]
    return [View(*key) for key in zip(*columns, strict=True)]


def around(
    shown: pd.DataFrame, units: pd.DataFrame, broader_groups: Mapping[Group, Sequence[Group]], periods: pd.DataFrame
) -> Nearest:
    """What lies around a figure. shown: rows of `cell` or `gap` that are; units, periods: as published."""
    parents = {str(u): str(p) for u, p in zip(units["unit"], units["parent"], strict=True) if pd.notna(p)}
    return Nearest(frozenset(views(shown)), parents, broader_groups, last(periods, POOLED), last(periods, WHOLE_YEAR))


def last(periods: pd.DataFrame, part: str) -> Period | None:
    """The last period of a kind: whole years, years pooled; None where the release has none."""
    whole = periods.loc[periods["part"] == part, "academic_year"]
    return (str(whole.max()), part) if len(whole) else None


def broader(characteristics: pd.DataFrame, groups: pd.DataFrame) -> dict[Group, list[Group]]:
    """Group → the broader groups that join it with others; none where the release joins none."""
    found: dict[Group, list[Group]] = {}
    if "of" not in characteristics or "joins" not in groups:
        return found
    finer = {str(c): str(of) for c, of in characteristics["of"].items() if isinstance(of, str) and of}
    for g in groups[groups["characteristic"].isin(finer)].to_dict("records"):
        for group in json.loads(g["joins"] or "[]"):
            found.setdefault((finer[g["characteristic"]], group), []).append((g["characteristic"], g["group"]))
    return found


def offers(
    hidden: pd.DataFrame, nearest: Nearest, page: Callable[[View, View], Hashable]
) -> tuple[list[Offer], list[View]]:
    """The nearest views of hidden rows, one for all that one page shows; and rows that have none.

    hidden: rows of `cell` or `gap`. page: (nearest, hidden) → what must be alike for one page to show both.
    """
    of: dict[Hashable, list[tuple[View, View, str]]] = {}
    without = []
    for view, row in zip(views(hidden), hidden.to_dict("records"), strict=True):
        if found := nearest.to(view):
            of.setdefault(page(found, view), []).append((found, view, words.missing(row)))
        else:
            without.append(view)
    made = [
        Offer(some[0][0], tuple((view, why) for _, view, why in some), len({found.unit for found, _, _ in some}))
        for some in of.values()
    ]
    return made, without


def offer_words(
    offer: Offer,
    call: Callable[[View], str],
    units: pd.DataFrame,
    level: str,
    period: str,
    by: Mapping[str, str] | None = None,
) -> str:
    """'Too few to show: Black (ethnicity) in Law. Nearest: the Faculty of Arts, all levels'.

    call: what a hidden figure is called beside its place ('' where the place says it all). level, period: of the
    view, in words; the period is said only where it is another one. by: what characteristics are called, where groups
    are told.
    """
    view, hidden = offer.view, [one for one, _ in offer.hidden]
    reasons = {why for _, why in offer.hidden}
    said = words.headline(reasons.pop() if len(reasons) == 1 else words.STATUS["suppressed"])
    where = words.within(str(units.loc[view.unit, "name"])) if offer.units == 1 else "each of them"
    nearest = [where, words.lowered(level)]
    if hidden[0].characteristic != view.characteristic:
        nearest.insert(0, view.group)
    if hidden[0].period != view.period:
        nearest.append(period)
    return f"{said}: {named(hidden, call, units, by)}. Nearest: {', '.join(nearest)}"


def named(
    hidden: Sequence[View],
    call: Callable[[View], str],
    units: pd.DataFrame,
    by: Mapping[str, str] | None = None,
) -> str:
    """'Black and Mixed (ethnicity) in Law, Other (sex) in Music'; beyond a few, how many figures and where."""
    short = units["short_name"]
    places: dict[tuple[str, str], list[str]] = {}
    for view in hidden:
        places.setdefault((view.unit, f" ({by[view.characteristic]})" if by else ""), []).append(call(view))
    if len(hidden) > MOST_NAMED and not any(call(view) for view in hidden):
        return words.plural(len({view.unit for view in hidden}), "place")
    if len(hidden) > MOST_NAMED:
        n = len({view.unit for view in hidden})
        where = f" in {words.plural(n, 'place')}" if n > 1 else f" in {short[hidden[0].unit]}"
        called = {call(view) for view in hidden}
        of = f" of {called.pop()}" if len(called) == 1 and all(called) else ""
        return f"{words.number(len(hidden))} figures{of}{where}"
    return words.listed(
        [
            f"{words.listed(what)}{about} in {short[unit]}" if any(what) else str(short[unit])
            for (unit, about), what in places.items()
        ]
    )
