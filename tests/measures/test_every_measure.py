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


NAMES = {
    "unit": {f"school:S{i}": f"school:Z{9 - i}" for i in range(7)},
    "group": {"Female": "Woman", "Asian": "Z", "Black": "Y"},
}


@pytest.mark.parametrize("name", MEASURES)
def test_order_and_names_change_nothing(name, monkeypatch):
    measure, keys = MEASURES[name]
    before = measure(CELLS)
    renamed = sets.coded(CELLS.replace(NAMES).sample(frac=1, random_state=3), KEYS)
    faculties = dict(zip("school:" + SCHOOLS["school_code"], SCHOOLS["faculty_code"], strict=True))
    codes = [NAMES["unit"][unit].removeprefix("school:") for unit in faculties]
    monkeypatch.setattr(f"{__name__}.SCHOOLS", pd.DataFrame({"school_code": codes, "faculty_code": faculties.values()}))
    monkeypatch.setattr(f"{__name__}.GROUPS", GROUPS.replace(NAMES))
    after = measure(renamed)
    names = {column: NAMES["unit"] if column in ("unit", "school") else NAMES.get(column, {}) for column in keys}
    pd.testing.assert_frame_equal(
        sorted_rows(after, keys),
        sorted_rows(before.astype(dict.fromkeys(keys, object)).replace(names), keys),
        check_dtype=False, check_like=True, check_categorical=False, rtol=1e-6,
    )  # fmt: skip


HALVED = {  # what a school in two identical halves leaves as it is; what rests on how many schools there are changes
    "like_for_like": ["value"],
    "decompose": ["value", "within_schools", "which_schools"],
    "funnel": ["target"],
    "inequality": ["range", "between_sd", "theil", "disparity", "slope", "relative", "p"],
    "trend": ["change", "lower", "upper", "p"],
}


@pytest.mark.parametrize("name", HALVED)
def test_a_school_in_two_identical_halves_changes_what_it_should_and_nothing_else(name, monkeypatch):
    measure, keys = MEASURES[name]
    before = measure(CELLS)
    of_school = (CELLS["unit"] == "school:S0").to_numpy(bool)
    sums = ["n", "sx", "sxx", "sy", "syy", "sxy"]
    half = CELLS[of_school].astype(dict.fromkeys(sums, float))
    half[sums] /= 2
    halves = [half.assign(unit=f"school:S0{part}") for part in "ab"]
    faculty = dict(zip(SCHOOLS["school_code"], SCHOOLS["faculty_code"], strict=True))
    faculty |= {"S0a": faculty["S0"], "S0b": faculty["S0"]}
    schools = pd.DataFrame({"school_code": faculty.keys(), "faculty_code": faculty.values()})
    monkeypatch.setattr(f"{__name__}.SCHOOLS", schools)
    after = measure(pd.concat([CELLS[~of_school], *halves], ignore_index=True))
    assert len(after)
    same = [f[~f["unit"].astype(str).str.startswith("school:S0")] for f in (after, before)]
    figures = [c for c in HALVED[name] if c in before]
    assert figures
    after, before = (sorted_rows(f, keys)[[*keys, *figures]] for f in same)
    pd.testing.assert_frame_equal(after, before, check_dtype=False, rtol=1e-9, atol=1e-12)
