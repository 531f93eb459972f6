"""How schools meet their students, beside what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.findings.consistency import Comparison
from dashboard.style import words

Row = Mapping[str, Any]
Place = dict[str, Any]
OUTCOME = ("base", "value", "lower", "upper", "status", "why")


def order(found: pd.DataFrame) -> list[str]:
    """Modes, the commonest at the university first."""
    at_all = found[found["unit"] == "university"]
    ranked = at_all.sort_values("value", ascending=False, na_position="last", kind="stable")["mode"].tolist()
    return [*ranked, *(m for m in dict.fromkeys(found["mode"]) if m not in ranked)]


def places(found: pd.DataFrame, c: Comparison, units: pd.DataFrame) -> list[Place]:
    """The university and each school, most in person (or whatever is commonest) first: its modes and its outcome."""
    if found.empty:
        return []
    shares: dict[str, dict[str, float]] = {}
    hidden: set[str] = set()
    for r in found.to_dict("records"):
        if r["status"] == "shown":
            shares.setdefault(r["unit"], {})[r["mode"]] = float(r["value"])
        else:
            hidden.add(r["unit"])
    outcome = {u: c.figure(u) for u in units.index}
    rows = [
        {"unit": u["unit"], "name": u["name"], "short_name": u["short_name"], "kind": u["kind"],
         "modes": shares.get(u["unit"], {}) if u["unit"] not in hidden else {},
         "without": words.STATUS["suppressed" if u["unit"] in hidden else "none"],
         **{k: outcome[u["unit"]].get(k) for k in OUTCOME}}
        for u in units[units["kind"].isin(["university", "school"])].to_dict("records")
    ]  # fmt: skip
    first = (order(found) or [""])[0]
    return sorted(rows, key=lambda r: (r["kind"] != "university", not r["modes"], -r["modes"].get(first, 0.0)))


def title(rows: Sequence[Place], names: Sequence[str], c: Comparison) -> str:
    """'In person makes up 31% to 81% of meetings by school; on ‘Trust’ schools differ by more than chance'."""
    schools = [r["modes"].get(names[0], 0.0) for r in rows if r["kind"] == "school" and r["modes"]]
    if not schools:
        return "How your school meets is not published"
    low, high = min(schools), max(schools)
    spread = f"{low:.0f}%" if low == high else f"{low:.0f}% to {high:.0f}%"
    where = " by school" if len(schools) > 1 else ""
    said = f"{names[0]} makes up {spread} of meetings{where}"
    if c.differs is None:
        return words.headline(said)
    seen = "schools differ by more than chance" if c.differs else "no difference beyond chance can be seen"
    return words.headline(f"{said}; on {words.quoted(c.metric['label'])} {seen}")
