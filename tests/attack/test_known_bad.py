"""The attacker breaks published cases whose hidden figures are known not to be safe."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from pipelines.disclosure.attacker import Attack, Bar, Metrics, attack
from pipelines.disclosure.places import COUNTS, KEY
from tests.disclosure.test_programs import FOUR, FOUR_HIDDEN
from tests.measures.building import shared

STUDENTS = Metrics({"students": "enrolment"}, {"students": "proportion"}, frozenset())
ANY = Bar(hidden_hold_someone=False)


def cells_of(rows: list[tuple]) -> pd.DataFrame:
    """Cells from rows of period (academic year, part), level, unit, group, count and whether it is hidden."""
    cells = pd.DataFrame(rows, columns=["academic_year", "part", "level", "unit", "group", "n", "hidden"])
    about = np.where(cells["group"] == "all", "all", "income")
    return cells.assign(metric="students", characteristic=about, have=cells["n"], lack=0)


def attacked(cells: pd.DataFrame, schools: list[str], **more: object) -> Attack:
    schools_of = pd.DataFrame({"school_code": schools, "faculty_code": "F"})
    shown, hidden = cells[~cells["hidden"]], cells[cells["hidden"]]
    return attack(shown, hidden, schools_of, STUDENTS, ANY, **more)


@pytest.mark.parametrize(("more", "broken"), [(set(), [47]), ({("x", "b")}, [])])
def test_two_hidden_cells_in_every_line_are_not_enough(more: set[tuple[str, str]], broken: list[int]) -> None:
    """Four schools and four groups: each line has two hidden cells or none, and one of them is exact all the same."""
    rows = []
    for school, group in product([*FOUR, "all"], [*"abcd", "all"]):
        schools, groups = FOUR if school == "all" else [school], "abcd" if group == "all" else [group]
        n = sum(FOUR[s][g] for s, g in product(schools, groups))
        units = ["university", "faculty:F"] if school == "all" else [f"school:{school}"]
        hidden = (school, group) in FOUR_HIDDEN | more
        rows += [("2024/25", "year", "all", unit, group, n, hidden) for unit in units]
    found = attacked(cells_of(rows), list(FOUR)).broken
    assert found["n_low"].tolist() == found["n_high"].tolist() == broken


def test_a_second_release_that_forgets_the_first_is_broken() -> None:
    """Two quarters and their sum, where each release by itself is safe (ssb-gausssuppression, MIT)."""
    case = json.loads(shared("sdc/instances/gs_incremental_time.json").read_bytes())
    together = "quarter_Q1_Q2"

    def release(name: str) -> pd.DataFrame:
        return cells_of(
            [
                (
                    row["quarter"],
                    "pooled" if row["quarter"] == together else "year",
                    row["size"].replace("Total", "all"),
                    "university",
                    row["main_income"].replace("Total", "all"),
                    row["freq"],
                    row["suppressed"],
                )
                for row in case[name]
            ]
        )

    first, second = release("a1"), release("c2_independent")
    pooled = {together: ["Q1", "Q2"]}
    assert attacked(first, ["S"]).withstood
    assert attacked(second, ["S"], pooled=pooled).withstood
    found = attacked(second, ["S"], pooled=pooled, earlier=first.loc[~first["hidden"], [*KEY, *COUNTS]]).broken
    ranges = dict(
        zip(
            zip(*(found[c] for c in ("academic_year", "group", "level")), strict=True),
            zip(found["n_low"], found["n_high"], strict=True),
            strict=True,
        )
    )
    assert ranges["Q2", "pensions", "small"] == (14, 14)
    expected = {
        tuple(row["cell"]): (row["lo"], row["hi"])
        for row in case["attack_of_union"]["a1+c2_independent"]
        if row["hi"] - max(row["lo"], 1) < ANY.narrowest_base
    }
    assert expected.items() <= ranges.items(), "theirs are of cells hidden for what they are"
