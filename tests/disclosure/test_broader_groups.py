"""A broader group is a sum of finer ones: what is hidden of either must not be worked out from the other."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from pipelines.disclosure import patterns
from pipelines.disclosure.patterns import SHOWN, Broader, Metrics, Widths

WIDTHS = Widths(smallest=23, base=5, margin=3)
BROADER = {"two": Broader("five", {"Asian": "Minority", "Black": "Minority", "White": "White"})}
SCHOOLS = pd.DataFrame({"school_code": list("ABCD"), "faculty_code": list("FFGG")})
ABOVE = {"school:A": "faculty:F", "school:B": "faculty:F", "school:C": "faculty:G", "school:D": "faculty:G"}
FINER = {  # students by school; few of them Asian in school A
    "Asian": (12, 40, 45, 50), "Black": (70, 72, 75, 71), "White": (60, 65, 62, 66), "Unknown": (30, 31, 33, 35),
}  # fmt: skip


def counts() -> pd.DataFrame:
    """Characteristic, unit, group and n: schools, faculties and the university; finer, broader and all together."""
    of_school = pd.DataFrame(
        [(unit, group, n) for group, row in FINER.items() for unit, n in zip(ABOVE, row, strict=True)],
        columns=["unit", "group", "n"],
    )
    finer = pd.concat(
        [of_school, of_school.assign(unit=of_school["unit"].map(ABOVE)), of_school.assign(unit="university")]
    ).assign(characteristic="five")
    joined = finer["group"].map(BROADER["two"].joined).fillna("Unknown")
    every = [finer, finer.assign(characteristic="two", group=joined), finer.assign(characteristic="all", group="all")]
    return pd.concat(every).groupby(["characteristic", "unit", "group"], as_index=False)["n"].sum()


def hidden(broader: dict[str, Broader]) -> pd.DataFrame:
    """The counts, and which of them are hidden when the broader groups are (or are not) known to be sums."""
    cells = counts().assign(academic_year="2025/26", part="year", level="all", metric="met")
    cells = cells.assign(have_some=cells["n"] // 2, lack_some=cells["n"] - cells["n"] // 2)
    metrics = Metrics(
        grain={"met": "enrolment"}, counts_people={"met": True}, private=frozenset({"met"}),
        one_pattern=frozenset(), counts_answers=frozenset(), broader=broader,
    )  # fmt: skip
    why = patterns.patterns(cells, cells["n"] < WIDTHS.smallest, SCHOOLS, metrics, WIDTHS)
    return cells.assign(hidden=why != SHOWN)


def ranges(cells: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """How wide the range of each hidden count is to whoever knows the shown ones and every sum there is."""
    keys = list(cells[["characteristic", "unit", "group"]].itertuples(index=False, name=None))
    at = {key: i for i, key in enumerate(keys)}
    sums: dict[tuple[object, ...], list[int]] = {}
    for characteristic, unit, group in keys:
        one = at[characteristic, unit, group]
        if unit != "university":
            parent = at[characteristic, ABOVE.get(unit, "university"), group]
            sums.setdefault(("unit", parent), []).append(one)
        if characteristic != "all":
            sums.setdefault(("group", characteristic, at["all", unit, "all"]), []).append(one)
        if characteristic == "five":
            joined = BROADER["two"].joined.get(group, "Unknown")
            sums.setdefault(("joined", at["two", unit, joined]), []).append(one)
    rows = np.zeros((len(sums), len(keys)))
    for row, (of, parts) in zip(rows, sums.items(), strict=True):
        row[of[-1]], row[parts] = 1, -1
    n, unseen = cells["n"].to_numpy(float), cells["hidden"].to_numpy(bool)
    bounds = [(0, None) if u else (x, x) for x, u in zip(n, unseen, strict=True)]
    wide = {}
    for i in np.flatnonzero(unseen):
        goal = np.eye(len(keys))[i]
        low, high = (linprog(side * goal, A_eq=rows, b_eq=np.zeros(len(rows)), bounds=bounds) for side in (1, -1))
        wide[keys[i]] = -high.fun - low.fun
    return wide


def test_a_hidden_group_cannot_be_found_from_the_broader_one() -> None:
    apart, together = hidden({}), hidden(BROADER)
    few = ("five", "school:A", "Asian")
    assert ranges(apart)[few] < WIDTHS.base, "the case has a point: each on its own gives it away"
    wide = ranges(together)
    assert wide[few] >= WIDTHS.base
    assert min(wide.values()) > 0


def test_a_group_that_stays_alone_is_hidden_in_both_or_in_none() -> None:
    found = hidden(BROADER).set_index(["characteristic", "unit", "group"])["hidden"]
    units = [*ABOVE, "faculty:F", "faculty:G", "university"]
    for unit, group in product(units, ("White", "Unknown")):
        assert found["five", unit, group] == found["two", unit, group]


@pytest.mark.parametrize("group", ["White", "Unknown"])
def test_a_small_group_that_stays_alone_is_protected_too(monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    monkeypatch.setitem(FINER, group, (9, *FINER[group][1:]))
    wide = ranges(hidden(BROADER))
    assert min(wide["five", "school:A", group], wide["two", "school:A", group]) >= WIDTHS.base
