"""The published figures that findings may use: those that are shown, at all levels together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from pipelines.disclosure.rules import SHOWN
from pipelines.findings import wording

LEVEL = "all"
EVERYONE = "all"
UNIVERSITY = "university"
THEMES = ("contact", "voice")
ANSWERING = "response_rate"
RECORD = "recorded_of_recalled"
INCOMPLETE_BELOW = 70  # recorded of recalled meetings, per cent
WHEN = ["academic_year", "part"]
READ = ("cell", "gap", "pooled_gap", "pooled_gap_school", "consistency", "funnel", "trend", "response", "weighted")


@dataclass(frozen=True)
class Finding:
    """A sentence about a unit, and where to see it. `weight` ranks it, `news` is good, bad or neither."""

    unit: str
    kind: str
    sentence: str
    view: str
    weight: float
    news: str
    metric: str | None = None
    characteristic: str | None = None
    group: str | None = None
    academic_year: str | None = None
    part: str | None = None
    level: str | None = LEVEL

    def row(self) -> dict[str, Any]:
        """The finding as published."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("weight", "news")}


@dataclass(frozen=True)
class Facts:
    """The published tables, ready to be asked.

    units, metrics, groups that are compared, the people that groups stand for, and periods, the current one first.
    `finer`: of each broader characteristic, the one whose groups it joins. `when`: the period in which each metric is
    judged, which is the current one or, where the university has no figure in it, the latest one; `whole`: cells of
    everyone together in that period, by metric and unit.
    """

    units: dict[str, dict[str, Any]]
    metrics: dict[str, dict[str, Any]]
    people: dict[tuple[str, str], str]
    finer: dict[str, str]
    groups: set[tuple[str, str]]
    periods: dict[tuple[str, str], str]
    when: dict[str, tuple[str, str]]
    whole: dict[tuple[str, str], dict[str, Any]]
    tables: dict[str, pd.DataFrame]

    @staticmethod
    def of(tables: Mapping[str, pd.DataFrame]) -> Facts:
        """Read from the published tables, by name."""
        period = tables["period"].query("has_groups").sort_values("ordering")  # those that pages offer
        period = pd.concat([period[period["is_current"].astype(bool)], period[~period["is_current"].astype(bool)]])
        periods = {(str(p.academic_year), str(p.part)): str(p.label) for p in period.itertuples()}
        kept = {name: _shown(tables[name]) for name in READ if name in tables}
        everyone = plain(kept["cell"][kept["cell"]["characteristic"] == EVERYONE])
        everyone = everyone.dropna(subset=["value", "lower", "upper"])
        university = everyone[everyone["unit"] == UNIVERSITY]
        have = set(zip(university["metric"], university["academic_year"], university["part"], strict=True))
        metrics = _by(tables["metric"], "metric")
        found = {m: next((w for w in periods if (m, *w) in have), None) for m in metrics}
        when = {m: w for m, w in found.items() if w is not None}
        characteristic = tables.get("characteristic", pd.DataFrame(columns=["characteristic", "label"]))
        broader = characteristic.dropna(subset="of") if "of" in characteristic else characteristic.head(0).assign(of="")
        none = pd.DataFrame(columns=["characteristic", "group", "compared", "people"])
        group = tables.get("characteristic_group", none)
        people = {(r["characteristic"], r["group"]): r["people"] for r in group.to_dict("records")}
        group = group[group["compared"].astype(bool)]
        return Facts(
            groups=set(zip(group["characteristic"], group["group"], strict=True)),
            units=_by(tables["unit"], "unit"),
            metrics=metrics,
            people=people,
            finer=dict(zip(broader["characteristic"], broader["of"], strict=True)),
            periods=periods,
            when=when,
            whole={
                (row["metric"], row["unit"]): row
                for row in everyone.to_dict("records")
                if when.get(row["metric"]) == (row["academic_year"], row["part"])
            },
            tables=kept,
        )

    def get(self, name: str) -> pd.DataFrame | None:
        """A table's shown rows, or None where there are none."""
        frame = self.tables.get(name)
        return None if frame is None or frame.empty else frame

    def now(self, name: str, *needed: str) -> pd.DataFrame | None:
        """A table's shown rows in each metric's own period, with the figures `needed`; or None."""
        frame = self.get(name)
        if frame is None:
            return None
        keep = np.zeros(len(frame), bool)
        for (year, part), metrics in self._judged_in().items():
            at = (frame["academic_year"] == year) & (frame["part"] == part) & frame["metric"].isin(metrics)
            keep |= at.to_numpy(bool)
        frame = frame.take(np.flatnonzero(keep))
        frame = plain(frame).dropna(subset=list(needed))
        return None if frame.empty else frame

    def _judged_in(self) -> dict[tuple[str, str], list[str]]:
        return {period: [m for m, w in self.when.items() if w == period] for period in set(self.when.values())}

    def judged(self, theme: str | None = None, headline: bool = False) -> list[str]:
        """Metrics of contact and voice for which one direction is better, in reading order."""
        return [
            m for m, row in self.metrics.items()
            if m in self.when and m != ANSWERING and row["better"] in ("higher", "lower")
            and (row["theme"] == theme if theme else row["theme"] in THEMES)
            and (bool(row["headline"]) or not headline)
        ]  # fmt: skip

    def schools(self, unit: str) -> list[str]:
        """The schools of a unit; a school's own is itself."""
        kind = self.units[unit]["kind"]
        return [
            s for s, row in self.units.items()
            if row["kind"] == "school" and (kind == UNIVERSITY or unit in (s, row["parent"]))
        ]  # fmt: skip

    def owners(self, unit: str) -> Iterable[str]:
        """The unit and those it belongs to."""
        above = self.units[unit]["parent"]
        return (unit,) if above is None or pd.isna(above) else (unit, *self.owners(above))

    def during(self, metric: str) -> str:
        """' in 2025/26' where the metric is judged in another period than the current one, else nothing."""
        when = self.when[metric]
        return "" if when == next(iter(self.periods)) else f" in {self.periods[when]}"

    def name(self, unit: str) -> str:
        """A unit's name within a sentence: 'the School of Law'."""
        name = str(self.units[unit]["name"])
        return f"the {name}" if name.startswith(("School of", "Faculty of", "Department of", "Institute of")) else name

    def students(self, group: str, characteristic: str) -> str:
        """A group of a characteristic as people: 'Black students'."""
        return self.people.get((characteristic, group), group)

    def finest(self, rows: pd.DataFrame, *by: str) -> pd.DataFrame:
        """The rows without those of a broader characteristic where the same `by` has rows of its finer one."""
        keys = [rows[c] for c in by]
        said = set(zip(*keys, rows["characteristic"], strict=True))
        finer = rows["characteristic"].map(self.finer)
        return rows[np.array([key not in said for key in zip(*keys, finer, strict=True)], bool)]

    def label(self, metric: str) -> str:
        """A metric's label within a sentence."""
        return wording.quoted(str(self.metrics[metric]["label"]))

    def incomplete(self) -> dict[str, dict[str, Any]]:
        """Schools on whose record far fewer meetings are than students recall, with that cell."""
        if RECORD not in self.when:
            return {}
        schools = [u for u, row in self.units.items() if row["kind"] == "school" and (RECORD, u) in self.whole]
        return {u: self.whole[RECORD, u] for u in schools if self.whole[RECORD, u]["upper"] < INCOMPLETE_BELOW}


def clearly(row: Mapping[str, Any], target: float, better: str) -> str:
    """'better' or 'worse' where the whole interval lies on that side of the target, else nothing."""
    if row["lower"] > target:
        return "better" if better == "higher" else "worse"
    if row["upper"] < target:
        return "worse" if better == "higher" else "better"
    return ""


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that are shown, at all levels together."""
    keep = (frame["status"] == SHOWN).to_numpy(bool)
    if "level" in frame:
        keep = keep & (frame["level"] == LEVEL).to_numpy(bool)
    return frame.take(np.flatnonzero(keep))


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its keys as plain text; for few rows."""
    texts = [c for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype | pd.StringDtype)]
    return frame.astype(dict.fromkeys(texts, object))


def _by(frame: pd.DataFrame, key: str) -> dict[str, dict[str, Any]]:
    return {str(row[key]): row for row in frame.sort_values("ordering").to_dict("records")}
