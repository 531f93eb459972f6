"""A small, realistic release in the published contract, so that the dashboard's tests need no pipeline.

The figures are invented but hang together: schools differ, some groups meet their tutor less, three
schools do not log their meetings, small cells are hidden, and this year's survey has not run yet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from pipelines.definitions import UNKNOWN, Definitions, Metric, load

FACULTIES = {
    "ART": ("Faculty of Arts, Humanities and Languages", "Arts & Humanities"),
    "BUS": ("Faculty of Business, Economics and Law", "Business & Law"),
    "EDU": ("Faculty of Education and Social Policy", "Education"),
    "ENG": ("Faculty of Engineering and the Built Environment", "Engineering"),
    "HEA": ("Faculty of Health, Nursing and Allied Professions", "Health"),
    "MED": ("Faculty of Medicine and Dentistry", "Medicine"),
    "SCI": ("Faculty of Natural and Mathematical Sciences", "Science"),
    "SOC": ("Faculty of Social and Political Sciences", "Social Sciences"),
}
SCHOOLS = {
    "ART": ["English, Drama and Creative Writing", "History, Classics and Archaeology",
            "Modern Languages and Linguistics", "Philosophy, Theology and Religion"],
    "BUS": ["Accounting and Finance", "Economics and Econometrics", "Law and Criminology",
            "Management and International Business"],
    "EDU": ["Education and Childhood Studies", "Social Work and Social Policy"],
    "ENG": ["Architecture, Planning and Landscape", "Civil and Environmental Engineering",
            "Computer Science and Informatics", "Electrical and Electronic Engineering",
            "Mechanical and Aerospace Engineering"],
    "HEA": ["Nursing, Midwifery and Paramedic Science", "Pharmacy and Pharmaceutical Sciences",
            "Physiotherapy and Allied Health Professions"],
    "MED": ["Dentistry and Oral Health", "Medicine and Population Health"],
    "SCI": ["Biological and Environmental Sciences", "Chemistry and Materials",
            "Mathematics and Statistics", "Physics and Astronomy", "Psychology and Neuroscience"],
    "SOC": ["Geography and International Development", "Politics and International Relations",
            "Sociology, Anthropology and Media"],
}  # fmt: skip
YEARS = [2021, 2022, 2023, 2024, 2025, 2026]
CURRENT_YEAR, CURRENT_WEEK = 2026, 9
LEVELS = {"all": "All levels", "UG": "Undergraduate", "PGT": "Taught postgraduate", "PGR": "Research"}
LEVEL_SHARE = {"all": 1.0, "UG": 0.74, "PGT": 0.2, "PGR": 0.06}
CENTRE = {  # university value of a proportion in a whole year; what is not named is at 0.7
    "has_tutor": 0.96, "any_meeting": 0.9, "met_by_promised_week": 0.76, "met_standard": 0.58,
    "attendance": 0.86, "same_tutor": 0.83, "no_meeting": 0.1, "trust": 0.72, "knows_me": 0.66,
    "supported": 0.69, "part_of_journey": 0.48, "belonging": 0.64, "response_rate": 0.31,
    "recorded_of_recalled": 0.9,
}  # fmt: skip
MEANS = {"meetings_per_student": (2.6, 1.4), "tutees_per_fte": (19.5, 6.0)}  # value, spread between people
LOWER = {"Black": -0.55, "IMD 1 (most deprived)": -0.4, "IMD 2": -0.25, "Commuter": -0.35, "Mature": -0.1,
         "Disabled": -0.2, "First in family": -0.22, "Care experienced": -0.3, "International": 0.2,
         "TUNDRA 1 (lowest participation)": -0.25, "Asian": -0.12, "Female": 0.12}  # fmt: skip
NOT_LOGGING = {"school:BUS3", "school:ENG4", "school:HEA1"}
OUTSTANDING = {"school:SCI3", "school:EDU1"}


@dataclass(frozen=True)
class Sample:
    """What the sample release should look like; the defaults are a whole university."""

    name: str = "2026-11-30-0600-a1b2c3"
    source: str = "example"
    feedback: bool = True
    year_in_progress: bool = True
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


def _tables(sample: Sample) -> dict[str, pd.DataFrame]:
    units, periods = _units(), _periods(sample)
    cells = _cells(sample, units, periods)
    return {
        "release": _release(sample),
        "unit": units,
        "metric": _metrics(sample),
        "characteristic": _characteristics(sample),
        "characteristic_group": _groups(sample),
        "level": pd.DataFrame(
            [{"level": k, "label": v, "ordering": i} for i, (k, v) in enumerate(LEVELS.items())]
        ),
        "period": periods,
        "cell": cells.drop(columns=["share", "spread"]),
        "gap": _gaps(sample, cells),
        **_quality(sample),
    }


def _release(sample: Sample) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "release": sample.name,
                "created": datetime(2026, 11, 30, 6, 0, tzinfo=UTC).replace(tzinfo=None),
                "university": "Northmere University",
                "source": sample.source,
                "grade": "internal",
                "data_through": date(2026, 11, 27) if sample.year_in_progress else date(2026, 5, 22),
                "current_year": _year(CURRENT_YEAR) if sample.year_in_progress else None,
                "current_week": CURRENT_WEEK if sample.year_in_progress else None,
                "code_version": "0.1.0",
                "rules": json.dumps({"smallest_base": 10, "round_bases_to": 5}),
            }
        ]
    )


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
                }
            )
    return pd.DataFrame(rows).assign(ordering=range(len(rows))).astype({"through_week": "Int64"})


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

    is_mean = grid["metric"].isin(MEANS).to_numpy()
    centre = grid["metric"].map({m: _logit(CENTRE.get(m, 0.7)) for m in metrics}).to_numpy()
    sign = grid["metric"].map({m.name: -1 if m.better == "lower" else 1 for m in metrics.values()}).to_numpy()
    tilt = grid["unit"].map(effect).to_numpy() * np.where(grid["metric"].eq("recorded_of_recalled"), 0.2, 1)
    tilt = tilt + grid["group"].map(LOWER).fillna(0).to_numpy()
    tilt = tilt + np.where(grid["part"].eq("to_date"), -0.5, 0) + (grid["academic_year"] >= "2026/27") * 0.12
    quiet = grid["unit"].isin(NOT_LOGGING).to_numpy()
    theme = grid["metric"].map({m.name: m.theme for m in metrics.values()}).to_numpy()
    tilt = tilt - np.where(quiet & (theme == "record"), 2.4, 0) - np.where(quiet & (theme == "contact"), 0.9, 0)
    share_true = 1 / (1 + np.exp(-(centre + sign * tilt)))
    spread = np.where(is_mean, grid["metric"].map({m: v[1] for m, v in MEANS.items()}).fillna(0), 0)
    scale = np.where(is_mean, grid["metric"].map({m: v[0] for m, v in MEANS.items()}).fillna(0), 0)

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
        share=middle,
        spread=half / 1.96,
    )
    cells.loc[cells["status"] != "shown", ["base", "value", "lower", "upper"]] = np.nan
    order = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]
    return cells[[*order, "base", "value", "lower", "upper", "status", "share", "spread"]]


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


def _quality(sample: Sample) -> dict[str, pd.DataFrame]:
    at = datetime(2026, 11, 29, 23, 10)
    read = [
        ("schools", "schools.csv", 28, 0, 0, at, ""),
        ("calendar", "calendar.csv", 6, 0, 0, at, ""),
        ("standards", "standards.csv", 20, 0, 0, at, ""),
        ("tutors", "tutors_all_years.xlsx", 7_420, 3, 6, at, ""),
        ("enrolments", "SITS enrolments 2021-2025.csv", 190_412, 61, 118, at, "read as Windows-1252"),
        ("enrolments", "SITS enrolments 2026.csv", 38_230, 12, 0, at, ""),
        ("meetings", "meetings_2021-2025.csv", 931_204, 1_904, 802, at, ""),
        ("meetings", "meetings_2026.xlsx", 61_020, 233, 41, at, "sheet Export, title row skipped"),
        ("feedback", "tutoring_survey.csv", 58_940, 77, 12, at, ""),
    ]
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
    checks = [
        ("schools", "school_code_unique", "school_code", "Every school has a code of its own.", "critical", True, 28, 0, None),
        ("enrolments", "key_unique", None, "A student is enrolled once per year and school.", "critical", True, 228_451, 0, None),
        ("enrolments", "school_known", "school_code", "Every school code is in the schools table.", "row-level", False, 228_642, 73, None),
        ("enrolments", "volume", None, "This year's enrolments are within a fifth of last year's.", "warning", True, None, None, "38,230 against 37,905"),
        ("enrolments", "tutor_named", "tutor_id", "At least 90% of enrolments name a tutor.", "warning", False, 228_569, 14_020, "93.9% overall, 81% in one school"),
        ("meetings", "meeting_date_in_year", "meeting_date", "Meetings happen inside an academic year of the calendar.", "row-level", False, 992_224, 611, None),
        ("meetings", "student_enrolled", "student_id", "Every meeting is with an enrolled student.", "row-level", False, 992_224, 1_526, None),
        ("meetings", "status_known", "status", "A meeting is attended, missed or cancelled.", "critical", True, 992_224, 0, None),
        ("meetings", "fresh", "meeting_date", "The last meeting is less than 14 days old.", "warning", True, None, None, "27 November 2026"),
        ("feedback", "answers_in_range", "trust", "Answers run from 1 to 5.", "row-level", False, 58_940, 77, None),
    ]  # fmt: skip
    names = ["table_name", "expectation", "column_name", "rule", "severity", "passed", "rows_checked",
             "rows_failing", "observed"]  # fmt: skip
    check = pd.DataFrame([c for c in checks if sample.feedback or c[0] != "feedback"], columns=names)
    aside = [
        ("enrolments", "SITS enrolments 2021-2025.csv", "Every school code is in the schools table.", "school_code", 61),
        ("enrolments", "SITS enrolments 2026.csv", "Every school code is in the schools table.", "school_code", 12),
        ("tutors", "tutors_all_years.xlsx", "Full-time equivalents are above 0 and at most 1.5.", "fte", 3),
        ("meetings", "meetings_2021-2025.csv", "Meetings happen inside an academic year of the calendar.", "meeting_date", 502),
        ("meetings", "meetings_2021-2025.csv", "Every meeting is with an enrolled student.", "student_id", 1_402),
        ("meetings", "meetings_2026.xlsx", "Meetings happen inside an academic year of the calendar.", "meeting_date", 109),
        ("meetings", "meetings_2026.xlsx", "Every meeting is with an enrolled student.", "student_id", 124),
        ("feedback", "tutoring_survey.csv", "Answers run from 1 to 5.", "trust", 77),
    ]  # fmt: skip
    quarantine = pd.DataFrame(
        [a for a in aside if sample.feedback or a[0] != "feedback"],
        columns=["table_name", "file", "rule", "column_name", "rows"],
    )
    return {
        "reconciliation": reconciliation,
        "check": check.astype({"rows_checked": "Int64", "rows_failing": "Int64"}),
        "quarantine": quarantine,
    }
