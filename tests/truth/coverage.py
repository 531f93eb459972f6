"""Do 95% intervals hold the truth 95 times in 100, and how often is a gap seen where there is none?

Simulated universities with a known truth, measured with the pipeline's own functions.

    python -m tests.truth.coverage [--universities 200]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from pipelines.measures import gaps
from pipelines.measures.intervals import with_intervals
from pipelines.measures.like_for_like import like_for_like

SCHOOLS, LEVELS = 20, ("UG", "PGT")
GROUPS = {"sex": (("Female", 0.55), ("Male", 0.45)), "ethnicity": (("Asian", 0.2), ("Black", 0.12), ("White", 0.68))}
REFERENCES = pd.Series({"sex": "Male", "ethnicity": "White"}, dtype=object)
KINDS = pd.Series({"met": "proportion", "meetings": "mean", "attendance": "ratio"})
MATERIAL = pd.Series({"met": 0.03, "meetings": 0.25, "attendance": 0.03})
SUMS = ["n", "sx", "sxx", "sy", "syy", "sxy"]
ALIKE = 12  # how alike a student's meetings are: the larger, the less students differ in attendance
KEY = [*gaps.PLACE, "group"]


def university(rng: np.random.Generator, year: str, gap: float, alike: float | None = None) -> pd.DataFrame:
    """The strata (school × level × group) of one university: counts drawn around `truth`.

    gap: what separates each group from its reference inside every school, in points of a proportion.
    alike: the truth of everybody in all schools, so that no unit has a gap; by default schools differ.
    """
    rows = []
    for school in range(SCHOOLS):
        size = int(np.exp(rng.normal(5.5, 0.7)))
        level_effect = {"UG": 0.0, "PGT": rng.normal(-0.05, 0.05)}
        base = rng.uniform(0.55, 0.8)
        tilt = rng.uniform(0.4, 1.6)  # schools differ in who is in them, and that goes with their value
        for level in LEVELS:
            students = size if level == "UG" else size // 3
            for characteristic, groups in GROUPS.items():
                for group, share in groups:
                    first = group == groups[0][0]
                    n = int(rng.poisson(students * share * (tilt if first else 1)))
                    if n == 0:
                        continue
                    is_reference = REFERENCES[characteristic] == group
                    p = np.clip(
                        base + 0.1 * (tilt - 1) + level_effect[level] - (0 if is_reference else gap), 0.02, 0.98
                    )
                    p = p if alike is None else alike
                    where = (year, "year", level, f"school:{school}", characteristic, group)
                    x = rng.binomial(n, p)
                    rows.append((*where, "met", n, x, x, n, n, x, p))
                    meetings = rng.negative_binomial(4, 4 / (4 + 5 * p), n)  # mean 5p, more spread than Poisson
                    total = meetings.sum()
                    rows.append((*where, "meetings", n, total, (meetings**2).sum(), n, n, total, 5 * p))
                    rows.append((*where, "attendance", *attendance(rng, n, p), p))
    columns = ["academic_year", "part", "level", "unit", "characteristic", "group", "metric", *SUMS, "truth"]
    return pd.DataFrame(rows, columns=columns)


def attendance(rng: np.random.Generator, n: int, p: float) -> tuple[float, ...]:
    """The sums of n students' attended (x) and booked (y) meetings; each student attends as often as is their own."""
    y = 1 + rng.poisson(3, n)
    x = rng.binomial(y, rng.beta(ALIKE * p, ALIKE * (1 - p), n))
    return (n, *(float(s.sum()) for s in (x, x**2, y, y**2, x * y)))


def rolled_up(strata: pd.DataFrame) -> pd.DataFrame:
    """Cells of the strata, of each school and of the university, with intervals and the truth given who is there."""
    weighed = strata.assign(truth=strata["truth"] * strata["sy"])
    every_level = weighed.assign(level="all")
    parts = [weighed, every_level, every_level.assign(unit="university")]
    cells = pd.concat(parts).groupby(KEY)[[*SUMS, "truth"]].sum().reset_index()
    cells["truth"] /= cells["sy"]
    return with_intervals(cells.astype(dict.fromkeys(SUMS, float)), KINDS)


def simulate(universities: int, seed: int = 0) -> dict[str, float]:
    """Shares by name: coverage of values, gaps and like-for-like gaps; families with a false 'clear gap'."""
    rng = np.random.default_rng(seed)
    strata = pd.concat([university(rng, f"y{i}", gap=0.06) for i in range(universities)])
    cells = rolled_up(strata)
    large = cells[cells["n"] >= 30]
    found = gaps.against_reference(cells, KINDS, REFERENCES)
    found = found[(found["n"] >= 30) & (found["reference_n"] >= 30)].merge(cells[[*KEY, "truth"]], on=KEY)
    reference = cells[[*KEY, "truth"]].rename(columns={"group": "reference", "truth": "reference_truth"})
    found = found.merge(reference, on=[*gaps.PLACE, "reference"])
    found["truth"] -= found["reference_truth"]

    codes = [str(s) for s in range(SCHOOLS)]
    schools = pd.DataFrame({"school_code": codes, "faculty_code": [f"F{int(c) % 4}" for c in codes]})
    like = like_for_like(cells, KINDS, REFERENCES, schools)
    like = like[(like["n"] >= 30) & (like["reference_n"] >= 30)]
    like["truth"] = like["metric"].map({"met": -0.06, "meetings": -0.30, "attendance": -0.06})

    out = {}
    for name, frame in (("value", large), ("gap", found), ("like-for-like gap", like)):
        covered = (frame["lower"] <= frame["truth"]) & (frame["truth"] <= frame["upper"])
        for metric, share in covered.groupby(frame["metric"]).mean().items():
            out[f"{name}, {metric}"] = float(share)
    return out | false_alarms(universities, seed)


def false_alarms(universities: int, seed: int = 0) -> dict[str, float]:
    """Without any gap, and schools alike: the share of families (metric × characteristic × year) with a clear gap."""
    rng = np.random.default_rng(seed + 1)
    cells = rolled_up(pd.concat([university(rng, f"y{i}", gap=0.0, alike=0.7) for i in range(universities)]))
    several = cells[cells["characteristic"] != "sex"]  # of two groups, everyone else is the reference
    out = {}
    for against, found in (
        ("the reference", gaps.against_reference(cells, KINDS, REFERENCES)),
        ("everyone else", gaps.against_everyone_else(several, KINDS)),
    ):
        found = found[(found["n"] >= 23) & (found["reference_n"] >= 23)].reset_index(drop=True)
        found["p_adjusted"] = gaps.adjusted(found["p"], [found[c] for c in gaps.FAMILY])
        clear = gaps.evidence(found, MATERIAL, MATERIAL * 3.5) == gaps.CLEAR
        families = clear.groupby([found[c] for c in gaps.FAMILY], observed=True).any()
        out[f"families with a false clear gap to {against}"] = float(families.mean())
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--universities", type=int, default=200)
    options = parser.parse_args()
    for name, share in simulate(options.universities).items():
        print(f"{name:50} {share:6.1%}")


if __name__ == "__main__":
    main()
