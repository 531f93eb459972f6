"""The tables behind the charts of the year: frames of figures in, frames of words out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.findings.year import RULES, SHARE, SIGNALS
from dashboard.style import words

Row = Mapping[str, Any]
CONTACTS = ("Contacts", "Expected", "Limits")


def beside(lines: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per week, one column per line: the share who have met their tutor, with its interval."""
    weeks = sorted({int(w) for points in lines.values() for w in points.get("week", [])})
    by_week = {name: _by_week(points) for name, points in lines.items()}
    return pd.DataFrame(
        [{"By the end of week": str(w), **{name: found.get(w, "–") for name, found in by_week.items()}} for w in weeks]
    )


def _by_week(points: pd.DataFrame) -> dict[int, str]:
    return {
        int(p["week"]): f"{words.value(p['value'], SHARE)} ({words.interval(p['lower'], p['upper'], SHARE)})"
        for p in points.to_dict("records")
    }


def by_group(now: Mapping[str, pd.DataFrame], before: Mapping[str, pd.DataFrame], year: str, last: str) -> pd.DataFrame:
    """One row per group and week: the share who have met their tutor this year and the year before."""
    rows = []
    for group, points in now.items():
        old = before.get(group, points.head(0))
        since, these = _by_week(old), _by_week(points)
        bases = {int(p["week"]): words.about(p["base"]) for p in points.to_dict("records")}
        for week in sorted({*these, *since}):
            row = {"Group": group, "Week": str(week), year: these.get(week, "–"), "Out of": bases.get(week, "–")}
            rows.append(row | ({last: since.get(week, "–")} if last else {}))
    return pd.DataFrame(rows)


def contacts(weeks: pd.DataFrame) -> pd.DataFrame:
    """One row per teaching week: contacts, what was expected, its limits and whether the week stands out."""
    return pd.DataFrame(
        [
            {
                "Week": str(w["week"]),
                "Contacts": words.number(w["contacts"]) if w["status"] == "shown" else words.missing(w),
                "Expected": words.number(w["expected"]) if pd.notna(w["expected"]) else "–",
                "Limits": f"{words.number(w['lower'])} to {words.number(w['upper'])}" if pd.notna(w["lower"]) else "–",
                "Stands out": why(w) or "–",
            }
            for w in weeks.sort_values("week").to_dict("records")
        ]
    )


def why(week: Row) -> str:
    """Why a week stands out: 'above: outside the limits'; empty where it does not."""
    if week["signal"] not in SIGNALS:
        return ""
    return f"{SIGNALS[week['signal']]}: {RULES.get(str(week['rule']), week['rule'])}"
