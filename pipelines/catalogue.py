"""Catalogue: the tables of a release that say what its figures are of, and in which order readers meet them.

Units, metrics, characteristics and their groups, levels, periods, and the facts of the release itself.
"""

from __future__ import annotations

import json
import subprocess
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from pipelines.definitions import UNKNOWN, Characteristic, Definitions
from pipelines.disclosure import cost
from pipelines.model import Modelled, Present, missing, missing_characteristic
from pipelines.pooled import POOLED
from pipelines.settings import ROOT, Settings

GRADE = "protected"
LEVEL_LABELS = {
    "all": "All levels",
    "UG": "Undergraduate",
    "PGT": "Taught postgraduate",
    "PGR": "Research postgraduate",
}
THEME_ORDER = ("contact", "voice", "staff", "record")


@dataclass(frozen=True)
class Source:
    """Whose data a release holds."""

    university: str
    example: bool

    @property
    def named(self) -> tuple[str, str]:
        """The university, and whether its data is invented, as the table `release` has them."""
        return self.university, "example" if self.example else "real"


def tables(
    release: str, modelled: Modelled, definitions: Definitions, present: Present, source: Source, settings: Settings
) -> dict[str, pd.DataFrame]:
    """These tables by name, columns as in docs/data-contract.md. release: its name."""
    return {
        "release": _release(release, modelled, source, settings),
        "unit": _units(modelled.schools, source),
        "metric": _metrics(definitions, present),
        "characteristic": _characteristics(definitions, present),
        "characteristic_group": _groups(definitions),
        "level": _levels(definitions),
        "period": _periods(modelled.periods),
    }


def _release(release: str, modelled: Modelled, source: Source, settings: Settings) -> pd.DataFrame:
    progress = modelled.periods[modelled.periods["in_progress"]]
    university, kind = source.named
    return pd.DataFrame(
        {
            "release": [release],
            "created": [datetime.now(UTC).replace(tzinfo=None, microsecond=0)],
            "university": [university],
            "source": [kind],
            "grade": [GRADE],
            "data_through": pd.to_datetime([modelled.data_through]).date,
            "current_year": pd.array([None if progress.empty else progress["academic_year"].iloc[0]], dtype="string"),
            "current_week": pd.array(
                [None if progress.empty else int(progress["through_week"].iloc[0])], dtype="Int64"
            ),
            "code_version": [code_version()],
            "rules": [json.dumps(settings.rules.model_dump(), sort_keys=True)],
        }
    )


def code_version() -> str:
    """The project's version, with the commit where the code runs from a checkout."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version
    return f"{version}+{commit}"


def _short(name: str) -> str:
    for prefix in ("School of ", "Faculty of ", "Department of ", "School for ", "Institute of "):
        if name.startswith(prefix):
            return name.removeprefix(prefix).removeprefix("the ")
    return name


def _units(schools: pd.DataFrame, source: Source) -> pd.DataFrame:
    rows: list[tuple[str, str, str, str, str | None]] = [
        ("university", "university", source.university, source.university, None)
    ]
    faculties = schools.drop_duplicates("faculty_code").sort_values("faculty_name")
    for code, name in zip(faculties["faculty_code"], faculties["faculty_name"], strict=True):
        rows.append((f"faculty:{code}", "faculty", name, _short(name), "university"))
    by_name = schools.sort_values("school_name", key=lambda names: names.map(_short).str.casefold())
    for code, name, faculty in by_name[["school_code", "school_name", "faculty_code"]].itertuples(index=False):
        rows.append((f"school:{code}", "school", name, _short(name), f"faculty:{faculty}"))
    return _ordered(pd.DataFrame(rows, columns=["unit", "kind", "name", "short_name", "parent"]))


def _metrics(definitions: Definitions, present: Present) -> pd.DataFrame:
    metrics = sorted(definitions.metrics.values(), key=lambda m: THEME_ORDER.index(m.theme))
    reasons = [missing(m, present) for m in metrics]
    return _ordered(
        pd.DataFrame(
            {
                "metric": [m.name for m in metrics],
                "theme": [m.theme for m in metrics],
                "label": [m.label for m in metrics],
                "definition": [m.definition for m in metrics],
                "out_of": [m.out_of for m in metrics],
                "kind": [m.kind for m in metrics],
                "suffix": ["%" if m.is_percentage else "" for m in metrics],
                "gap_suffix": [" points" if m.is_percentage else "" for m in metrics],
                "decimals": [m.decimals for m in metrics],
                "better": [m.better for m in metrics],
                "material": [m.material for m in metrics],
                "headline": [m.headline for m in metrics],
                "available": [r is None for r in reasons],
                "unavailable_because": pd.array(reasons, dtype="string"),
            }
        )
    )


def _characteristics(definitions: Definitions, present: Present) -> pd.DataFrame:
    characteristics = list(definitions.characteristics.values())
    reasons = [missing_characteristic(c, present) for c in characteristics]
    return _ordered(
        pd.DataFrame(
            {
                "characteristic": [c.name for c in characteristics],
                "label": [c.label for c in characteristics],
                "ordered": [c.ordered for c in characteristics],
                "reference": [c.reference for c in characteristics],
                "of": pd.array([c.of or None for c in characteristics], dtype="string"),
                "available": [r is None for r in reasons],
                "unavailable_because": pd.array(reasons, dtype="string"),
            }
        )
    )


def _groups(definitions: Definitions) -> pd.DataFrame:
    rows = [
        (c.name, group, position, group == c.reference, group != UNKNOWN, _joins(c, group), c.students(group))
        for c in definitions.characteristics.values()
        for position, group in enumerate((*c.groups, UNKNOWN))
    ]
    columns = ["characteristic", "group", "ordering", "is_reference", "compared", "joins", "people"]
    return pd.DataFrame(rows, columns=columns)


def _joins(characteristic: Characteristic, group: str) -> str:
    """The groups of the finer characteristic that a group joins, as a JSON list; '' where it joins none."""
    joined = cost.joined(characteristic)
    return json.dumps([finer for finer, broader in joined.items() if broader == group]) if joined else ""


def _levels(definitions: Definitions) -> pd.DataFrame:
    levels = ("all", *definitions.levels)
    return _ordered(pd.DataFrame({"level": levels, "label": [LEVEL_LABELS.get(x, x) for x in levels]}))


def _periods(periods: pd.DataFrame) -> pd.DataFrame:
    single = periods["part"] != POOLED
    newest = ["academic_year", "part"]
    out = pd.concat(  # pooled ones last
        [rows.sort_values(newest, ascending=[False, True]) for rows in (periods[single], periods[~single])],
        ignore_index=True,
    )[["academic_year", "part", "through_week", "in_progress", "has_groups"]]
    to_date, is_pooled = out["part"] == "to_date", out["part"] == POOLED
    week = (" to week " + out["through_week"].astype("Int64").astype("string")).where(to_date, "")
    out["label"] = out["academic_year"] + week + is_pooled.map({True: ", three years together", False: ""})
    out["through_week"] = out["through_week"].astype("Int64").where(to_date)
    whole = ~to_date & ~is_pooled
    usable = out[out["in_progress"] & to_date] if (out["in_progress"] & to_date).any() else out[whole]
    out["is_current"] = out.index.isin(usable.index[:1])
    return _ordered(out.drop(columns="in_progress"))


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(ordering=range(len(frame)))
