"""A small, realistic release in the published contract, so that the dashboard's tests need no pipeline.

The figures are invented but hang together: schools differ, some groups meet their tutor less, three
schools do not log their meetings, small cells are hidden, and this year's survey has not run yet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from pipelines.definitions import UNKNOWN, Definitions, Metric, load
from pipelines.disclosure.cost import protection
from pipelines.findings import findings
from tests.dashboard.sample_measures import derived, like_for_like
from tests.dashboard.sample_university import (
    CENTRE,
    CHECKS,
    CURRENT_WEEK,
    CURRENT_YEAR,
    FACULTIES,
    FILES,
    LEVEL_SHARE,
    LEVELS,
    LOWER,
    MEANS,
    NOT_LOGGING,
    OUTSTANDING,
    QUARANTINE,
    SCHOOLS,
    YEARS,
)
from tests.dashboard.sample_voices import voices_and_year


@dataclass(frozen=True)
class Sample:
    """What the sample release should look like; the defaults are a whole university."""

    name: str = "2026-11-30-0600-a1b2c3"
    source: str = "example"
    feedback: bool = True
    year_in_progress: bool = True
    meetings: bool = True
    definitions: Definitions = field(default_factory=load)
    shift: float = 0.0  # added to every school's effect: a later release with other figures
    seed: int = 7


def write_release(published: Path, sample: Sample | None = None) -> str:
    """Write a release into the folder `published` and make it the current one; returns its name."""
    sample = sample or Sample()
    folder = published / sample.name
    folder.mkdir(parents=True, exist_ok=True)
    frames = _tables(sample)
    with duckdb.connect(str(folder / "university.duckdb")) as connection:
        for table, frame in frames.items():
            connection.register("frame", frame)
            connection.execute(f'create table "{table}" as select * from frame')
            connection.unregister("frame")
    draft = published / "current.draft"
    draft.write_text(sample.name + "\n", encoding="utf-8")
    draft.replace(published / "current")
    return sample.name


def _year(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02d}"


_made: dict[str, dict[str, pd.DataFrame]] = {}


def _tables(sample: Sample) -> dict[str, pd.DataFrame]:
    """A release's tables; the figures are made once for all samples that differ in name and source only."""
    alike = replace(sample, name="", source="")
    if repr(alike) not in _made:
        _made[repr(alike)] = _figures(alike)
    return {"release": _release(sample), **_made[repr(alike)]}


def _figures(sample: Sample) -> dict[str, pd.DataFrame]:
    units, periods = _units(), _periods(sample)
    cells = _cells(sample, units, periods)
    if not sample.meetings:
        cells = cells[cells["metric"].map({m.name: m.theme for m in sample.definitions.metrics.values()}) != "contact"]
    gaps = like_for_like(_gaps(sample, cells))
    tables = {
        "unit": units,
        "metric": _metrics(sample),
        "characteristic": _characteristics(sample),
        "characteristic_group": _groups(sample),
        "level": pd.DataFrame([{"level": k, "label": v, "ordering": i} for i, (k, v) in enumerate(LEVELS.items())]),
        "period": periods,
        "cell": cells.drop(columns=["share", "spread"]),
        "gap": gaps,
        **derived(cells, gaps, units, sample.definitions),
        "protection": protection(cells, _schools(units), sample.definitions),
        **_quality(sample),
        **voices_and_year(cells, periods),
    }
    return {**tables, "finding": findings(tables)}


def _release(sample: Sample) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "release": sample.name,
                "created": datetime(2026, 11, 30, 6, 0, tzinfo=UTC).replace(tzinfo=None),
                "university": "Northmere University",
                "source": sample.source,
                "grade": "internal",
                "data_through": _data_through(sample),
                "current_year": _year(CURRENT_YEAR) if sample.year_in_progress else None,
                "current_week": CURRENT_WEEK if sample.year_in_progress else None,
                "code_version": "0.1.0",
                "rules": json.dumps({"smallest_base": 10, "round_bases_to": 5}),
            }
        ]
    )


def _data_through(sample: Sample) -> date | None:
    if not sample.meetings:
        return None
    return date(2026, 11, 27) if sample.year_in_progress else date(2026, 5, 22)


