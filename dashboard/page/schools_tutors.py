"""Between tutors: how far it depends on the tutor, in each school and in a typical one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard import between, layout
from dashboard.charts.tutors import spreads
from dashboard.findings import consistency, tutors
from dashboard.findings.consistency import Comparison
from dashboard.layout import Visit


def show(visit: Visit, c: Comparison, period: pd.Series, level: str) -> None:
    """How far tutors differ in each school, beyond chance."""
    layout.chart(visit, **visit.once("tutors", lambda: _chart(visit, c, period, level)))
    layout.quiet(tutors.caution(c.metric["theme"] == "contact"))


def _chart(visit: Visit, c: Comparison, period: pd.Series, level: str) -> dict[str, Any]:
    release, metric = visit.release, c.metric
    found = between.tutors(release, period, metric=str(metric["metric"]), level=level)
    rows = tutors.rows(found, release.units, visit.viewer.home)
    more = tutors.more(rows, metric)
    beside = f"Between schools: {consistency.spread(c)}." if c.chance_aside and not c.partial else ""
    return {
        "figure": spreads(rows, metric, visit.theme, visit.column),
        "title": tutors.title(rows, metric),
        "subtitle": f"{layout.about(metric, c.period, release.levels.loc[level, 'label'])}, {tutors.WHOM}.",
        "alt": tutors.answer(rows, metric),
        "table": tutors.table(rows, metric),
        "figures": lambda: found,
        "numeric": tutors.FIGURES,
        "legend": [(visit.theme.of(verdict), glyph, said) for verdict, glyph, said in tutors.legend(rows)],
        "note": f"{more} {beside}".strip(),
        "key": "tutors",
    }
