"""What holds for all measures over cells: categories or text, whole or empty, the figures are the same."""

import pandas as pd
import pytest

from pipelines.measures import consistency, decomposition, funnel, inequality, like_for_like, over_time, pooling, sets
from tests.measures.building import BETTER, KINDS, PLACE, REFERENCES, random_cells, schools_of, sorted_rows

KEYS = [*PLACE, "group"]
GROUPS = pd.DataFrame(
    [("sex", "Female", 0, False, False), ("sex", "Male", 1, False, True),
     *(("ethnicity", g, i, True, g == "White") for i, g in enumerate(["Asian", "Black", "White"]))],
    columns=["characteristic", "group", "ordering", "ordered", "is_reference"],
)  # fmt: skip
CELLS = random_cells(8, schools=7)
SCHOOLS = schools_of(CELLS, ("F", "G"))
SERIES = [c for c in KEYS if c != "academic_year"]


def schools_only(cells):
    return cells[sets.is_school(cells["unit"])]


def everyone(cells):
    return cells[cells["group"].isin(["Male"])].assign(characteristic="all", group="all")


MEASURES = {
    "like_for_like": (lambda c: like_for_like.like_for_like(c, KINDS, REFERENCES, SCHOOLS), KEYS),
    "decompose": (lambda c: decomposition.decompose(c, REFERENCES, SCHOOLS).whole, KEYS),
    "decompose, schools": (lambda c: decomposition.decompose(c, REFERENCES, SCHOOLS).schools, [*KEYS, "school"]),
    "pooled": (lambda c: pooling.pooled(c, KINDS, REFERENCES, SCHOOLS).whole, KEYS),
    "pooled, schools": (lambda c: pooling.pooled(c, KINDS, REFERENCES, SCHOOLS).schools, [*KEYS, "school"]),
    "consistency": (
        lambda c: consistency.between_schools(everyone(c), KINDS, SCHOOLS),
        ["academic_year", "part", "level", "metric", "unit"],
    ),
    "funnel": (lambda c: funnel.funnel(schools_only(c), KINDS), KEYS),
    "inequality": (lambda c: inequality.inequality(c, KINDS, GROUPS, BETTER), PLACE),
    "trend": (lambda c: over_time.trend(c, SERIES), SERIES),
}


@pytest.mark.parametrize("name", MEASURES)
def test_categories_or_text_give_the_same_figures(name):
    measure, keys = MEASURES[name]
    plain, coded = measure(CELLS), measure(sets.coded(CELLS, KEYS))
    assert len(plain) > 0
    assert not plain.duplicated(keys).any()
    pd.testing.assert_frame_equal(
        sorted_rows(coded, keys), sorted_rows(plain, keys), check_dtype=False, check_categorical=False, check_like=True
    )


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("as_categories", [False, True])
def test_no_cells_give_no_rows_with_the_same_columns(name, as_categories):
    measure, _ = MEASURES[name]
    empty = (sets.coded(CELLS, KEYS) if as_categories else CELLS)[:0]
    found = measure(empty)
    assert found.empty
    assert set(found.columns) == set(measure(CELLS).columns)


@pytest.mark.parametrize("name", MEASURES)
def test_what_comes_in_is_left_alone(name):
    measure, _ = MEASURES[name]
    before = CELLS.copy(deep=True)
    measure(CELLS)
    pd.testing.assert_frame_equal(CELLS, before)
