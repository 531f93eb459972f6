"""The attacker recovers what can be recovered, agrees with enumeration, and leaves alone what is safe."""

import sys
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.disclosure import attacker
from pipelines.disclosure.attacker import Bar, Metrics, attack
from pipelines.disclosure.places import COUNTS, KEY
from pipelines.disclosure.programs import ContradictionError
from pipelines.workers import ALONE, Workers
from tests.disclosure.test_programs import compositions
from tests.measures.building import shared

SCHOOLS = pd.DataFrame({"school_code": ["A", "B", "C"], "faculty_code": ["X", "X", "Y"]})
METRICS = Metrics(
    grain=dict.fromkeys(["met", "not_met", "mean", "ratio"], "enrolment"),
    kind={"met": "proportion", "not_met": "proportion", "mean": "mean", "ratio": "ratio"},
    private=frozenset({"met"}),
)


def test_every_small_cell_of_a_real_cube_is_recovered():
    cube = pd.read_csv(shared("sdc/oulad_cube.csv.gz"), keep_default_na=False).query("n > 0")
    expected = pd.read_csv(shared("sdc/oulad_attacks.csv"), keep_default_na=False).query(
        "scheme == 'A_primary_only_exact'"
    )
    schools = pd.DataFrame(
        {"school_code": list("ABCDEFG"), "faculty_code": ["SocSci" if s in "ABG" else "STEM" for s in "ABCDEFG"]}
    )
    schools["school_code"] *= 3
    everyone = cube["group"] == "*"
    kind = cube["org_level"].map({"uni": "university", "fac": "faculty:", "sch": "school:"})
    cells = pd.DataFrame(
        {
            "academic_year": "2013/15", "part": "year", "level": cube["presentation"].replace("*", "all"),
            "unit": kind + cube["org"].where(cube["org_level"] != "uni", ""), "metric": "students",
            "characteristic": cube["characteristic"].where(~everyone, "all"),
            "group": cube["group"].where(~everyone, "all"),
            "n": cube["n"], "have": cube["n"], "lack": 0,
        }
    ).drop_duplicates(KEY)  # fmt: skip
    small = cells["n"] < 10
    students = Metrics({"students": "enrolment"}, {"students": "proportion"}, frozenset())
    found = attack(cells[~small], cells[small], schools, students)
    assert len(found.broken) == small.sum() == len(expected)
    assert (found.broken["n_low"] == found.broken["n_high"]).all()
    assert sorted(found.broken["n_low"]) == sorted(expected["true_n"])


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=11, max_size=11),
    st.booleans(),
)
def test_verdicts_are_those_of_enumeration(have, lack, hide, hold_someone):
    """Two schools, two groups: 9 kinds of cells, all but the university's everyone hidden or shown at random."""
    people = list(product(["A", "B"], ["F", "M"]))
    cells = release([(s, "all", g, h, k) for (s, g), h, k in zip(people, have, lack, strict=True)])
    if cells.empty:
        return
    cells = cells[cells["unit"] != "faculty:X"].reset_index(drop=True)
    top = (cells["unit"] == "university") & (cells["group"] == "all")
    hidden = np.array([hide[i % len(hide)] for i in range(len(cells))]) & ~top
    found = attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS, Bar(hidden_hold_someone=hold_someone))

    place = list(zip(cells["unit"].str.removeprefix("school:"), cells["group"], strict=True))
    sums = np.array([[u in (s, "university") and g in (h, "all") for s, h in people] for u, g in place], int)
    empty = np.array([not any(p == (s, h) for p in place) for s, h in people])
    worlds = [
        np.array(list(compositions(sum(counts), 4)))[:, None, :] * np.eye(2)[i][None, :, None].astype(int)
        for i, counts in enumerate((have, lack))
    ]
    both = (worlds[0][:, None] + worlds[1][None]).reshape(-1, 2, 4)
    both = both[~both.sum(axis=1)[:, empty].any(axis=1)]
    values = both @ sums.T
    agree = (values[:, :, ~hidden] == cells.loc[~hidden, ["have", "lack"]].to_numpy().T).all(axis=(1, 2))
    n = values.sum(axis=1)
    if hold_someone:
        agree &= (n[:, hidden] >= 1).all(axis=1)
    ranges = [np.c_[v[agree].min(axis=0), v[agree].max(axis=0)] for v in (n, values[:, 0], values[:, 1])]
    widths = [np.maximum(high - np.maximum(low, 1), 0) for low, high in (r.T for r in ranges)]
    wide = np.max(widths, axis=0) >= 5
    wide |= (ranges[0][:, 0] >= 10) & (np.minimum(*widths[1:]) >= 3)
    known = np.any([low == high for low, high in (r.T for r in ranges[1:])], axis=0)
    expected = set(cells.index[hidden & (~wide | known)])
    broken = cells.reset_index().merge(found.broken, on=KEY)
    assert set(broken["index"]) == expected
    for count, of_count in zip(COUNTS, ranges, strict=True):  # what is said to be proved is true
        assert (broken[f"{count}_low"] <= of_count[broken["index"], 0]).all()
        assert (broken[f"{count}_high"] >= of_count[broken["index"], 1]).all()


