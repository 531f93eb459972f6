"""A gap is split exactly in two, school by school."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.measures import decomposition, gaps
from tests.measures.building import (
    BERKELEY,
    KINDS,
    MATERIAL,
    REFERENCES,
    assert_no_infinity,
    berkeley,
    cell,
    random_cells,
    schools_of,
    sorted_rows,
    table,
)

KEYS = [*gaps.PLACE, "group"]


def split(cells, faculties=("F",)):
    return decomposition.decompose(cells, REFERENCES, schools_of(cells, faculties))


def test_berkeley_adds_up_and_turns_round():
    found = split(berkeley())
    whole = found.whole[(found.whole["unit"] == "university") & (found.whole["level"] == "all")]
    # Kitagawa (1955) written out over the six departments
    women, men = (sum(d[i] for d in BERKELEY.values()) for i in (1, 3))
    within = sum((f / women + m / men) / 2 * (f1 / f - m1 / m) for f1, f, m1, m in BERKELEY.values())
    which = sum((f1 / f + m1 / m) / 2 * (f / women - m / men) for f1, f, m1, m in BERKELEY.values())
    one = whole.iloc[0]
    assert one["value"] == pytest.approx(-0.1416, abs=5e-5)
    assert (one["within_schools"], one["which_schools"]) == pytest.approx((within, which), abs=1e-12)
    assert one["within_schools"] > 0 > one["value"]
    assert one["within_lower"] > 0
    assert decomposition.verdict(whole.assign(lower=-0.17, upper=-0.11), MATERIAL).iloc[0] == "turns round"


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_parts_add_up_to_the_raw_gap(seed, schools):
    cells = random_cells(seed, schools)
    found = split(cells, ("F", "G"))
    parts = found.schools.groupby(KEYS, observed=True)[["within_schools", "which_schools"]].sum().reset_index()
    both = found.whole.merge(parts, on=KEYS, suffixes=("", "_parts"), validate="one_to_one")
    assert len(both) == len(found.whole) > 0
    for part in ("within_schools", "which_schools"):
        np.testing.assert_allclose(both[part], both[f"{part}_parts"], atol=1e-12)
    np.testing.assert_allclose(both["within_schools"] + both["which_schools"], both["value"], atol=1e-12)
    raw = gaps.against_reference(cells[cells["unit"] == "university"], KINDS, REFERENCES)
    both = raw.merge(found.whole, on=KEYS, suffixes=("_raw", ""), validate="one_to_one")
    assert len(both) == (found.whole["unit"] == "university").sum()
    np.testing.assert_allclose(both["value"], both["value_raw"], atol=1e-12)
    assert_no_infinity(found.whole)
    assert_no_infinity(found.schools)


def test_the_same_values_everywhere_leave_nothing_within_and_a_shift_within_leaves_nothing_between():
    same = table([cell("school:A", "Female", 80, 40), cell("school:A", "Male", 20, 10),
                  cell("school:B", "Female", 20, 16), cell("school:B", "Male", 80, 64)])  # fmt: skip
    one = split(same).whole.iloc[0]
    assert (one["within_schools"], one["which_schools"]) == pytest.approx((0, one["value"]))
    spread = table([cell("school:A", "Female", 50, 20), cell("school:A", "Male", 50, 25),
                    cell("school:B", "Female", 50, 35), cell("school:B", "Male", 50, 40)])  # fmt: skip
    one = split(spread).whole.iloc[0]
    assert (one["within_schools"], one["which_schools"]) == pytest.approx((-0.1, 0))


def test_a_school_without_one_of_the_groups_counts_as_which_schools():
    cells = table(
        [cell("school:A", "Female", 50, 25), cell("school:A", "Male", 50, 25), cell("school:B", "Male", 50, 50)]
    )
    found = split(cells)
    b = found.schools[(found.schools["school"] == "school:B") & (found.schools["unit"] == "university")]
    assert (b["within_schools"] == 0).all()
    assert (b["which_schools"] < 0).all(), "women are missing from the school with the high value"


def test_intervals_of_the_parts_cover_their_truth():
    rng = np.random.default_rng(4)
    n = np.array([[120, 60, 30], [40, 70, 150]])  # women and men in three schools
    p = np.array([[0.7, 0.6, 0.4], [0.75, 0.7, 0.5]])
    share = n / n.sum(axis=1, keepdims=True)
    within = (share.mean(axis=0) * (p[0] - p[1])).sum()
    which = (p.mean(axis=0) * (share[0] - share[1])).sum()
    rows = []
    for t in range(1_500):
        x = rng.binomial(n, p)
        rows += [
            cell(f"school:{s}", g, n[i, s], x[i, s], year=str(t))
            for s in range(3)
            for i, g in enumerate(["Female", "Male"])
        ]
    whole = split(table(rows)).whole
    whole = whole[(whole["unit"] == "university") & (whole["level"] == "UG")]
    assert 0.93 < whole["within_lower"].le(within).mul(whole["within_upper"].ge(within)).mean() < 0.97
    assert 0.93 < whole["which_lower"].le(which).mul(whole["which_upper"].ge(which)).mean() < 0.975


def test_order_and_a_school_in_halves_do_not_matter():
    cells = random_cells(3)
    before = sorted_rows(split(cells).whole, KEYS)
    after = sorted_rows(split(cells.sample(frac=1, random_state=1)).whole, KEYS)
    pd.testing.assert_frame_equal(after, before, check_dtype=False)
    sums = ["n", "sx", "sxx", "sy", "syy", "sxy"]
    of_school = cells["unit"] == "school:S0"
    half = cells[of_school].assign(**{c: cells.loc[of_school, c] / 2 for c in sums})
    halves = pd.concat([cells[~of_school], half.assign(unit="school:S0a"), half.assign(unit="school:S0b")])
    after = sorted_rows(split(halves).whole, KEYS)
    exact = ["value", "within_schools", "which_schools"]
    pd.testing.assert_frame_equal(after[exact], before[exact], check_dtype=False)


def test_nothing_to_split_gives_empty_tables():
    for cells in (berkeley()[:0], berkeley().query("group == 'Female'")):
        found = split(cells)
        assert found.whole.empty
        assert found.schools.empty


@pytest.mark.parametrize("share", [0, 1])
def test_no_variation_is_too_few_to_say(share):
    found = split(table([cell(f"school:{s}", g, 40, 40 * share) for s in "AB" for g in ("Female", "Male")]))
    assert found.whole["within_lower"].isna().all()
    assert set(decomposition.verdict(found.whole.assign(lower=-0.1, upper=0.1), MATERIAL)) == {"too few to say"}


@pytest.mark.parametrize(
    ("raw", "within", "words"),
    [
        ((-0.14, 0.03), (0.03, 0.01), "turns round"),
        ((-0.14, 0.03), (0.03, 0.05), "gone, if anything turned round"),
        ((-0.14, 0.03), (0.03, 0.20), "too few to say"),
        ((-0.14, 0.03), (0.005, 0.001), "mostly which schools"),
        ((-0.10, 0.03), (-0.09, 0.02), "mostly within schools"),
        ((-0.10, 0.03), (-0.01, 0.02), "mostly which schools"),
        ((-0.10, 0.03), (-0.05, 0.02), "both"),
        ((-0.10, 0.03), (-0.08, 0.019), "mostly within schools"),
        ((-0.10, 0.03), (-0.07, 0.025), "both"),
        ((-0.10, 0.03), (-0.07, 0.06), "too few to say"),
        ((0.10, 0.03), (0.07, 0.06), "too few to say"),
        # what is likeliest is no evidence: nearly all of it may arise within schools, and hardly any of it
        ((-0.06, 0.04), (-0.019, 0.04), "too few to say"),
        ((-0.06, 0.04), (-0.042, 0.04), "too few to say"),
        ((-0.10, 0.03), (-0.05, 0.30), "too few to say"),
        ((0.01, 0.03), (-0.09, 0.02), "appears within schools"),
        ((0.10, 0.12), (-0.09, 0.02), "appears within schools"),
        ((-0.10, 0.12), (-0.09, 0.12), "no clear gap to explain"),
        ((-0.01, 0.03), (0.01, 0.02), "no clear gap to explain"),
    ],
)
def test_words(raw, within, words):
    (value, raw_reach), (within, reach) = raw, within
    whole = pd.DataFrame(
        {"metric": ["met"], "value": [value], "lower": [value - raw_reach], "upper": [value + raw_reach],
         "within_schools": [within],
         "within_lower": [within - reach], "within_upper": [within + reach]}
    )  # fmt: skip
    assert decomposition.verdict(whole, MATERIAL)[0] == words
