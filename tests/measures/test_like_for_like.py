"""Like-for-like gaps compare students of the same school and level, and agree with published figures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.measures import gaps, like_for_like
from tests.measures.building import (
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

KEYS = like_for_like.KEY


def found(cells, **where):
    out = like_for_like.like_for_like(cells, KINDS, REFERENCES, schools_of(cells))
    for column, value in where.items():
        out = out[out[column] == value]
    return out


def by_hand(strata, z=like_for_like.Z):
    """Mantel–Haenszel, Sato's variance and Klingenberg's interval, one stratum after the other."""
    w = p = q = d = 0.0
    for x1, n1, x0, n0 in strata:
        both = n1 + n0
        w += n1 * n0 / both
        d += n1 * n0 / both * (x1 / n1 - x0 / n0)
        p += (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / both**2
        q += (x1 * (n0 - x0) + x0 * (n1 - x1)) / both / 2
    value = d / w
    middle = value + z**2 * p / w**2 / 2
    reach = np.sqrt(middle**2 - value**2 + z**2 * q / w**2)
    return value, middle - reach, middle + reach, np.sqrt(value * p + q) / w


def test_tolbutamide_deaths_by_age_as_metafor_and_rothman_have_them():
    # Rothman (2008), table 15-1, as asserted in metafor, test_analysis_example_rothman2008: risk difference by
    # Mantel & Haenszel 0.0349, 90% limits -0.0176 and 0.0874 (Sato's variance)
    strata = [(8, 106, 5, 120), (22, 98, 16, 85)]
    rows = [
        cell(f"school:{i}", group, n, x)
        for i, (x1, n1, x0, n0) in enumerate(strata)
        for group, n, x in (("Female", n1, x1), ("Male", n0, x0))
    ]
    out = found(table(rows), unit="university", level="UG").iloc[0]
    assert out["value"] == pytest.approx(0.0349, abs=5e-5)
    value, _, _, error = by_hand(strata)
    z = stats.norm.ppf(0.95)
    assert (value - z * error, value + z * error) == pytest.approx((-0.0176, 0.0874), abs=5e-5)
    assert (out["lower"], out["upper"]) == pytest.approx(by_hand(strata)[1:3], abs=1e-12)
    assert out["strata"] == 2


def test_ten_thousand_random_tables_agree_with_the_sums_written_out():
    rng = np.random.default_rng(8)
    rows, expected = [], {}
    for t in range(2_000):
        strata = []
        for s in range(5):
            n1, n0 = rng.integers(1, 80, 2)
            x1, x0 = rng.binomial(n1, 0.6), rng.binomial(n0, 0.7)
            strata.append((x1, n1, x0, n0))
            rows += [
                cell(f"school:{s}", "Female", n1, x1, year=f"{t}"),
                cell(f"school:{s}", "Male", n0, x0, year=f"{t}"),
            ]
        expected[f"{t}"] = by_hand(strata)
    out = found(table(rows), unit="university", level="UG").set_index("academic_year")
    hand = pd.DataFrame(expected, index=["value", "lower", "upper", "error"]).T
    for column in ("value", "lower", "upper"):
        assert np.abs(out[column] - hand[column]).max() < 1e-9
    significant = (out["lower"] > 0) | (out["upper"] < 0)
    assert ((out["p"] < 0.05) == significant).all(), "interval and p-value contradict each other"


def test_berkeley_is_gone_and_if_anything_turned_round():
    cells = berkeley()
    out = found(cells, unit="university", level="all").iloc[0]
    raw = gaps.against_reference(cells[cells["unit"] == "university"], KINDS, REFERENCES)
    raw = raw[raw["level"] == "all"]
    assert raw["value"].iloc[0] == pytest.approx(-0.142, abs=5e-4)
    assert out["value"] == pytest.approx(0.018, abs=2e-3)
    said = like_for_like.beside_raw(raw, pd.DataFrame([out]).set_axis(raw.index), MATERIAL)
    assert out["lower"] < 0 < out["upper"]
    assert said.iloc[0] == "gone, if anything turned round"


def test_one_stratum_is_the_raw_gap():
    cells = table([cell("school:A", "Female", 60, 30), cell("school:A", "Male", 50, 40)])
    assert found(cells, unit="university", level="UG")["value"].iloc[0] == pytest.approx(30 / 60 - 40 / 50)


def test_a_mean_in_one_stratum_is_welchs():
    rng = np.random.default_rng(3)
    a, b = rng.poisson(3, 40).astype(float), rng.poisson(4, 25).astype(float)
    rows = [
        cell("school:A", "Female", 40, a.sum(), (a**2).sum(), metric="meetings"),
        cell("school:A", "Male", 25, b.sum(), (b**2).sum(), metric="meetings"),
    ]
    out = found(table(rows), unit="university", level="UG").iloc[0]
    welch = stats.ttest_ind(a, b, equal_var=False)
    limits = welch.confidence_interval()
    assert (out["lower"], out["upper"], out["p"]) == pytest.approx((limits.low, limits.high, welch.pvalue), abs=1e-9)


def test_units_levels_and_faculties():
    cells = random_cells()
    schools = schools_of(cells, ("F", "G"))
    out = like_for_like.like_for_like(cells, KINDS, REFERENCES, schools)
    assert not out.duplicated(KEYS).any()
    assert set(out["unit"]) == {
        "university",
        "faculty:F",
        "faculty:G",
        *("school:" + c for c in schools["school_code"]),
    }
    assert set(out.loc[out["unit"].str.startswith("school:"), "level"]) == {"all"}
    assert_no_infinity(out)


def test_a_school_in_two_identical_halves_leaves_the_value_and_nearly_the_interval():
    rows = [cell("school:A", "Female", 60, 30), cell("school:A", "Male", 50, 40),
            cell("school:B", "Female", 20, 16), cell("school:B", "Male", 80, 40)]  # fmt: skip
    halves = [
        {**r, "unit": r["unit"] + part, **{c: r[c] / 2 for c in ("n", "sx", "sxx", "sy", "syy", "sxy")}}
        for r in rows for part in ("1", "2")
    ]  # fmt: skip
    whole = found(table(rows), unit="university", level="UG").iloc[0]
    split = found(table(halves), unit="university", level="UG").iloc[0]
    assert split["value"] == pytest.approx(whole["value"], abs=1e-12)
    assert (split["lower"], split["upper"]) == pytest.approx((whole["lower"], whole["upper"]), abs=1e-12)
    assert (split["strata"], split["n"]) == (4, whole["n"])


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.randoms())
def test_order_and_names_do_not_matter(seed, random):
    cells = random_cells(seed, schools=3)
    before = sorted_rows(found(cells), KEYS)
    order = list(range(len(cells)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(sorted_rows(found(cells.iloc[order]), KEYS), before, check_dtype=False)
    swap = {"Male": "Reference", "White": "Zulu"}
    renamed = cells.assign(group=cells["group"].replace(swap))
    after = like_for_like.like_for_like(renamed, KINDS, REFERENCES.replace(swap), schools_of(cells))
    pd.testing.assert_frame_equal(sorted_rows(after, KEYS), before, check_dtype=False)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_swapping_group_and_reference_turns_it_round(seed):
    cells = random_cells(seed, schools=3)
    cells = cells[cells["characteristic"] == "sex"]
    one = sorted_rows(found(cells), KEYS)
    two = like_for_like.like_for_like(cells, KINDS, pd.Series({"sex": "Female"}, dtype=object), schools_of(cells))
    two = sorted_rows(two, KEYS)
    np.testing.assert_allclose(one["value"], -two["value"], atol=1e-12)
    np.testing.assert_allclose(one["lower"], -two["upper"], atol=1e-12)
    np.testing.assert_allclose(one["p"], two["p"], atol=1e-12)


@pytest.mark.parametrize("share", [0, 1])
def test_no_variation_is_too_few_to_say(share):
    rows = [cell(f"school:{s}", g, 40, 40 * share) for s in "AB" for g in ("Female", "Male")]
    out = found(table(rows))
    assert (out["value"] == 0).all()
    assert out[["lower", "upper", "p"]].isna().all(axis=None)


def test_nothing_to_compare_gives_no_rows():
    cells = berkeley()
    assert found(cells[:0].astype({"unit": str}), unit="university").empty
    assert found(cells[cells["group"] == "Female"]).empty
    one = table([cell("school:A", "Female", 10, 5), cell("school:B", "Male", 10, 5)])
    assert found(one).empty


def test_groups_of_one_student_give_no_interval_for_a_mean():
    rows = [
        cell("school:A", "Female", 1, 3, 9, metric="meetings"),
        cell("school:A", "Male", 5, 9, 21, metric="meetings"),
    ]
    assert found(table(rows)).empty


@pytest.mark.parametrize(
    ("raw", "like", "words"),
    [
        ((-0.10, 0.02), (0.02, 0.01), "turns round"),
        ((-0.10, 0.02), (0.02, 0.03), "gone, if anything turned round"),
        ((-0.10, 0.02), (0.02, 0.15), "too few to say"),
        ((-0.10, 0.12), (0.05, 0.01), "appears"),
        ((-0.10, 0.02), (0.005, 0.001), "mostly which schools"),
        ((-0.10, 0.02), (0.002, 0.01), "mostly which schools"),
        ((-0.10, 0.02), (-0.03, 0.019), "mostly which schools"),
        ((0.10, 0.02), (0.03, 0.019), "mostly which schools"),
        ((-0.10, 0.02), (-0.04, 0.02), "remains"),  # half of it may be left
        # what is likeliest is no evidence: nearly all of it may be left
        ((-0.06, 0.04), (-0.019, 0.04), "too few to say"),
        ((-0.06, 0.04), (0.01, 0.069), "too few to say"),
        ((-0.10, 0.02), (-0.04, 0.09), "too few to say"),
        ((-0.10, 0.02), (-0.09, 0.01), "remains"),
        ((-0.10, 0.02), (-0.09, 0.10), "too few to say"),
        ((-0.025, 0.01), (-0.04, 0.01), "remains"),
        ((-0.01, 0.02), (-0.09, 0.01), "appears"),
        ((-0.01, 0.02), (-0.09, 0.10), "no clear gap either way"),
        ((-0.10, 0.12), (-0.09, 0.12), "no clear gap either way"),
        ((-0.01, 0.02), (0.01, 0.02), "no clear gap either way"),
        ((-0.10, 0.02), (0.05, np.nan), "too few to say"),
    ],
)
def test_words_beside_the_raw_gap(raw, like, words):
    frames = [
        pd.DataFrame({"metric": ["met"], "value": [v], "lower": [v - reach], "upper": [v + reach]})
        for v, reach in (raw, like)
    ]
    assert like_for_like.beside_raw(*frames, MATERIAL)[0] == words