def release(rows, metric="met", year="2024/25", part="year", characteristic="sex"):
    """All cells over rows of school, level, group, have and lack; with base 0 left out."""
    faculty = dict(SCHOOLS.itertuples(index=False))
    cells: dict[tuple, np.ndarray] = {}
    for school, level, group, have, lack in rows:
        units = ["university", f"faculty:{faculty[school]}", f"school:{school}"]
        for unit, lev, (c, g) in product(
            units, dict.fromkeys(["all", level]), [("all", "all"), (characteristic, group)]
        ):
            key = (year, part, lev, unit, metric, c, g)
            cells[key] = cells.get(key, np.zeros(3, int)) + np.array([have + lack, have, lack])
    frame = pd.DataFrame([(*key, *counts) for key, counts in cells.items()], columns=[*KEY, *COUNTS])
    return frame[frame["n"] > 0].reset_index(drop=True)


def university(seed=0, smallest=2, metric="met", **more):
    random = np.random.default_rng(seed)
    rows = [
        (s, level, g, *random.integers(smallest, 40, 2))
        for s, level, g in product("ABC", ["UG", "PGT"], ["F", "M", "Other"])
    ]
    return release(rows, metric, **more)


def at(cells, **where):
    """Which rows are there."""
    return np.logical_and.reduce([cells[column] == value for column, value in where.items()])


def eight(cells):
    """Two schools × two levels × two groups: hidden together, each protects the others."""
    return (
        cells["unit"].isin(["school:A", "school:B"])
        & cells["level"].isin(["UG", "PGT"])
        & cells["group"].isin(["F", "M"])
    )


def test_a_release_with_primary_rules_alone_is_broken():
    cells = university()
    few = cells["n"] < 23
    assert few.any()
    found = attack(cells[~few], cells[few], SCHOOLS, METRICS)
    assert len(found.broken)
    assert not found.withstood
    assert found.report["broken"].sum() == len(found.broken)
    assert f"{len(found.broken)} could be worked out" in found.summary()
    truth = found.broken.merge(cells, on=KEY)
    for count in COUNTS:
        assert truth[count].between(truth[f"{count}_low"], truth[f"{count}_high"]).all()


def test_with_all_but_the_university_hidden_nothing_is_found():
    cells = university()
    hidden = ~at(cells, unit="university", level="all", group="all")
    found = attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS)
    assert found.withstood
    assert found.exact.empty
    assert (found.report["narrowest"] == 5).all()
    assert "none could be narrowed to fewer than 5" in found.summary()


def test_several_processes_find_the_same(monkeypatch):
    monkeypatch.setattr(attacker, "FEW_CELLS", 0)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)  # a page that another test ran, maybe
    cells = pd.concat([university(1), university(2, year="2025/26")], ignore_index=True)
    few = cells["n"] < 40
    with Workers(2) as two_of_them:
        one, two = (attack(cells[~few], cells[few], SCHOOLS, METRICS, workers=w) for w in (ALONE, two_of_them))
    pd.testing.assert_frame_equal(one.broken, two.broken)
    pd.testing.assert_frame_equal(one.report, two.report)


