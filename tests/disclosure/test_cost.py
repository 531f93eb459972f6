"""What protection costs: hidden cells by rule, and whether their group can be seen nearby."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.definitions import load
from pipelines.disclosure import cost

SCHOOLS = pd.DataFrame({"school_code": ["A", "B"], "faculty_code": ["F", "F"]})
COLUMNS = ["unit", "level", "group", "status", "why"]
CELLS = pd.DataFrame(
    [
        ("school:A", "PGT", "Black", "suppressed", "small"),  # shown in its faculty at all levels
        ("school:A", "all", "Black", "suppressed", "linked"),
        ("school:B", "PGT", "Black", "suppressed", "small"),  # shown in itself at all levels
        ("school:B", "all", "Black", "shown", ""),
        ("school:A", "PGT", "Mixed", "suppressed", "small"),  # shown at the university only
        ("school:A", "PGT", "Asian", "none", ""),
        ("faculty:F", "PGT", "Black", "suppressed", "linked"),
        ("faculty:F", "all", "Black", "shown", ""),
        ("university", "PGT", "Black", "suppressed", "linked"),  # none is nearer than the university itself
        ("university", "all", "Black", "shown", ""),
        ("university", "all", "Mixed", "shown", ""),
    ],
    columns=COLUMNS,
).assign(academic_year="2025/26", part="year", metric="trust", characteristic="ethnicity")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.setattr(cost, "FEW", 0)
    return cost.protection(CELLS, SCHOOLS, load()).set_index(["kind", "level"])


def test_hidden_cells_are_counted_by_rule_and_by_whether_their_group_is_seen_nearby(counted) -> None:
    found = counted
    columns = ["cells", "shown", "small", "linked", "nearer"]
    assert found.loc[("school", "PGT"), columns].tolist() == [3, 0, 3, 0, 2]
    assert found.loc[("school", "all"), columns].tolist() == [2, 1, 0, 1, 1]
    assert found.loc[("faculty", "PGT"), columns].tolist() == [1, 0, 0, 1, 1]
    whole = found.loc[("university", "PGT")]
    assert whole[["cells", "shown", "nearer"]].tolist() == [1, 0, 0]
    assert whole[["small", "linked"]].isna().all(), "one unit's counts would say why its cells are hidden"
    below = found.drop("university")
    assert (below["cells"] == below["shown"] + below["small"] + below["linked"]).all()


def test_counts_do_not_say_of_a_cell_by_which_rule_it_is_hidden() -> None:
    more = pd.concat([CELLS.assign(metric=m) for m in ("trust", "knows_me", "supported")], ignore_index=True)
    found = cost.protection(more, SCHOOLS, load()).set_index(["kind", "level"])
    hides = found["shown"] < found["cells"]
    assert found.loc[hides, ["small", "linked"]].isna().all(axis=None), "all of a row are small, or all are linked"
    both = more.assign(level=more["level"].where(more["unit"] != "school:A", "all"))
    found = cost.protection(both, SCHOOLS, load()).set_index(["kind", "level"])
    assert found.loc[("school", "all"), ["small", "linked"]].tolist() == [6, 3]


def test_another_period_is_not_nearby() -> None:
    earlier = CELLS.assign(academic_year=CELLS["academic_year"].where(CELLS["status"] != "shown", "2024/25"))
    assert cost.protection(earlier, SCHOOLS, load())["nearer"].sum() == 0


def test_the_run_says_what_it_cost(counted) -> None:
    said = cost.in_words(counted.reset_index())
    assert "42.9% too few to show" in said
    assert "80.0% can be seen nearer" in said
