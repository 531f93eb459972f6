"""Patterns over the cells of a small university: what hides what, and that nothing hidden can be worked out."""

import numpy as np
import pandas as pd
import pytest

from pipelines.disclosure.patterns import Metrics, Widths, patterns
from pipelines.disclosure.secondary import Counts
from pipelines.workers import ALONE, Workers
from tests.disclosure.attack import safe, tied

WIDTHS = Widths(smallest=23, base=5, margin=3)
METRICS = Metrics(
    grain={"met": "enrolment", "often": "enrolment", "missed": "enrolment", "attendance": "enrolment",
           "rate": "enrolment", "trust": "response", "knows": "response", "load": "tutor"},
    counts_people={"met": True, "often": True, "missed": True, "attendance": False, "rate": True, "trust": True,
                   "knows": True, "load": False},
    private=frozenset({"met", "missed", "attendance", "trust", "knows"}),
    one_pattern=frozenset({"trust", "knows"}),
    counts_answers=frozenset({"rate"}),
)  # fmt: skip
SCHOOLS = pd.DataFrame({"school_code": list("ABCDEF"), "faculty_code": list("XXXYYY")})
FACULTY = dict(zip("ABCDEF", "XXXYYY", strict=True))
PLACE = ["academic_year", "part", "level", "unit", "metric"]
KEY = [*PLACE, "characteristic", "group"]
COUNTS = ["n", "have_some", "lack_some"]
GROUPS = ("Female", "Male", "Other")