@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # seeds do not shrink
@given(st.integers(0, 2**32 - 1), st.integers(0, 8), st.sampled_from(["met", "mean", "ratio"]), st.floats(0.2, 0.9))
def test_who_begins_from_the_true_counts_finds_the_same(seed, smallest, metric, share):
    """They save time, and nothing is worked out from them: not even where some of them are wrong."""
    cells = university(seed, smallest, metric)
    random = np.random.default_rng(seed)
    listed = (cells["level"] == "all") | (cells["group"] == "all") | (cells["unit"] == "university")
    hidden = listed & (random.random(len(cells)) < share) & ~at(cells, unit="university", group="all")
    about = cells[listed & ~hidden], cells[hidden], SCHOOLS, METRICS
    wrong = cells.assign(**cells[COUNTS].sample(frac=1, random_state=seed % 1000).reset_index(drop=True))
    for inner in (cells, wrong, cells.iloc[:0]):
        pd.testing.assert_frame_equal(verdicts(attack(*about, inner=inner)), verdicts(attack(*about)))


@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 2**32 - 1), st.sampled_from(["met", "mean", "ratio"]))
def test_who_remembers_earlier_attacks_finds_the_same(seed, metric):
    cells = pd.concat([university(seed, 2, metric), university(seed + 1, 2, metric, year="2025/26")], ignore_index=True)
    random, before = np.random.default_rng(seed), {}
    hidden = (random.random(len(cells)) < 0.5) & ~at(cells, unit="university", group="all")
    more = hidden | (random.random(len(cells)) < 0.1) & ~at(cells, unit="university", group="all")
    for rows in (hidden, more, hidden):
        for periods in (cells["academic_year"] > "", cells["academic_year"] == "2025/26"):
            about = cells[periods & ~rows], cells[periods & rows], SCHOOLS, METRICS
            found = attack(*about, inner=cells, before=before)
            pd.testing.assert_frame_equal(verdicts(found), verdicts(attack(*about, inner=cells)))


def test_what_is_remembered_holds_for_what_counted_as_wide_enough():
    cells, before = university(), {}
    hidden = eight(cells)
    about = cells[~hidden], cells[hidden], SCHOOLS, METRICS
    assert attack(*about, Bar(2, 2, 10), before=before).broken.empty
    assert len(attack(*about, Bar(60, 60, 200), before=before).broken) == 8


def verdicts(found):
    """Which cells are broken, how wide they are, and which are known; ranges may be proved more or less far."""
    return pd.concat([found.broken, found.exact], keys=["broken", "exact"])[[*KEY, "width", "why"]]


@pytest.mark.parametrize(("have", "broken"), [(5, 2), (6, 0)])
def test_a_member_subtracts_themself(have, broken):
    """Of two hidden schools one is a person: of five people in both the other leaves four possibilities to them."""
    rows = [("A", "all", "F", 1, 0), ("B", "all", "F", have - 1, 0), ("C", "all", "F", 50, 50)]
    cells = release(rows, "mean")  # not private, so that nobody minds that all have some
    hidden = cells["unit"].isin(["school:A", "school:B"]) & (cells["characteristic"] == "all")
    found = attack(
        cells[~hidden & (cells["characteristic"] == "all")], cells[hidden], SCHOOLS, METRICS,
        Bar(hidden_hold_someone=False),
    )  # fmt: skip
    assert len(found.broken) == broken


def test_that_hidden_cells_are_listed_tells_that_they_hold_someone():
    cells = release([("A", "all", "F", 1, 0), ("B", "all", "F", 5, 0), ("C", "all", "F", 50, 50)])
    cells = cells[cells["characteristic"] == "all"]
    hidden = cells["unit"].isin(["school:A", "school:B"])
    found = attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS)
    assert found.broken[["n_low", "n_high"]].to_numpy().tolist() == [[1, 5], [1, 5]]


@pytest.mark.parametrize(("metric", "known"), [("met", 4), ("not_met", 0)])
def test_a_private_count_that_is_known_exactly_is_broken(metric, known):
    """All of school A and B have it: whatever their bases are, nobody lacks it. Of what is not private no harm."""
    rows = [("A", "all", "F", 20, 0), ("B", "all", "F", 30, 0), ("C", "all", "F", 50, 50)]
    cells = release(rows, metric)
    hidden = cells["unit"].isin(["school:A", "school:B"])
    found = attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS)
    assert len(found.broken) == len(found.exact) == found.report["exact"].sum() == known
    assert found.withstood == (not known)


# knowledge of other metrics


def many_places(metric, **more):
    """Enough places for the attacker to see which metrics are out of the same people."""
    return university(3, smallest=30, metric=metric, **more)


