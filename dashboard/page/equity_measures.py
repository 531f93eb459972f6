"""Gaps on every headline measure in one table: who is missing out on more than one?"""

from __future__ import annotations

import pandas as pd

from dashboard import layout
from dashboard.findings import every, standing
from dashboard.layout import Visit
from dashboard.page import schools_headline
from dashboard.page.equity_where import unit_of
from dashboard.style import html, words
from dashboard.tables_headline import gaps as matrix


def across(visit: Visit, unit: str, level: str, period: pd.Series) -> None:
    """Every group against its reference on every headline measure. A measure's name leads to its own view."""
    release = visit.release
    metrics = schools_headline.headline_of(release)
    periods = schools_headline.periods_of(release, metrics, level, period)
    everyone, found = {}, {}
    for name, when in periods.items():
        at = {"academic_year": str(when["academic_year"]), "part": str(when["part"]), "level": level}
        everyone[name] = standing.figure(release.everyone(name, level, when), unit)
        found[name] = release.gaps(metric=name, unit=unit, **at)
    frame = matrix(metrics, everyone, found, release.characteristics, release.groups)
    if frame.empty:
        layout.section("No gap between groups to show on the headline measures")
        return
    together = pd.concat(found.values())
    title = every.gaps_title(together, release.metrics, release.characteristics)
    notes = {
        str(m["label"]): str(periods[str(m["metric"])]["label"])
        for m in metrics
        if periods[str(m["metric"])]["label"] != period["label"]
    }
    theme, units = visit.theme, {unit_of(metric) for metric in metrics}
    layout.table(
        visit,
        html.matrix(frame, title, schools_headline.links(visit, metrics, periods, ["view"]), notes),
        title=title,
        subtitle=(
            f"{visit.name(unit)}: each group minus its reference{units.pop() if len(units) == 1 else ''}, "
            f"headline measures, {period['label']}"
            f"{' unless another period is named' if notes else ''}, "
            f"{words.lowered(str(release.levels.loc[level, 'label']))}, with 95% intervals. Without a mark: no clear "
            f"gap{_smallest(metrics)}. A measure’s name opens its own view."
        ),
        legend=[
            (theme.attention, "◀▶", "group worse off: clear gap; open: possible gap"),
            (theme.well, "◀▶", "group better off, likewise"),
        ],
        figures=lambda: together,
        key="measures",
    )


def _smallest(metrics: list[pd.Series]) -> str:
    """', or one of less than 3 points before rounding', where that is the same for all."""
    sizes = {(float(m["material"]), str(m["gap_suffix"])) for m in metrics}
    if len(sizes) != 1:
        return ""
    ((size, suffix),) = sizes
    return f", or one of less than {size:g}{suffix} before rounding"
