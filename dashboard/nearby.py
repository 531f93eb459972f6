"""Links from hidden figures to the nearest view in which the same group can be seen."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import layout
from dashboard.findings import nearest
from dashboard.findings.nearest import Offer, View
from dashboard.layout import Visit
from dashboard.periods import code, periods_with
from dashboard.style import words

AT_ONCE = 2  # more links wait behind a fold
Query = dict[str, str]
Found = tuple[list[Offer], list[View]]


def groups(visit: Visit, hidden: pd.DataFrame, read: Callable[..., pd.DataFrame], across: bool = False) -> None:
    """Where groups can be seen whose figures are hidden, on the page of gaps.

    hidden: rows of `cell` or `gap`, of one metric, level and period; read: the release's `cells` or `gaps`.
    across: the chart shows all characteristics of a unit at once.
    """
    if hidden.empty:
        return
    release = visit.release
    compared = release.groups[release.groups["compared"].astype(bool) & ~release.groups["is_reference"].astype(bool)]
    followed = set(zip(compared["characteristic"], compared["group"], strict=True))

    def find() -> Found:
        own = set(hidden["characteristic"])
        wider = {b for (c, _), joined in _broader(visit).items() if c in own for b, _ in joined}
        shown = _openable(visit, hidden, read, sorted(own | wider))
        return nearest.offers(hidden, _around(visit, shown), one_page)

    def one_page(found: View, of: View) -> Hashable:
        if found.characteristic != of.characteristic:
            return found
        return replace(found, group="", characteristic="" if across else found.characteristic)

    def query(offer: Offer) -> tuple[str, Query]:
        view = offer.view
        own_groups = [one.group for one, _ in offer.hidden if one.characteristic == view.characteristic]
        group = next((g for g in [view.group, *own_groups] if (view.characteristic, g) in followed), "")
        asked = {**_asked(visit, view), "unit": view.unit, "characteristic": view.characteristic}
        asked |= {} if across else {"view": "where"}
        return "equity", asked | ({"group": group} if group else {})

    by = {str(c): words.lowered(str(label)) for c, label in release.characteristics["label"].items()}
    _show(visit, *visit.once(f"near {read.__name__}", find), query, lambda view: view.group, by)


def schools(visit: Visit, hidden: pd.DataFrame) -> None:
    """Where schools' figures of everyone can be seen that are hidden on the page that compares schools.

    hidden: rows of `cell`, of one metric, level and period.
    """
    if hidden.empty:
        return

    def find() -> Found:
        shown = _openable(visit, hidden, visit.release.cells, ["all"])
        is_faculty = shown["unit"].map(visit.release.units["kind"]) == "faculty"  # which that page does not show
        return nearest.offers(hidden, _around(visit, shown[~is_faculty]), one_page)

    def one_page(found: View, of: View) -> Hashable:
        return replace(found, unit="" if found.unit == of.unit else found.unit)

    def query(offer: Offer) -> tuple[str, Query]:
        return "schools", _asked(visit, offer.view)

    _show(visit, *visit.once("near schools", find), query, lambda _: "")


def headline(visit: Visit, hidden: pd.DataFrame) -> None:
    """Where a unit's headline figures can be seen that are hidden on the Overview, on the Overview.

    hidden: rows of `cell`, of everyone in one unit at one level, each in its metric's current period.
    """
    if hidden.empty:
        return

    def find() -> Found:
        rows = [_openable(visit, row, visit.release.cells, ["all"], False) for _, row in hidden.groupby("metric")]
        return nearest.offers(hidden, _around(visit, pd.concat(rows)), one_page)

    labels = visit.release.metrics["label"]

    def one_page(found: View, _: View) -> Hashable:
        return found.unit, found.level

    def query(offer: Offer) -> tuple[str, Query]:
        return "overview", {"unit": offer.view.unit, "level": offer.view.level}

    _show(visit, *visit.once("near headline", find), query, lambda view: words.quoted(str(labels[view.metric])))


def _broader(visit: Visit) -> dict[nearest.Group, list[nearest.Group]]:
    return nearest.broader(visit.release.characteristics, visit.release.groups)


def _around(visit: Visit, shown: pd.DataFrame) -> nearest.Nearest:
    release = visit.release
    return nearest.around(shown, release.units, _broader(visit), release.periods)


def _openable(
    visit: Visit,
    hidden: pd.DataFrame,
    read: Callable[..., pd.DataFrame],
    characteristics: Sequence[str],
    any_period: bool = True,
) -> pd.DataFrame:
    """What is shown of some characteristics, and a page can be opened with: where the university has the metric."""
    release, metric = visit.release, str(hidden["metric"].iloc[0])
    now = (hidden["academic_year"].iloc[0], hidden["part"].iloc[0])
    wanted = {now, *(nearest.last(release.periods, part) for part in nearest.TOLD)} if any_period else {now}
    opened: set[tuple[str, str, str]] = set()
    for level in release.levels.index:
        offered = periods_with(release, metric, level)
        at = set(offered.index if any_period else offered.index[:1])
        opened |= {(level, period[0], period[1]) for period in wanted if period and period in at}
    years, parts = sorted({o[1] for o in opened}), sorted({o[2] for o in opened})
    rows = read(metric=metric, characteristic=characteristics, academic_year=years, part=parts)
    rows = rows[rows["status"] == "shown"]
    places = zip(rows["level"], rows["academic_year"], rows["part"], strict=True)
    return rows.loc[[place in opened for place in places]]


def _asked(visit: Visit, view: View) -> Query:
    return {"metric": view.metric, "level": view.level, "period": code(visit.release.periods.loc[view.period])}


def _show(
    visit: Visit,
    found: list[Offer],
    without: list[View],
    query: Callable[[Offer], tuple[str, Query]],
    call: Callable[[View], str],
    by: Mapping[str, str] | None = None,
) -> None:
    release = visit.release

    def link(offer: Offer) -> None:
        level, period = release.levels.loc[offer.view.level, "label"], release.periods.loc[offer.view.period, "label"]
        page, asked = query(offer)
        text = nearest.offer_words(offer, call, release.units, str(level), str(period), by)
        visit.link(page, layout.plain(text), **asked)

    some, others = (found[:AT_ONCE], found[AT_ONCE:]) if len(found) > AT_ONCE + 1 else (found, [])
    for offer in some:
        link(offer)
    if others:
        with st.expander(
            f"Where {words.plural(sum(len(o.hidden) for o in others), 'other hidden figure')} can be seen"
        ):
            for offer in others:
                link(offer)
    if without:
        layout.quiet(f"Shown in no nearer view: {nearest.named(without, call, release.units, by)}.")