@pytest.mark.parametrize(("lack", "broken"), [(1, 8), (3, 0)])
def test_a_base_shown_for_another_metric_is_known(lack, broken):
    """Of a known base each margin must range over three, to somebody who is one of them."""
    mean = many_places("mean")
    own = mean[mean["unit"].str.startswith("school:") & (mean["level"] != "all") & (mean["group"] != "all")]
    places = zip(own["unit"].str.removeprefix("school:"), own["level"], own["group"], own["n"] - lack, strict=True)
    met = release([(*place, lack) for place in places], "met")
    hidden, of_mean = eight(met), eight(mean)
    known = attack(pd.concat([met[~hidden], mean]), met[hidden], SCHOOLS, METRICS)
    assert len(known.broken) == broken
    shown, both = pd.concat([met[~hidden], mean[~of_mean]]), pd.concat([met[hidden], mean[of_mean]])
    unknown = attack(shown, both, SCHOOLS, METRICS)
    assert unknown.withstood
    assert set(unknown.report["narrowest"]) == {5}


def test_the_opposite_metric_tells_what_is_hidden():
    met = many_places("met")
    opposite = met.assign(metric="not_met", have=met["lack"], lack=met["have"])
    hidden = eight(met)
    found = attack(pd.concat([met[~hidden], opposite]), met[hidden], SCHOOLS, METRICS)
    assert len(found.broken) == len(found.exact) == hidden.sum()


def test_a_ratio_whose_counts_overlap_is_attacked_too():
    cells = university(4, smallest=10, metric="ratio").assign(n=lambda c: c[["have", "lack"]].max(axis=1))
    cells = cells[cells["level"] != "all"]
    cells = cells[(cells["unit"].str.startswith("school")) & (cells["characteristic"] == "sex")]
    levels = cells.groupby([k for k in KEY if k != "level"], as_index=False)[COUNTS].sum().assign(level="all")
    cells = pd.concat([cells, levels])[[*KEY, *COUNTS]].reset_index(drop=True)
    hidden = at(cells, unit="school:A", level="UG", group="F")
    found = attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS)
    assert (found.broken[[f"{c}_low" for c in COUNTS]].to_numpy() == cells.loc[hidden, COUNTS].to_numpy()).all()
    hidden = eight(cells)
    assert attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS).withstood


# other views and other releases


def test_a_broader_group_gives_its_parts_away():
    fine = [(s, "all", g, 30, 30) for s, g in product("ABC", ["Asian", "Black", "White"])]
    cells = release(fine, characteristic="ethnicity")
    merged = release(
        [(s, lev, "White" if g == "White" else "Minority", h, k) for s, lev, g, h, k in fine], characteristic="broad"
    )
    merged = merged[merged["characteristic"] == "broad"]
    hidden = at(cells, unit="school:A", group="White") | at(cells, unit="school:A", group="Black")
    hidden |= at(cells, unit="school:B", group="White") | at(cells, unit="school:B", group="Black")
    assert attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS).withstood
    shown = pd.concat([cells[~hidden], merged])
    broader = {"broad": ("ethnicity", {"Minority": ["Asian", "Black"]})}
    assert len(attack(shown, cells[hidden], SCHOOLS, METRICS, broader=broader).broken) == hidden.sum()


@pytest.fixture
def three_years():
    """Three years and their sum; of the first year some cells are hidden, which protect each other in that year."""
    years = ["2022/23", "2023/24", "2024/25"]
    cells = pd.concat([university(i, smallest=20, year=year) for i, year in enumerate(years)], ignore_index=True)
    cells = cells[cells["level"] == "all"].reset_index(drop=True)
    label = "2022/23–2024/25"
    whole = cells.groupby(KEY[2:], as_index=False)[COUNTS].sum().assign(academic_year=label, part="pooled")
    hidden = (
        at(cells, academic_year=years[0])
        & cells["unit"].isin(["school:A", "school:B"])
        & cells["group"].isin(["F", "M"])
    )
    return cells, whole[[*KEY, *COUNTS]], hidden, {label: years}


def test_pooled_years_give_a_year_away(three_years):
    cells, whole, hidden, pooled = three_years
    assert attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS).withstood
    found = attack(pd.concat([cells[~hidden], whole]), cells[hidden], SCHOOLS, METRICS, pooled=pooled)
    assert len(found.broken) == hidden.sum()


