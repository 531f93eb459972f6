"""Cells of a small random university over several years: what `model` would hand on, without students or a database."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipelines import definitions as definition_files
from pipelines.model import Modelled

DEFINITIONS = definition_files.load()
SCHOOLS = pd.DataFrame({"school_code": list("ABCDEF"), "faculty_code": list("XXXYYY")})
YEARS = ("2023/24", "2024/25", "2025/26")
METRICS = {"has_tutor": 0.9, "any_meeting": 0.85, "met_by_promised_week": 0.6}
KEY = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]


def university(seed: int = 0, years: tuple[str, ...] = YEARS, mean: float = 40.0) -> Modelled:
    """mean: students in a school, level and group, on average; some groups are sparse."""
    random = np.random.default_rng(seed)
    rows = []
    sex = {"Female": 1.0, "Male": 0.9, "Other": 0.06, "Unknown": 0.04}
    ethnicity = {"Asian": 0.4, "Black": 0.25, "Mixed": 0.12, "Other": 0.08, "White": 1.2, "Unknown": 0.1}
    for year in years:
        for school in SCHOOLS["school_code"]:
            for level, share in {"UG": 1.0, "PGT": 0.35}.items():
                for gender, g in sex.items():
                    for origin, e in ethnicity.items():
                        n = int(random.poisson(mean * share * g * e))
                        for metric, rate in METRICS.items():
                            have = int(random.binomial(n, min(0.98, rate + random.normal(0, 0.05))))
                            rows.append((year, level, school, gender, origin, metric, n, have))
    own = pd.DataFrame(
        rows, columns=["academic_year", "level", "school", "sex", "ethnicity", "metric", "n", "have_some"]
    )
    own = own[own["n"] > 0]
    broad = {
        finer: group
        for group, joined in DEFINITIONS.characteristics["ethnicity_broad"].join.items()
        for finer in joined
    }
    own["ethnicity_broad"] = own["ethnicity"].map(broad).fillna("Unknown")
    parts = [own.assign(characteristic="all", group="all")]
    parts += [own.assign(characteristic=c, group=own[c]) for c in ("sex", "ethnicity", "ethnicity_broad")]
    cells = pd.concat(parts)
    faculty = cells["school"].map(dict(SCHOOLS.itertuples(index=False)))
    units = ["school:" + cells["school"], "faculty:" + faculty, pd.Series("university", cells.index)]
    cells = pd.concat([cells.assign(unit=unit) for unit in units])
    cells = pd.concat([cells, cells.assign(level="all")]).assign(part="year")
    cells = cells.groupby(KEY)[["n", "have_some"]].sum().reset_index()
    n, have = cells["n"].astype(float), cells["have_some"].astype(float)
    cells = cells.assign(n=n, have_some=have, lack_some=n - have, sx=have, sxx=have, sy=n, syy=n, sxy=have)
    return Modelled(cells, periods(years), SCHOOLS, date(2026, 7, 1))


def periods(years: tuple[str, ...]) -> pd.DataFrame:
    """Rows of mart_period, of whole years."""
    starts = [pd.Timestamp(int(year[:4]), 9, 28) for year in years]
    return pd.DataFrame(
        {
            "academic_year": years,
            "part": "year",
            "through_week": 24,
            "teaching_start": starts,
            "ends": [start + pd.Timedelta(days=220) for start in starts],
            "teaching_weeks": 24,
            "in_progress": False,
            "has_groups": True,
        }
    )
