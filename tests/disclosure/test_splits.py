"""Splits are shown where nothing hidden can be worked out from them, by sums and differences of all that is shown."""

import numpy as np
import pandas as pd
import pytest

from pipelines.disclosure.splits import FAMILY, shown

SCHOOLS = {"A1": "A", "A2": "A", "A3": "A", "B1": "B", "C1": "C", "C2": "C"}  # faculty B has one school
PARENTS = {f"school:{s}": f"faculty:{f}" for s, f in SCHOOLS.items()} | {f"faculty:{f}": "university" for f in "ABC"}
WITHIN = {"ethnicity": "broad", "broad": "all", "sex": "all"}
JOINED = {"White": "White", "Black": "Minority", "Asian": "Minority", "Unknown": "Unknown"}
GROUPS = {
    "all": {"all": None},
    "ethnicity": {g: ("ethnicity", g) for g in JOINED},
    "broad": {g: ("broad", g) for g in ("White", "Minority", "Unknown")},
    "sex": {g: ("sex", g) for g in ("Female", "Male", "Unknown")},
}
ANSWERS = ["disagree", "neither", "agree"]


def students(counts):
    """One row per school, ethnicity and sex: how many gave each answer."""
    rows = [(s, e, x) for s in SCHOOLS for e in JOINED for x in ("Female", "Male", "Unknown")]
    people = pd.DataFrame(rows, columns=["school", "ethnicity", "sex"])
    return people.assign(broad=people["ethnicity"].map(JOINED), **dict(zip(ANSWERS, counts(len(people)), strict=True)))


def rows_of(people):
    """What could be shown, and of which students each row is the sum."""
    rows, members = [], []
    for unit in [*PARENTS, "university"]:
        kind, _, code = unit.partition(":")
        where = {
            "university": pd.Series(True, people.index),
            "faculty": people["school"].map(SCHOOLS) == code,
            "school": people["school"] == code,
        }[kind]
        for characteristic in ("all",) if kind == "school" else GROUPS:
            for group in GROUPS[characteristic]:
                of = where if characteristic == "all" else where & (people[characteristic] == group)
                key = ("2025/26", "year", "trust", characteristic, unit, group)
                rows.append([*key, *people.loc[of, ANSWERS].sum()])
                members.append(of.to_numpy(float))
    return pd.DataFrame(rows, columns=[*FAMILY, "group", *ANSWERS]), np.array(members)


def found(rows, allowed, smallest=3):
    return shown(rows, ANSWERS, np.asarray(allowed, bool), PARENTS, WITHIN, smallest)


def of(rows, unit, characteristic="all"):
    return ((rows["unit"] == unit) & (rows["characteristic"] == characteristic)).to_numpy()


@pytest.fixture
def plenty():
    return rows_of(students(lambda n: np.full((3, n), 5)))[0]


def test_all_is_shown_where_all_are_many(plenty):
    assert found(plenty, np.ones(len(plenty))).all()


def test_a_family_is_shown_whole_or_not_at_all_and_so_are_the_faculties(plenty):
    allowed = ~((plenty["unit"] == "faculty:A") & (plenty["group"] == "Female")).to_numpy()
    seen = found(plenty, allowed)
    for faculty in "ABC":
        assert not seen[of(plenty, f"faculty:{faculty}", "sex")].any()
        assert seen[of(plenty, f"faculty:{faculty}", "broad")].all()
    assert seen[of(plenty, "university", "sex")].all()
    assert seen[of(plenty, "faculty:A")].all()


def test_schools_of_one_faculty_are_shown_all_or_none(plenty):
    seen = found(plenty, ~of(plenty, "school:A2"))
    for school in SCHOOLS:
        assert seen[of(plenty, f"school:{school}")].all() == (SCHOOLS[school] != "A")
    assert seen[of(plenty, "faculty:A")].all()


def test_an_only_school_is_its_faculty(plenty):
    seen = found(plenty, ~of(plenty, "school:B1"))
    assert not seen[of(plenty, "school:B1")].any()
    assert not seen[plenty["unit"].str.startswith(("faculty", "school"))].any()
    assert seen[of(plenty, "university")].all()


def test_a_finer_characteristic_is_shown_where_its_broader_one_is(plenty):
    seen = found(plenty, ~of(plenty, "university", "broad"))
    assert not seen[of(plenty, "university", "ethnicity") | of(plenty, "faculty:A", "ethnicity")].any()
    assert seen[of(plenty, "university", "sex")].all()
    nobody = found(plenty, ~of(plenty, "university"))
    assert not nobody.any()


def test_few_answers_of_one_kind_hide_the_family():
    people = students(lambda n: np.full((3, n), 5))
    people.loc[people["sex"] == "Unknown", "neither"] = 0
    rows, _ = rows_of(people)
    seen = found(rows, np.ones(len(rows)))
    assert not seen[rows["characteristic"] == "sex"].any()
    assert seen[rows["characteristic"] == "ethnicity"].all()


@pytest.mark.parametrize("seed", range(12))
def test_no_hidden_split_is_a_sum_or_difference_of_shown_ones(seed):
    rng = np.random.default_rng(seed)
    rows, members = rows_of(students(lambda n: rng.poisson(rng.choice([0.3, 2, 6], n), (3, n))))
    allowed = rng.random(len(rows)) > rng.choice([0.02, 0.1, 0.3])
    seen = found(rows, allowed)
    span = members[seen]
    rank = np.linalg.matrix_rank(span) if len(span) else 0
    assert not (seen & ~allowed).any()
    same = (members[:, None, :] == span[None]).all(axis=2).any(axis=1)  # White is White, in broader groups too
    for row in np.flatnonzero(~seen & ~same):
        assert np.linalg.matrix_rank(np.vstack([span, members[row]])) == rank + 1, rows.loc[row, [*FAMILY, "group"]]


def test_nothing_to_show_is_no_error(plenty):
    assert found(plenty.head(0), []).tolist() == []