def test_all_students_of_a_country_are_attacked_as_a_few_are(three_years):
    cells, whole, hidden, pooled = three_years
    for frame, years in ((cells, 1), (whole, 3)):
        many = 4_000_000 * years * np.where(frame["group"] == "all", 3, 1)  # of each of three groups in school C
        frame[["n", "have"]] += np.where(frame["unit"].isin(["university", "faculty:Y", "school:C"]), many, 0)[:, None]
    in_schools = whole["unit"].str.startswith("school:")  # what is never listed may hold as many
    found = attack(pd.concat([cells[~hidden], whole[in_schools]]), cells[hidden], SCHOOLS, METRICS, pooled=pooled)
    assert len(found.broken) == hidden.sum()


def test_a_year_that_only_the_earlier_release_shows_gives_another_away(three_years):
    cells, whole, hidden, pooled = three_years
    gone = at(cells, academic_year="2023/24")
    now = pd.concat([cells[~hidden & ~gone], whole])
    assert attack(now, cells[hidden], SCHOOLS, METRICS, pooled=pooled).withstood
    found = attack(now, cells[hidden], SCHOOLS, METRICS, pooled=pooled, earlier=cells[gone])
    assert (found.broken["why"] == "narrow").all()
    assert len(found.broken) == hidden.sum()


def test_what_was_shown_before_is_broken_and_gives_others_away():
    cells = university(5, smallest=20)
    hidden, once = eight(cells), at(cells, unit="school:A", level="UG", group="F")
    assert attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS).withstood
    found = attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS, earlier=cells[once])
    assert len(found.broken) == hidden.sum(), "each of the eight follows from one"
    assert found.broken["why"].value_counts().to_dict() == {"narrow": 7, "shown before": 1}
    wrong = cells[once].assign(n=100_000, have=50_000, lack=50_000)
    found = attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS, earlier=wrong)
    assert found.broken["why"].tolist() == ["shown before"], "a count that cannot be right tells nothing of others"


def test_groups_that_only_an_earlier_release_lists_give_totals_away():
    cells = university(5, smallest=20)
    cells = cells[cells["level"] == "all"]
    everyone, of_groups = cells[cells["group"] == "all"], cells[at(cells, unit="school:A") & (cells["group"] != "all")]
    hidden = everyone["unit"].isin(["school:A", "school:B"])
    assert attack(everyone[~hidden], everyone[hidden], SCHOOLS, METRICS).withstood
    found = attack(everyone[~hidden], everyone[hidden], SCHOOLS, METRICS, earlier=of_groups)
    assert len(found.broken) == hidden.sum(), "one is the sum of its groups, the other what is left of the faculty"


@pytest.mark.parametrize("name", ["school:A", "school:C"])  # protected by school B; not at all
def test_a_period_without_groups_is_attacked_beside_another_as_alone(name):
    other, bare = university(5, smallest=20), university(6, smallest=20, year="2023/24")
    bare = bare[bare["group"] == "all"].reset_index(drop=True)
    hidden = bare["unit"].isin([name, "school:B"])
    alone = attack(bare[~hidden], bare[hidden], SCHOOLS, METRICS)
    both = attack(pd.concat([other, bare[~hidden]]), bare[hidden], SCHOOLS, METRICS).of(("2023/24", "year"))
    pd.testing.assert_frame_equal(both.broken, alone.broken)
    pd.testing.assert_frame_equal(both.report, alone.report)
    assert alone.withstood == (name == "school:A")


@pytest.mark.parametrize(("more", "found"), [(0, 0), (1, 1), (9, 1), (10, 0)])
def test_two_releases_may_not_differ_by_few_people(more, found):
    cells = university(6, smallest=20)
    nothing = cells.iloc[:0]
    one = at(cells, unit="university", level="all", group="all")
    earlier = cells[one].assign(n=lambda c: c["n"] - more, have=lambda c: c["have"] - more)
    attacked = attack(cells, nothing, SCHOOLS, METRICS, earlier=earlier)
    assert attacked.differenced[COUNTS].to_numpy().tolist() == [[more, more, 0]] * found
    assert attacked.withstood == (not found)


def test_figures_that_do_not_add_up_are_refused():
    cells = university(7, smallest=20)
    hidden = at(cells, unit="school:A", level="UG", group="F")
    cells.loc[at(cells, unit="university", level="all", group="all"), COUNTS] += [5, 5, 0]
    with pytest.raises(ContradictionError, match="2024/25"):
        attack(cells[~hidden], cells[hidden], SCHOOLS, METRICS)
