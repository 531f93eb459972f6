"""Which question a page about gaps opens on: the measure and characteristic of the widest clear gap."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.findings import equity
from dashboard.kept import kept
from dashboard.periods import code, periods_with
from dashboard.published import Release


def gap(release: Release, unit: str, metrics: Sequence[str], level: str, period: str) -> tuple[str, str]:
    """Measure and characteristic of the widest clear gap in a unit on some measures; empty where there is none.

    Level and period as an address names them: where it names none, all levels and each measure's latest period.
    """
    return _gap(release, unit, tuple(metrics), level if level in release.levels.index else "all", period)


@kept
def _gap(release: Release, unit: str, metrics: tuple[str, ...], level: str, period: str) -> tuple[str, str]:
    found = []
    for metric in metrics:
        offered = [p for _, p in periods_with(release, metric, level).iterrows()]
        when = next((p for p in offered if code(p) == period), offered[0])
        found.append(
            release.gaps(
                metric=metric, unit=unit, level=level, academic_year=when["academic_year"], part=when["part"]
            )
        )  # fmt: skip
    every = pd.concat(found) if found else pd.DataFrame()
    clear = equity.missing_out(every, release.metrics) if len(every) else every
    if clear.empty:
        return "", ""
    first = equity.finest_of_each(clear, release.characteristics).iloc[0]
    return str(first["metric"]), str(first["characteristic"])
