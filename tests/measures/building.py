"""Small cell tables for tests, and where the reference figures of others are found, if they are."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.measures.intervals import with_intervals

PLACE = ["academic_year", "part", "level", "unit", "metric", "characteristic"]
KINDS = pd.Series({"met": "proportion", "meetings": "mean", "attendance": "ratio"})
REFERENCES = pd.Series({"sex": "Male", "ethnicity": "White"}, dtype=object)
MATERIAL = pd.Series({"met": 0.03, "meetings": 0.25, "attendance": 0.03})
BETTER = pd.Series({"met": "higher", "meetings": "higher", "attendance": "higher"})

# Bickel, Hammel & O'Connell (1975), Science 187:398, the six largest departments (R: datasets::UCBAdmissions).
# department: (women admitted, women, men admitted, men)
BERKELEY = {
    "A": (89, 108, 512, 825),
    "B": (17, 25, 353, 560),
    "C": (202, 593, 120, 325),
    "D": (131, 375, 138, 417),
    "E": (94, 393, 53, 191),
    "F": (24, 341, 22, 373),
}


def shared(path: str) -> Path:
    """A file of reference figures outside the project (APT_SHARED, or the folder `shared` beside it), or skip."""
    folder = Path(os.environ.get("APT_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    found = folder / "oracles" / path
    if not found.exists():
        pytest.skip(f"{path}: no folder of reference figures")
    return found


def cell(unit, group, n, sx, sxx=None, *, level="UG", metric="met", characteristic="sex", year="2024/25", y=None):
    """One cell. y: (Σy, Σy², Σxy) of a ratio."""
    sy, syy, sxy = y or (n, n, sx)
    return {
        "academic_year": year, "part": "year", "level": level, "unit": unit, "metric": metric,
        "characteristic": characteristic, "group": group, "n": n, "sx": float(sx),
        "sxx": float(sx if sxx is None else sxx), "sy": float(sy), "syy": float(syy), "sxy": float(sxy),
    }  # fmt: skip


def table(rows):
    """Cells with intervals, and the same for all levels together, faculties and the university."""
    frame = pd.DataFrame(rows)
    keys = [*PLACE, "group"]
    frame = pd.concat([frame, frame.assign(level="all")]) if "all" not in set(frame["level"]) else frame
    if not frame["unit"].isin(["university"]).any():
        frame = pd.concat([frame, frame.assign(unit="university")])
    return with_intervals(frame.groupby(keys, sort=False).sum().reset_index(), KINDS)


def schools_of(cells, faculties=("F",)):
    """A `schools` frame for the schools in `cells`, dealt out to `faculties` in turn."""
    codes = sorted(u.removeprefix("school:") for u in set(cells["unit"].astype(str)) if u.startswith("school:"))
    return pd.DataFrame(
        {"school_code": codes, "faculty_code": [faculties[i % len(faculties)] for i in range(len(codes))]}
    )


def berkeley():
    """The 24 counts as cells: departments are schools, all applicants one level."""
    rows = []
    for department, (f1, f, m1, m) in BERKELEY.items():
        rows += [cell(f"school:{department}", "Female", f, f1), cell(f"school:{department}", "Male", m, m1)]
    return table(rows)


def random_cells(seed=0, schools=6, levels=("UG", "PGT"), years=("2023/24", "2024/25")):
    """Schools that differ, two characteristics, all three kinds of metric; some groups absent from some schools."""
    rng = np.random.default_rng(seed)
    groups = [
        ("sex", "Female"),
        ("sex", "Male"),
        ("ethnicity", "Asian"),
        ("ethnicity", "Black"),
        ("ethnicity", "White"),
    ]
    rows = []
    for year, s, level, (characteristic, group) in product(years, range(schools), levels, groups):
        n = int(rng.integers(0, 60))
        if n == 0:
            continue
        where = {"level": level, "characteristic": characteristic, "year": year}
        rows.append(cell(f"school:S{s}", group, n, rng.binomial(n, rng.uniform(0.3, 0.9)), **where))
        x = rng.poisson(3, n).astype(float)
        rows.append(cell(f"school:S{s}", group, n, x.sum(), (x**2).sum(), metric="meetings", **where))
        y = 1.0 + rng.poisson(4, n)
        x = rng.binomial(y.astype(int), 0.8).astype(float)
        where |= {"metric": "attendance", "y": (y.sum(), (y**2).sum(), (x * y).sum())}
        rows.append(cell(f"school:S{s}", group, n, x.sum(), (x**2).sum(), **where))
    return table(rows)


def sorted_rows(frame, keys):
    return frame.astype(dict.fromkeys(keys, str)).sort_values(keys, ignore_index=True)


def assert_no_infinity(frame):
    numbers = frame.select_dtypes("number").to_numpy(float)
    assert not np.isinf(numbers).any()
