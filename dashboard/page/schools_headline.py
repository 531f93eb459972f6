"""The first view of Compare schools: every school on every headline measure, in one table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import pandas as pd

from dashboard import layout, record
from dashboard.compared import compare
from dashboard.filters import Filters, chosen_here
from dashboard.findings import consistency
from dashboard.findings.consistency import Comparison
from dashboard.layout import Visit
from dashboard.periods import code, periods_with
from dashboard.published import Release
from dashboard.style import html, words
from dashboard.tables_headline import matrix


@dataclass(frozen=True)
class Chosen:
    """What the view is about: schools on each headline measure in its period, and whose records look incomplete."""

    compared: list[Comparison]
    periods: dict[str, pd.Series]  # of each measure
    incomplete: dict[str, float]
    level: str
    period: str


def chosen(visit: Visit, filters: Filters) -> Chosen:
    """The filters of this view, drawn where this is called."""
    release = visit.release
    level = filters.level()
    headline = headline_of(release)
    period = filters.period(str(headline[0]["metric"]), level)
    return visit.once("all chosen", lambda: _chosen(release, headline, level, period))


def headline_of(release: Release) -> list[pd.Series]:
    """The headline measures there are, or all where none is."""
    offered = release.metrics[release.metrics["available"].astype(bool)]
    is_headline = offered["headline"].astype(bool)
    return [metric for _, metric in (offered[is_headline] if is_headline.any() else offered).iterrows()]


def _chosen(release: Release, headline: list[pd.Series], level: str, period: pd.Series) -> Chosen:
    periods = periods_of(release, headline, level, period)
    compared = [compare(release, m, periods[str(m["metric"])], level) for m in headline]
    return Chosen(compared, periods, record.incomplete(release, level), level, str(period["label"]))


def periods_of(release: Release, metrics: Sequence[pd.Series], level: str, period: pd.Series) -> dict[str, pd.Series]:
    """The period of each measure: one that has no figure yet in the year in progress has its latest."""
    periods: dict[str, pd.Series] = {}
    for metric in metrics:
        offered = periods_with(release, str(metric["metric"]), level)
        has_none = bool(period["is_current"]) and period.name not in offered.index
        periods[str(metric["metric"])] = offered.iloc[0] if has_none and len(offered) else period
    return periods


def links(
    visit: Visit, metrics: Sequence[pd.Series], periods: dict[str, pd.Series], without: Collection[str]
) -> dict[str, str]:
    """Where the names of measures lead: this page with its filters but some, on that measure in its period."""
    here = {name: value for name, value in chosen_here().items() if name not in {"metric", "period", *without}}
    return {
        str(m["label"]): "?"
        + urlencode({**visit.keep, **here, "metric": m["metric"], "period": code(periods[str(m["metric"])])})
        for m in metrics
    }


def show(visit: Visit, x: Chosen, own: set[str]) -> None:
    """The table; `own`: schools to highlight. A measure's name leads to its own view, with these filters."""
    schools = x.compared[0].schools
    frame = matrix(x.compared, x.incomplete, "short_name")
    if frame.empty:
        layout.section("There is no school here to show")
        return
    leading = links(visit, [pd.Series(c.metric) for c in x.compared], x.periods, ["drawn"])
    notes = {str(c.metric["label"]): c.period for c in x.compared if c.period != x.period}
    title = "Your schools on every headline measure" if x.compared[0].partial else consistency.strips_title(x.compared)
    level = words.lowered(str(visit.release.levels.loc[x.level, "label"]))
    layout.table(
        visit,
        html.matrix(frame, title, leading, notes, set(schools.loc[schools["unit"].isin(own), "short_name"])),
        title=title,
        subtitle=(
            f"Headline measures, {x.period}{' unless another period is named' if notes else ''}, {level}, "
            "with 95% intervals. A measure’s name opens its own view. From A to Z, not by rank."
        ),
        legend=_legend(visit, x),
        figures=lambda: pd.concat([c.numbers for c in x.compared]).assign(level=x.level),
        key="headline",
    )


def _legend(visit: Visit, x: Chosen) -> list[html.Key]:
    theme = visit.theme
    apart = {
        consistency.verdict(str(side), str(c.metric["better"]))
        for c in x.compared
        for side in c.schools.loc[c.schools["side"].isin(consistency.OUTSIDE), "side"]
    }
    limits: list[html.Key] = [
        (theme.well, "▲▼", "outside the usual range, on the good side"),
        (theme.attention, "▲▼", "outside it, on the other"),
    ]
    doubt: list[html.Key] = [(theme.context, html.DOUBT, f"{record.INCOMPLETE}: check it first")]
    return [*(limits if apart else []), *(doubt if x.incomplete else [])]
