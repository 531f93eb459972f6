"""The closed list of cells that are published at all, and what one cell would tell of another that is hidden."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from pipelines.definitions import load
from pipelines.disclosure.patterns import KEY, LINKED, SHOWN, SMALL, UNLISTED
from pipelines.protect import Decision, Protected, _alike_in_both_parts, small_cells, unlisted
from pipelines.settings import Settings

DEFINITIONS = load()

UNITS, LEVELS, GROUPS = ["university", "faculty:F", "school:A"], ["all", "UG"], [("all", "all"), ("sex", "Female")]
PERIODS = [("2023/24", "year"), ("2023/24", "to_date"), ("2024/25", "to_date")]


def listed(periods: list[tuple[str, str]] = PERIODS, latest: str | None = None) -> set[tuple[str, ...]]:
    rows = [(*period, unit, level, *who) for period, unit, level, who in product(periods, UNITS, LEVELS, GROUPS)]
    columns = ["academic_year", "part", "unit", "level", "characteristic", "group"]
    cells = pd.DataFrame(rows, columns=columns)
    return set(cells[~unlisted(cells, latest)].itertuples(index=False, name=None))


def test_everyone_is_listed_everywhere() -> None:
    everyone = {(*period, unit, level, "all", "all") for period, unit, level in product(PERIODS, UNITS, LEVELS)}
    assert everyone <= listed()


def test_groups_by_level_are_listed_for_the_university_alone() -> None:
    of_level = {(cell[2], cell[4]) for cell in listed() if cell[3] == "UG" and cell[4] != "all"}
    assert of_level == {("university", "sex")}


def test_groups_at_all_levels_are_listed_but_for_schools_in_earlier_years_to_date() -> None:
    of_group = {cell[:3] for cell in listed() if cell[3] == "all" and cell[4] != "all"}
    every = {(*period, unit) for period, unit in product(PERIODS, UNITS)}
    assert every - of_group == {("2023/24", "to_date", "school:A")}


def test_what_is_listed_does_not_depend_on_which_periods_are_looked_at() -> None:
    apart = [listed([period], latest="2024/25") for period in PERIODS]
    assert set().union(*apart) == listed()


def of_one_place(**counts: tuple[int, int]) -> pd.DataFrame:
    """Cells of one place: metric → how many are counted, and how many of them have it."""
    place = dict(zip(KEY, ("2024/25", "year", "all", "school:A", "", "sex", "Female"), strict=True))
    rows = [{**place, "metric": m, "n": n, "sx": float(x), "have_some": x, "lack_some": n - x}
            for m, (n, x) in counts.items()]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("told", "hidden"),
    [
        ({"met_by_promised_week": (39, 35)}, set()),  # 35 to 40 may have met
        ({"met_by_promised_week": (42, 37)}, set()),
        ({"met_by_promised_week": (45, 38)}, {"met_by_promised_week"}),
        ({"met_standard": (45, 38)}, {"met_standard"}),
        ({"same_tutor": (38, 20)}, {"same_tutor"}),
        ({"same_tutor": (37, 20)}, set()),
        ({"same_tutor": (37, 20), "attendance": (39, 30)}, {"attendance"}),  # 37 to 39
        ({"same_tutor": (36, 20), "attendance": (39, 30)}, set()),
        ({"meetings_per_student": (40, 30)}, set()),
    ],
)
def test_what_would_tell_how_many_met_is_hidden_where_that_is(told: dict, hidden: set[str]) -> None:
    cells = of_one_place(any_meeting=(40, 39), **told)
    small = small_cells(cells, DEFINITIONS, Settings())
    assert set(cells.loc[small, "metric"]) == {"any_meeting", *hidden}
    shown = of_one_place(any_meeting=(40, 30), **told)
    assert not small_cells(shown, DEFINITIONS, Settings()).any(), "where it is shown there is nothing to tell"


def alike(cells: pd.DataFrame, kinds: list[str], kept: int = 0) -> list[str]:
    stays = np.arange(len(cells)) < kept
    return _alike_in_both_parts(cells, pd.Series(kinds, dtype=object), stays).tolist()


def test_a_cell_that_is_the_same_in_both_parts_of_a_year_is_hidden_in_both() -> None:
    cells = pd.concat([of_one_place(met_by_promised_week=(40, 30), trust=(40, 30)).assign(part=part)
                       for part in ("year", "to_date", "pooled")], ignore_index=True)  # fmt: skip
    cells.loc[3, ["sx", "have_some", "lack_some"]] = [29, 29, 11]  # others in the other part
    kinds = [SHOWN, SHOWN, SMALL, LINKED, SHOWN, UNLISTED]
    assert alike(cells, kinds) == [LINKED, SHOWN, SMALL, LINKED, SHOWN, UNLISTED]
    assert alike(cells, kinds, kept=2) == kinds, "what was published stays"
    kinds = [SMALL, SHOWN, SHOWN, LINKED, SHOWN, UNLISTED]
    assert alike(cells, kinds, kept=2) == [SMALL, SHOWN, LINKED, LINKED, SHOWN, UNLISTED]
    kinds[0], kinds[2] = SHOWN, UNLISTED
    assert alike(cells, kinds) == kinds


def test_that_a_group_has_no_row_does_not_tell_that_nobody_of_it_answered_or_met() -> None:
    why = {
        ("response_rate", "Female"): SMALL, ("response_rate", "Male"): SHOWN, ("response_rate", "Other"): LINKED,
        ("trust", "Male"): SHOWN, ("trust", "Other"): SMALL, ("any_meeting", "Female"): SMALL,
        ("same_tutor", "Other"): SHOWN,
    }  # fmt: skip
    place = {"academic_year": "2024/25", "part": "year", "level": "all", "unit": "university", "characteristic": "sex"}
    cells = pd.DataFrame([{**place, "metric": metric, "group": group} for metric, group in why])
    decision = Decision(cells, pd.Series([*why.values()], dtype=object), {})
    absent = decision.absent(DEFINITIONS)
    assert set(zip(absent["metric"], absent["group"], strict=True)) == {("trust", "Female"), ("same_tutor", "Female")}
    cell = cells.assign(status="shown", value=50.0, why="")
    gap = cells[:0].assign(**dict.fromkeys(
        ["against", "reference", "evidence", "direction", "like_for_like_says", "status"], ""), value=0.0)  # fmt: skip
    safe = Protected({"cell": cell, "gap": gap}).listing_absent(absent, DEFINITIONS).tables
    new = safe["cell"][len(cell) :]
    assert set(zip(new["metric"], new["group"], new["status"], strict=True)) == {
        ("trust", "Female", "suppressed"), ("same_tutor", "Female", "suppressed")
    }  # fmt: skip
    assert new["value"].isna().all()
    assert safe["cell"][: len(cell)].equals(cell)
    told = safe["gap"][["metric", "group", "reference", "status"]]
    assert sorted(told.to_numpy().tolist()) == [
        ["same_tutor", "Female", "Male", "suppressed"], ["trust", "Female", "Male", "suppressed"]
    ]  # fmt: skip
