"""Between tutors: how far it depends on the tutor, in each school and in a typical one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard import between, layout
from dashboard.charts.tutors import spreads
from dashboard.findings import consistency, tutors
from dashboard.findings.consistency import Comparison
from dashboard.layout import Visit


def show(visit: Visit, c: Comparison, period: pd.Series) -> None:
    """How far tutors differ in each school, beyond chance; of whole years, all levels together."""
    layout.chart(visit, **visit.once("tutors", lambda: _chart(visit, c, period)))
    layout.quiet(tutors.caution(c.metric["theme"] == "contact"))


def _chart(visit: Visit, c: Comparison, period: pd.Series) -> dict[str, Any]:
    release, metric = visit.release, c.metric
    year = between.year_told(release, str(metric["metric"]), period)
    found = between.tutors(release, year, metric=str(metric["metric"]))
    rows = tutors.rows(found, release.units, visit.viewer.home)
    every_level = release.levels.loc["all", "label"]
    is_same = c.period == str(year["label"]) and c.chance_aside and not c.partial
    beside = f"Between schools: {consistency.spread(c)}." if is_same else ""
    return {
        "figure": spreads(rows, metric, visit.theme, visit.column),
        "title": tutors.title(rows, metric),
        "subtitle": f"{layout.about(metric, str(year['label']), every_level)}, {tutors.WHOM}. Told of whole years.",
        "alt": tutors.answer(rows, metric),
        "table": tutors.table(rows, metric),
        "figures": lambda: found,
        "numeric": tutors.FIGURES,
        "legend": [(visit.theme.of(verdict), glyph, said) for verdict, glyph, said in tutors.legend(rows)],
        "note": f"{tutors.more(rows, metric)} {beside}".strip(),
        "key": "tutors",
    }