def _units() -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "unit": "university",
            "kind": "university",
            "name": "Northmere University",
            "short_name": "University",
            "parent": None,
        }
    ]
    for code, (name, short) in FACULTIES.items():
        rows.append(
            {
                "unit": f"faculty:{code}",
                "kind": "faculty",
                "name": name,
                "short_name": short,
                "parent": "university",
            }
        )
    for code, names in SCHOOLS.items():
        for i, name in enumerate(names, 1):
            rows.append(
                {
                    "unit": f"school:{code}{i}",
                    "kind": "school",
                    "name": f"School of {name}",
                    "short_name": name,
                    "parent": f"faculty:{code}",
                }
            )
    return pd.DataFrame(rows).assign(ordering=range(len(rows)))


def _schools(units: pd.DataFrame) -> pd.DataFrame:
    schools = units[units["kind"] == "school"]
    code, faculty = (schools[c].str.partition(":")[2] for c in ("unit", "parent"))
    return pd.DataFrame({"school_code": code, "faculty_code": faculty})


def _metrics(sample: Sample) -> pd.DataFrame:
    rows = []
    for i, m in enumerate(sample.definitions.metrics.values()):
        available = sample.feedback or not _needs_feedback(m)
        rows.append(
            {
                "metric": m.name,
                "theme": m.theme,
                "label": m.label,
                "definition": m.definition,
                "out_of": m.out_of,
                "kind": m.kind,
                "suffix": "%" if m.is_percentage else "",
                "gap_suffix": " points" if m.is_percentage else "",
                "decimals": m.decimals,
                "better": m.better,
                "material": m.material,
                "headline": m.headline,
                "available": available,
                "unavailable_because": None if available else "there is no feedback extract",
                "ordering": i,
            }
        )
    return pd.DataFrame(rows)


def _needs_feedback(metric: Metric) -> bool:
    return metric.grain == "response" or any(need.startswith("feedback.") for need in metric.needs)


def _characteristics(sample: Sample) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "characteristic": c.name,
                "label": c.label,
                "ordered": c.ordered,
                "reference": c.reference,
                "of": c.of or None,
                "available": c.name != "care_experienced",
                "unavailable_because": "the enrolments extract has no such column"
                if c.name == "care_experienced"
                else None,
                "ordering": i,
            }
            for i, c in enumerate(sample.definitions.characteristics.values())
        ]
    )


def _groups(sample: Sample) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "characteristic": c.name,
                "group": g,
                "ordering": i,
                "is_reference": g == c.reference,
                "compared": g != UNKNOWN,
                "people": c.students(g),
            }
            for c in sample.definitions.characteristics.values()
            for i, g in enumerate((*c.groups, UNKNOWN))
        ]
    )


def _periods(sample: Sample) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for year in YEARS:
        in_progress = year == CURRENT_YEAR
        if in_progress and not sample.year_in_progress:
            continue
        label = _year(year)
        last = sample.year_in_progress is False and year == CURRENT_YEAR - 1
        if not in_progress:
            rows.append(
                {
                    "academic_year": label,
                    "part": "year",
                    "label": label,
                    "through_week": None,
                    "is_current": last,
                    "has_groups": True,
                }
            )
        if sample.year_in_progress:
            rows.append(
                {
                    "academic_year": label,
                    "part": "to_date",
                    "label": f"{label} to week {CURRENT_WEEK}",
                    "through_week": CURRENT_WEEK,
                    "is_current": in_progress,
                    "has_groups": year >= CURRENT_YEAR - 1,
                }
            )
    newest_first = pd.DataFrame(rows[::-1])
    return newest_first.assign(ordering=range(len(rows))).astype({"through_week": "Int64"})


