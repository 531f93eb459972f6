"""The closed list: which cells are published at all."""

from itertools import product

import pandas as pd

from pipelines.protect import unlisted

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