def cells(seed=1, metrics=("met",), schools="ABCDEF", parts=("year",), groups=GROUPS, size=lambda *_: (20, 90)):
    """Cells of every unit at two levels and all, of everyone and by sex. size: of school, level and group → a range."""
    rng = np.random.default_rng(seed)
    rows = []
    for school in schools:
        for level in ("UG", "PGT"):
            for group in groups:
                enrolled = int(rng.integers(*size(school, level, group)))
                answered = int(rng.integers(enrolled // 3, enrolled + 1))
                for part in parts:
                    for metric in metrics:
                        n = answered if METRICS.grain[metric] == "response" else enrolled
                        n = 1 if metric == "load" else n
                        have = answered if metric == "rate" else int(rng.binomial(n, 0.6))
                        counts = (n, have, n - have)
                        rows.append(("2025/26", part, level, f"school:{school}", metric, "sex", group, *counts))
    own = pd.DataFrame(rows, columns=[*KEY, *COUNTS])
    return summed(own)


def inside(found):
    """The cells that are no total."""
    return found["unit"].str.startswith("school:") & (found["level"] != "all") & (found["characteristic"] != "all")


def summed(own):
    """Cells of schools, levels and groups with all their totals; tutors have no sex."""
    own = pd.concat([own, own.assign(level="all")])
    faculty = "faculty:" + own["unit"].str.removeprefix("school:").map(FACULTY)
    own = pd.concat([own, own.assign(unit=faculty), own.assign(unit="university")])
    everyone = own.assign(characteristic="all", group="all")
    return pd.concat([own[own["metric"] != "load"], everyone]).groupby(KEY)[COUNTS].sum().reset_index()


def small_of(found):
    few = found["n"] < WIDTHS.smallest
    margin = (found["have_some"] < 3) | (found["lack_some"] < 3)
    counts_people = found["metric"].map(METRICS.counts_people)
    return (few | (margin & counts_people)) & (found["metric"] != "load") | (found["have_some"] < 0)


def decided(found, small=None, schools=SCHOOLS, workers=ALONE):
    small = small_of(found) if small is None else small
    return found.assign(why=patterns(found, small, schools, METRICS, WIDTHS, workers), small=small)


def sums_of(names):
    """Who adds up to whom, written plainly: schools, levels and groups."""
    parents = {f"school:{s}": f"faculty:{f}" for s, f in FACULTY.items()}
    parents |= {"faculty:X": "university", "faculty:Y": "university"}
    lines = []
    for unit, level, group in names:
        below = [u for u, parent in parents.items() if parent == unit]
        for parts in (
            [(u, level, group) for u in below],
            [(unit, each, group) for each in ("UG", "PGT")] if level == "all" else [],
            [(unit, level, each) for each in GROUPS] if group == "all" else [],
        ):
            parts = [part for part in parts if part in names]
            if parts:
                lines.append([(unit, level, group), *parts])
    return tied(names, lines)


def attacked(found, metric):
    """Assert that nothing hidden of a metric can be worked out from all that is shown of its grain.

    A base is known where any metric of the grain is shown; how many answered, where their rate is too. A small base
    and a hidden numerator over a known base may each be any of several counts.
    """
    tells = found["metric"].map(METRICS.grain) == METRICS.grain[metric]
    if METRICS.grain[metric] == "response":
        tells |= found["metric"] == "rate"
    known = found[tells].groupby(["unit", "level", "group"])["why"].agg(lambda why: (why == "shown").any())
    rows = found[found["metric"] == metric].set_index(["unit", "level", "group"])
    sums = sums_of(list(rows.index))
    hidden = (rows["why"] != "shown").to_numpy()
    assert 0 < hidden.sum() < len(hidden)
    known = known.reindex(rows.index).to_numpy()
    base = Counts.of_base(rows["n"].to_numpy(float))
    assert np.abs(sums @ base.count[0]).max() == 0
    for cell in np.flatnonzero(~known & (rows["n"] < WIDTHS.smallest) & (rows["n"] > 0)):
        assert safe(cell, base, ~known, sums, WIDTHS), rows.index[cell]
    parts = rows[["have_some", "lack_some"]].to_numpy(float).T
    most = np.where(known, 0, np.inf)
    split = Counts(parts, most, known, np.ones(len(rows)), base.there, metric in METRICS.private)
    for cell in np.flatnonzero(hidden & base.there):
        assert safe(cell, split, hidden, sums, WIDTHS), rows.index[cell]


def test_what_is_hidden_cannot_be_worked_out():
    found = decided(cells(size=lambda school, *_: (5, 30) if school in "AD" else (30, 90)))
    assert {"shown", "small", "linked"} == set(found["why"])
    attacked(found, "met")


def test_everyone_over_a_known_base_cannot_be_worked_out():
    """Totals by themselves: no groups are known."""
    found = cells(metrics=("met", "often"), size=lambda *_: (40, 90))
    own = found[inside(found)]
    lack = own["lack_some"].mask((own["metric"] == "met") & own["unit"].isin(["school:A", "school:E"]), 0)
    found = summed(own.assign(lack_some=lack, have_some=own["n"] - lack))
    found = decided(found[found["characteristic"] == "all"])
    assert set(found.loc[found["metric"] == "often", "why"]) == {"shown"}
    attacked(found, "met")


@pytest.mark.parametrize("seed", range(2))
def test_what_is_hidden_over_a_known_base_cannot_be_worked_out(seed):
    """Nearly everybody has a tutor's meeting; how many are enrolled is shown all the same."""
    found = cells(seed, metrics=("met", "often"), size=lambda *_: (40, 90))
    own = found[inside(found)]
    near = (own["metric"] == "met") & (np.random.default_rng(seed).random(len(own)) < 0.3)
    lack = own["lack_some"].mask(near, 1)
    found = summed(own.assign(lack_some=lack, have_some=own["n"] - lack))
    found = decided(found)
    assert set(found.loc[found["metric"] == "often", "why"]) == {"shown"}
    attacked(found, "met")


def test_what_is_small_is_said_to_be_and_stays_hidden():
    found = decided(cells(size=lambda *_: (5, 60)))
    assert (found["why"] == "small").equals(found["small"])
    assert (found["why"] == "linked").any()


def test_where_a_total_is_hidden_no_group_is_shown():
    """Twelve women are all there are in one place; another is hidden with it, and all its groups, large as they are."""

    def size(school, level, group):
        if (school, level) == ("B", "PGT"):
            return (12, 13) if group == "a" else (0, 1)
        return 60, 90

    found = cells(groups=tuple("abcdef"), size=size)
    found = decided(found[found["n"] > 0])
    places = found[(found["characteristic"] == "all") & (found["why"] != "shown")]
    assert set(places["why"]) == {"small", "linked"}
    within = found.merge(places[PLACE], on=PLACE)
    assert len(within) > 2 * len(places)
    assert "shown" not in set(within["why"])
    assert "shown" in set(found["why"])


def test_a_total_gives_way_where_nothing_else_protects_a_group():
    """Of a known base three lack it, all of one group: the total would leave a member of it two counts to guess."""
    found = cells(metrics=("met", "often"), groups=("Female", "Male"), size=lambda *_: (60, 90))
    own = found[inside(found)]
    here = (own["metric"] == "met") & (own["unit"] == "school:A") & (own["level"] == "UG")
    lack = own["lack_some"].mask(here, np.where(own["group"] == "Male", 3, 0))
    found = summed(own.assign(lack_some=lack, have_some=own["n"] - lack))
    found = decided(found)
    why = found.set_index(["metric", "unit", "level", "group"])["why"].sort_index()
    assert why["met", "school:A", "UG", "Female"] == "small"
    assert why["met", "school:A", "UG", "all"] == "linked"
    assert "shown" not in set(why["met", "school:A", "UG"]), "and no group is shown under it"
    assert set(why["often"]) == {"shown"}
    attacked(found, "met")


def test_nothing_small_hides_nothing():
    found = cells(size=lambda *_: (60, 90))
    assert not small_of(found).any()
    assert set(decided(found)["why"]) == {"shown"}


def test_both_parts_of_a_year_share_the_pattern_of_their_base():
    """Few had come by the week reached: their number is hidden in the whole year too, though it is large enough."""
    found = cells(parts=("year", "to_date"), size=lambda *_: (35, 90))
    own = found[inside(found)]
    one = own[["part", "unit", "level", "group"]].eq(["to_date", "school:C", "UG", "Male"]).all(axis=1)
    found = summed(own.assign(n=own["n"].mask(one, 12), have_some=own["have_some"].mask(one, 6),
                              lack_some=own["lack_some"].mask(one, 6)))  # fmt: skip
    why = decided(found).set_index(["part", "unit", "level", "group"])["why"]
    assert why["to_date", "school:C", "UG", "Male"] == "small"
    assert why["year", "school:C", "UG", "Male"] == "linked"
    year, to_date = (why[part] != "shown" for part in ("year", "to_date"))
    assert year.equals(to_date.reindex(year.index))


def test_answers_to_one_survey_share_a_pattern():
    found = decided(cells(metrics=("met", "trust", "knows"), size=lambda *_: (30, 120)))
    hidden = {m: (f.set_index(["unit", "level", "group"])["why"] != "shown") for m, f in found.groupby("metric")}
    assert hidden["trust"].equals(hidden["knows"])
    assert 0 < hidden["trust"].mean() < 1


def test_metrics_that_count_the_same_people_share_a_pattern():
    """Who met and who did not are one split: whoever sees one share sees the other."""
    found = cells(metrics=("met", "often"), size=lambda *_: (25, 60))
    own = found[inside(found)]
    near = (own["metric"] == "met") & (np.random.default_rng(1).random(len(own)) < 0.3)
    lack = own["lack_some"].mask(near, 1)
    found = summed(own.assign(lack_some=lack, have_some=own["n"] - lack))
    met = found[found["metric"] == "met"]
    missed = met.assign(metric="missed", have_some=met["lack_some"], lack_some=met["have_some"])
    found = pd.concat([found, missed], ignore_index=True)
    found = decided(found)
    hidden = {m: (f.set_index(["unit", "level", "group"])["why"] != "shown") for m, f in found.groupby("metric")}
    assert hidden["met"].equals(hidden["missed"])
    assert not hidden["met"].equals(hidden["often"])


def test_a_response_rate_is_hidden_where_the_answers_are():
    """The rate of a shown base tells how many answered."""
    found = decided(cells(metrics=("met", "rate", "trust"), size=lambda *_: (30, 120)))
    why = found.pivot(index=["unit", "level", "group"], columns="metric", values="why")
    few = found[found["metric"] == "trust"].set_index(["unit", "level", "group"])["n"] < WIDTHS.smallest
    assert few.any()
    assert (why.loc[few[few].index, "rate"] != "shown").all()
    assert (why["rate"] == "shown").any()
    attacked(found, "trust")


def test_without_a_link_answers_and_enrolments_are_protected_apart():
    """No response rate: groups are as declared, and more may answer as a group than are enrolled in it."""
    found = cells(metrics=("met", "trust"), size=lambda *_: (20, 90))
    other = cells(seed=2, metrics=("trust",), size=lambda *_: (20, 160))
    found = pd.concat([found[found["metric"] == "met"], other], ignore_index=True)
    both = found.pivot(index=["unit", "level", "group"], columns="metric", values="n")
    assert (both["trust"] > both["met"]).any()
    found = decided(found)
    attacked(found, "met")
    attacked(found, "trust")


def test_ratios_and_tutors_are_protected_by_how_many_they_are_of():
    found = cells(metrics=("met", "attendance", "load"), size=lambda *_: (15, 60))
    small = small_of(found)
    one = (found["metric"] == "load") & (found["unit"] == "school:A") & (found["level"] == "all")
    found = decided(found, small | one)
    load = found[found["metric"] == "load"].set_index(["unit", "level"])["why"]
    assert load["school:A", "all"] == "small"
    assert (load == "linked").any(), "else the faculty less its other schools tells it"
    assert set(found[found["metric"] == "load"]["characteristic"]) == {"all"}
    attendance = found[found["metric"] == "attendance"]
    assert {"shown", "small", "linked"} == set(attendance["why"])


def test_one_school_only():
    """A university of one school: the faculty's and the university's cells say the same, and are hidden with it."""
    schools = SCHOOLS.head(1)
    found = cells(schools="A", size=lambda school, level, group: (5, 9) if group == "Other" else (40, 90))
    found = decided(found, schools=schools)
    why = found.set_index(["level", "group", "unit"])["why"].unstack()
    assert ((why == "shown").nunique(axis=1) == 1).all(), "all three or none"
    assert (why.loc["UG", "Other"] != "shown").all()
    assert (why.loc["all", "all"] == "shown").all()


def test_no_cells_at_all():
    found = cells().head(0)
    why = patterns(found, pd.Series([], dtype=bool), SCHOOLS, METRICS, WIDTHS)
    assert why.empty


def test_nobody_of_a_characteristic_and_a_year():
    """Everyone alone, in a year in which no characteristic was known."""
    found = cells(size=lambda *_: (2, 30))
    found = found[found["characteristic"] == "all"]
    assert set(decided(found)["why"]) <= {"shown", "small", "linked"}


@pytest.fixture(scope="module")
def several():
    """Two characteristics in two years."""
    one = cells(metrics=("met", "trust"), size=lambda *_: (10, 60))
    again = one[one["characteristic"] == "sex"].assign(characteristic="fee status")
    both = pd.concat([one, again], ignore_index=True)
    return pd.concat([both, both.assign(academic_year="2024/25")], ignore_index=True)


def test_the_same_with_one_process_and_with_two(several):
    with Workers(2) as two_of_them:
        one, two = (decided(several, workers=workers)["why"] for workers in (ALONE, two_of_them))
    pd.testing.assert_series_equal(one, two)


def test_years_and_characteristics_alike_are_protected_alike(several):
    why = decided(several).set_index(["academic_year", *KEY[1:]])["why"]
    pd.testing.assert_series_equal(why["2024/25"], why["2025/26"])
    kind = why.index.get_level_values("characteristic")
    assert (why[kind == "sex"].to_numpy() == why[kind == "fee status"].to_numpy()).all()


def test_the_order_of_rows_is_no_matter(several):
    once = decided(several)["why"]
    mixed = several.sample(frac=1, random_state=3)
    again = decided(mixed, small_of(mixed))["why"]
    assert (once == again.reindex(once.index)).all()