def _grid(sample: Sample, units: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """Every cell there could be: everyone for all periods, groups for the latest ones only."""
    groups = [("all", "all")] + [
        (c.name, g)
        for c in sample.definitions.characteristics.values()
        if c.name != "care_experienced"
        for g in (*c.groups, UNKNOWN)
    ]
    metrics = [m.name for m in sample.definitions.metrics.values() if sample.feedback or not _needs_feedback(m)]
    recent = periods[periods["academic_year"] >= _year(CURRENT_YEAR - 1)]
    wide = recent.merge(pd.DataFrame({"level": ["all", "UG"]}), how="cross").merge(
        pd.DataFrame(groups[1:], columns=["characteristic", "group"]), how="cross"
    )
    everyone = periods.merge(pd.DataFrame({"level": list(LEVELS)}), how="cross").assign(
        characteristic="all", group="all"
    )
    grid = pd.concat([everyone, wide])[["academic_year", "part", "level", "characteristic", "group"]]
    grid = grid.merge(units[["unit", "kind", "parent"]], how="cross")
    grid = grid.merge(pd.DataFrame({"metric": metrics}), how="cross")
    voice = grid["metric"].map({m.name: _needs_feedback(m) for m in sample.definitions.metrics.values()})
    return grid[~(voice & (grid["part"] == "to_date"))].reset_index(drop=True)


def _cells(sample: Sample, units: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(sample.seed)
    grid = _grid(sample, units, periods)
    metrics = sample.definitions.metrics
    schools = units[units["kind"] == "school"]
    size = dict(zip(schools["unit"], rng.integers(380, 2300, len(schools)), strict=True))
    effect = {u: sample.shift + rng.normal(0, 0.38) for u in schools["unit"]}
    effect |= dict.fromkeys(OUTSTANDING, sample.shift + 1.1)
    for parent in [f"faculty:{code}" for code in FACULTIES] + ["university"]:
        members = schools if parent == "university" else schools[schools["parent"] == parent]
        size[parent] = sum(size[u] for u in members["unit"])
        effect[parent] = sum(effect[u] * size[u] for u in members["unit"]) / size[parent]

    group_share = {("all", "all"): 1.0}
    for c in sample.definitions.characteristics.values():
        weights = rng.dirichlet(np.full(len(c.groups), 3.0)) * 0.96
        group_share |= {(c.name, g): w for g, w in zip(c.groups, weights, strict=True)} | {(c.name, UNKNOWN): 0.04}
    share = np.array([group_share[k] for k in zip(grid["characteristic"], grid["group"], strict=True)])
    level = grid["level"].map(LEVEL_SHARE).to_numpy()
    answers = grid["metric"].map({m.name: 0.31 if m.grain == "response" else 1.0 for m in metrics.values()})
    base = np.rint(grid["unit"].map(size) * share * level * answers).to_numpy()

    means = {m.name: MEANS.get(m.name, (1.2, 0.8)) for m in metrics.values() if not m.is_percentage}
    is_mean = grid["metric"].isin(means).to_numpy()
    centre = grid["metric"].map({m: _logit(CENTRE.get(m, 0.7)) for m in metrics}).to_numpy()
    sign = grid["metric"].map({m.name: -1 if m.better == "lower" else 1 for m in metrics.values()}).to_numpy()
    tilt = grid["unit"].map(effect).to_numpy() * np.where(grid["metric"].eq("recorded_of_recalled"), 0.2, 1)
    tilt = tilt + grid["group"].map(LOWER).fillna(0).to_numpy()
    tilt = tilt + np.where(grid["part"].eq("to_date"), -0.5, 0) + (grid["academic_year"] >= "2026/27") * 0.12
    quiet = grid["unit"].isin(NOT_LOGGING).to_numpy()
    theme = grid["metric"].map({m.name: m.theme for m in metrics.values()}).to_numpy()
    tilt = tilt - np.where(quiet & (theme == "record"), 2.4, 0) - np.where(quiet & (theme == "contact"), 0.9, 0)
    share_true = 1 / (1 + np.exp(-(centre + sign * tilt)))
    spread = np.where(is_mean, grid["metric"].map({m: v[1] for m, v in means.items()}).fillna(0), 0)
    scale = np.where(is_mean, grid["metric"].map({m: v[0] for m, v in means.items()}).fillna(0), 0)

    safe = np.maximum(base, 1)
    drawn = rng.binomial(safe.astype(int), share_true) / safe
    error = np.where(is_mean, spread / np.sqrt(safe), np.sqrt(np.maximum(drawn * (1 - drawn), 0.02) / safe))
    middle = np.where(is_mean, scale * np.exp(0.35 * sign * tilt), 100 * drawn)
    half = 1.96 * np.where(is_mean, error, 100 * error)
    decimals = np.where(is_mean, 1, 0)
    top = np.where(is_mean, np.inf, 100)
    hidden = (base > 0) & ((base < 23) | (drawn * base < 3) | ((1 - drawn) * base < 3) & ~is_mean)
    status = np.where(base == 0, "none", np.where(hidden, "suppressed", "shown"))
    factor = 10.0**decimals
    cells = grid.drop(columns=["kind", "parent"]).assign(
        base=np.floor(base / 5 + 0.5) * 5,
        value=np.rint(middle * factor) / factor,
        lower=np.floor(np.clip(middle - half, 0, top) * factor) / factor,
        upper=np.ceil(np.clip(middle + half, 0, top) * factor) / factor,
        status=status,
        why=np.where(status != "suppressed", "", np.where(grid["group"] == UNKNOWN, "linked", "small")),
        share=middle,
        spread=half / 1.96,
    )
    cells.loc[cells["status"] != "shown", ["base", "value", "lower", "upper"]] = np.nan
    order = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]
    earlier = cells["part"].eq("to_date") & cells["academic_year"].ne(_year(CURRENT_YEAR))
    cells = cells[~(earlier & cells["metric"].isin([m.name for m in metrics.values() if not m.dated]))]
    return cells[[*order, "base", "value", "lower", "upper", "status", "why", "share", "spread"]]


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def _gaps(sample: Sample, cells: pd.DataFrame) -> pd.DataFrame:
    reference = {c.name: c.reference for c in sample.definitions.characteristics.values()}
    keys = ["academic_year", "part", "level", "unit", "metric", "characteristic"]
    groups = cells[(cells["characteristic"] != "all") & (cells["group"] != UNKNOWN)]
    is_reference = groups["group"] == groups["characteristic"].map(reference)
    other = groups[is_reference].rename(columns={"group": "reference"})
    gaps = groups[~is_reference].merge(other, on=keys, suffixes=("", "_ref"))
    metrics = sample.definitions.metrics
    value, error = gaps["share"] - gaps["share_ref"], np.hypot(gaps["spread"], gaps["spread_ref"])
    factor = 10.0 ** gaps["metric"].map({m.name: m.decimals for m in metrics.values()}).to_numpy()
    material = gaps["metric"].map({m.name: m.material for m in metrics.values()}).to_numpy()
    better = gaps["metric"].map({m.name: m.better for m in metrics.values()}).to_numpy()
    z = (value / error).abs().to_numpy()
    evidence = np.select(
        [1.96 * error > 10, (z > 2.6) & (value.abs() >= material), z > 1.96],
        ["too few to say", "clear gap", "possible gap"],
        "no clear gap",
    )
    worse = np.where(better == "higher", value < 0, value > 0)
    pointed = np.isin(evidence, ["clear gap", "possible gap"]) & (better != "neither")
    hidden = (gaps["status"] != "shown") | (gaps["status_ref"] != "shown")
    nobody = (gaps["status"] == "none") | (gaps["status_ref"] == "none")
    frame = gaps[[*keys, "group", "reference", "base"]].assign(
        against="reference",
        reference_base=gaps["base_ref"],
        value=np.rint(value * factor) / factor,
        lower=np.floor((value - 1.96 * error) * factor) / factor,
        upper=np.ceil((value + 1.96 * error) * factor) / factor,
        p_adjusted=np.exp(-0.717 * z - 0.416 * z**2),
        evidence=evidence,
        direction=np.where(pointed, np.where(worse, "worse", "better"), "none"),
        status=np.where(nobody, "none", np.where(hidden, "suppressed", "shown")),
    )
    figures = ["base", "reference_base", "value", "lower", "upper", "p_adjusted"]
    frame.loc[frame["status"] != "shown", figures] = np.nan
    frame.loc[frame["status"] != "shown", "evidence"] = "too few to say"
    frame.loc[frame["status"] != "shown", "direction"] = "none"
    return frame


def _rows(text: str, whole_numbers: list[str]) -> pd.DataFrame:
    """A table written with bars."""
    head, *body = [[cell.strip() or None for cell in line.split("|")] for line in text.strip().splitlines()]
    return pd.DataFrame(body, columns=head).astype(dict.fromkeys(whole_numbers, "Int64"))


def _quality(sample: Sample) -> dict[str, pd.DataFrame]:
    read = FILES
    if not sample.feedback:
        read = [r if r[0] != "feedback" else ("feedback", "", 0, 0, 0, None, "no file found") for r in read]
    reconciliation = pd.DataFrame(
        [
            {
                "table_name": table,
                "file": file,
                "rows_read": rows,
                "rows_loaded": rows - aside - twice,
                "rows_quarantined": aside,
                "duplicates_dropped": twice,
                "modified": modified,
                "note": note,
            }
            for table, file, rows, aside, twice, modified, note in read
        ]
    ).astype({"modified": "datetime64[us]"})
    check = _rows(CHECKS, ["rows_checked", "rows_failing"])
    check["passed"] = check["passed"] == "yes"
    quarantine = _rows(QUARANTINE, ["rows"])
    if not sample.feedback:
        check = check[check["table_name"] != "feedback"]
        quarantine = quarantine[quarantine["table_name"] != "feedback"]
    return {
        "reconciliation": reconciliation,
        "check": check,
        "quarantine": quarantine,
    }
