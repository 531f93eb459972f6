"""Curve, weeks and modes agree with plain pandas, and hide what they must."""

from dataclasses import replace
from itertools import product

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipelines import definitions as definition_files
from pipelines import through_the_year
from pipelines.protect import protect
from pipelines.settings import Rules, Settings
from tests.pipelines.modelling import model
from tests.pipelines.test_model import FEW, connect, staged

DEFINITIONS = definition_files.load()
CURVE = ["academic_year", "part", "level", "unit", "characteristic", "group"]
OPEN = Rules.model_construct(
    smallest_base=1, smallest_percentage_base=1, smallest_margin=0, smallest_mean_base=1,
    smallest_respondents=0, narrowest_base=5, narrowest_margin=3, round_bases_to=1,
)  # fmt: skip
TEXT = {"academic_year", "part", "level", "unit", "characteristic", "group", "mode", "metric", "between",
        "says", "signal", "rule", "status"}  # fmt: skip


def with_modes(tables, seed=3):
    rng = np.random.default_rng(seed)
    modes = ["in person", "online", "group", None]
    tables["meetings"]["mode"] = rng.choice(modes, len(tables["meetings"]), p=[0.6, 0.3, 0.05, 0.05])
    return tables


def without_school(enrolments, school, but):
    """Those of a school are in B instead, but for so many."""
    moved = enrolments.index[enrolments["school_code"] == school][but:]
    return enrolments.assign(school_code=enrolments["school_code"].mask(enrolments.index.isin(moved), "B"))


def made(tables, settings, rules=None):
    con = connect(tables)
    modelled = model(con, DEFINITIONS, FEW)
    settings = settings.model_copy(update={"rules": rules}) if rules else settings
    decision = protect(modelled, DEFINITIONS, settings)
    counted = through_the_year.count(con, DEFINITIONS, FEW, modelled)
    return through_the_year.tables(counted, modelled, decision, settings), modelled


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """What is made of three schools, for tests to look at."""
    return made(with_modes(staged()), Settings(data=tmp_path_factory.mktemp("usual")))[0]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The same where nothing is hidden."""
    return made(with_modes(staged()), Settings(data=tmp_path_factory.mktemp("opened")), OPEN)[0]


@pytest.fixture(scope="module")
def with_few_in_c(tmp_path_factory):
    """The same, and the model, where school C has nine students."""
    tables = with_modes(staged())
    tables["enrolments"] = without_school(tables["enrolments"], "C", but=9)
    return made(tables, Settings(data=tmp_path_factory.mktemp("few")))


def written_as_text(table):
    """The columns that a release would hold as text."""
    made = duckdb.from_df(table)
    return {name for name, kind in zip(made.columns, made.types, strict=True) if str(kind) == "VARCHAR"}


def half_up(values):
    return np.floor(np.asarray(values, float) * 100 + 0.5 + 1e-9)


def enrolled(tables, year):
    """Enrolments that count in a whole year."""
    e = tables["enrolments"]
    ends = tables["calendar"].set_index("academic_year")["teaching_end"][year]
    return e[(e["academic_year"] == year) & (e["start_date"].isna() | (e["start_date"] <= ends))]


def begun(tables, year, week):
    """The enrolments of a year that had begun by the Friday of a teaching week."""
    start = tables["calendar"].set_index("academic_year")["teaching_start"][year]
    e = enrolled(tables, year)
    return e.loc[e["start_date"].isna() | (e["start_date"] <= start + np.timedelta64(7 * week - 3, "D")), "enrolment"]


@pytest.mark.parametrize("in_progress", [True, False])
def test_the_curve_rises_to_the_share_who_met_their_tutor(settings, in_progress):
    tables = with_modes(staged(in_progress))
    tables["meetings"].loc[tables["meetings"].index[-60:], "teaching_week"] = 40  # after teaching, in whole years
    if in_progress:
        late = tables["meetings"]["enrolment"].map(tables["enrolments"]["academic_year"]) == "2025/26"
        tables["meetings"].loc[late & (tables["meetings"]["teaching_week"] == 40), "teaching_week"] = 3
    found, modelled = made(tables, settings, OPEN)
    curve = found["curve"]
    assert curve.groupby(CURVE)["value"].diff().dropna().ge(0).all()
    assert curve.groupby(CURVE)["week"].agg(["min", "size"]).eval("min == 0").all()
    last = curve.loc[curve.groupby(CURVE)["week"].idxmax()]
    ends = last.drop_duplicates(["academic_year", "part"]).set_index(["academic_year", "part"])["week"].to_dict()
    to_date = {("2025/26", "to_date"): 9, ("2024/25", "to_date"): 9} if in_progress else {}
    assert ends == {("2023/24", "year"): 31, ("2024/25", "year"): 31, **to_date}
    cells = modelled.cells[modelled.cells["metric"] == "any_meeting"].merge(
        modelled.periods, on=["academic_year", "part"]
    )
    cells = cells[cells["has_groups"].astype(bool) & (cells["part"] != "pooled")]
    both = last.merge(cells, on=CURVE, how="outer", suffixes=("", "_cell"), indicator=True)
    assert set(both["level"]) == {"all", "UG", "PGT", "PGR"}
    only = both[both["_merge"] == "right_only"]
    of_level = (only["unit"] != "university") & (only["level"] != "all")
    of_schools = only["unit"].str.startswith("school:") & (only["academic_year"] == "2024/25")
    assert ((of_level | (of_schools & (only["part"] == "to_date"))) & (only["characteristic"] != "all")).all()
    both = both[both["_merge"] != "right_only"]
    assert (both["_merge"] == "both").all()
    assert both["base"].tolist() == both["n"].tolist()
    np.testing.assert_array_equal(both["value"], half_up(both["sx"] / both["n"]))


def test_one_point_of_the_curve_by_hand(opened):
    tables = with_modes(staged())
    e = enrolled(tables, "2024/25").query("school_code == 'A' and sex == 'Female'")
    m = tables["meetings"].query("status == 'attended' and teaching_week <= 5")
    met = e["enrolment"].isin(m["enrolment"])
    point = opened["curve"].query(
        "academic_year == '2024/25' and part == 'year' and unit == 'school:A' and level == 'all' and group == 'Female' "
        "and week == 5"
    )
    assert point[["base", "value"]].to_numpy().tolist() == [[len(e), half_up(met.mean())]]


def test_the_curve_hides_what_it_must(usual, opened):
    curve, counts = usual["curve"], opened["curve"]
    n = counts["base"].astype(float)
    x = (counts["value"] / 100 * n).round()
    hidden = curve["status"] == "suppressed"
    assert hidden[n < 23].all()
    ends = curve.groupby(CURVE)["week"].transform("max") == curve["week"]
    assert hidden[ends & ((x == 0) | (x == n))].all()
    last = hidden[ends].set_axis(pd.MultiIndex.from_frame(curve.loc[ends, CURVE]))
    whole = last.reindex(pd.MultiIndex.from_frame(curve[CURVE])).to_numpy(bool)
    assert hidden[whole].all(), "a curve is not shown at all, or to its end"
    steps = x[~hidden].groupby([curve.loc[~hidden, c] for c in CURVE]).diff()
    error = n / 100  # of counts told by whole per cents
    seen = steps.dropna()
    assert (seen + error[seen.index]).ge(10).all(), "between two weeks enough arrive"
    assert len(seen) > 30
    assert (x + error)[~hidden & ~ends].ge(10).all()
    assert 0 < hidden.mean() < 1
    assert curve.loc[hidden, ["base", "value", "lower", "upper"]].isna().all(axis=None)
    assert curve.loc[~hidden].notna().all(axis=None)
    assert (curve["base"].dropna() % 5 == 0).all()


def test_a_curve_is_hidden_where_a_share_on_it_is_hidden_in_either_part_of_the_year(settings):
    con = connect(with_modes(staged()))
    modelled = model(con, DEFINITIONS, FEW)
    settings = settings.model_copy(update={"rules": OPEN})
    decision = protect(modelled, DEFINITIONS, settings)
    place = "academic_year == '2024/25' and level == 'all' and unit == 'faculty:F2' and group == 'Female'"
    counts = through_the_year.count(con, DEFINITIONS, FEW, modelled).curve
    for part, metric in product(("year", "to_date"), ("any_meeting", "met_by_promised_week")):
        hidden = decision.cells.query(f"{place} and part == '{part}' and metric == '{metric}'").index
        assert len(hidden) == 1
        one = replace(decision, why=decision.why.mask(decision.why.index.isin(hidden), "linked"))
        curve = through_the_year.curve(counts, modelled, one, settings)
        told = curve.query(place).groupby("part")["status"].agg(set).to_dict()
        assert told == {"year": {"suppressed"}, "to_date": {"suppressed"}}
        of_schools = curve.query(place.replace("unit == 'faculty:F2'", "unit in ['school:B', 'school:C']"))
        assert set(of_schools["unit"]) == {"school:B", "school:C"}, "whose curves would add up to the faculty's"
        assert set(of_schools["status"]) == {"suppressed"}
        others = place.replace("'faculty:F2'", "'school:A'"), place.replace("Female", "Male")
        assert all(set(curve.query(other)["status"]) == {"shown"} for other in others)
        assert set(curve.query(place.replace("2024", "2023").replace("/25", "/24"))["status"]) == {"shown"}


def test_groups_curves_are_hidden_where_they_would_add_up_to_everyones_hidden_share(settings):
    con = connect(with_modes(staged()))
    modelled = model(con, DEFINITIONS, FEW)
    settings = settings.model_copy(update={"rules": OPEN})
    decision = protect(modelled, DEFINITIONS, settings)
    counts = through_the_year.count(con, DEFINITIONS, FEW, modelled).curve
    place = "academic_year == '2024/25' and level == 'all' and unit == 'school:B'"
    of_everyone = decision.cells.query(f"{place} and group == 'all' and part == 'to_date' and metric == 'any_meeting'")
    assert len(of_everyone) == 1
    one = replace(decision, why=decision.why.mask(decision.why.index.isin(of_everyone.index), "linked"))
    curve = through_the_year.curve(counts, modelled, one, settings)
    assert set(curve.query(f"{place} and part == 'year'")["group"]) > {"all", "Female", "Male"}
    assert set(curve.query(place)["status"]) == {"suppressed"}
    assert set(curve.query(place.replace("school:B", "school:C"))["status"]) == {"shown"}


def test_contacts_by_week_with_limits(opened):
    tables = with_modes(staged())
    week = opened["week"]
    m = tables["meetings"].query("status == 'attended'")
    expected = [
        m.query(f"teaching_week == {w}")["enrolment"].isin(begun(tables, "2023/24", w)).sum() for w in range(1, 32)
    ]
    here = week.query("academic_year == '2023/24' and unit == 'university'")
    assert here["week"].tolist() == list(range(1, 32))
    assert here["contacts"].tolist() == expected
    assert set(here["rule"]) == {"no earlier year"}
    assert here[["expected", "lower", "upper"]].isna().all(axis=None)
    now = week.query("academic_year == '2025/26' and unit == 'university'")
    assert now["week"].max() == 9
    assert now["contacts"].notna().all()
    n = {y: np.array([len(begun(tables, y, w)) for w in range(1, 10)]) for y in ("2023/24", "2024/25", "2025/26")}
    assert n["2023/24"].max() < len(enrolled(tables, "2023/24")), "some begin later than this year has come"
    before = week.query("unit == 'university' and week <= 9").groupby("academic_year")["contacts"].agg(list)
    rates = np.mean([np.array(before[y], float) / n[y] for y in ("2023/24", "2024/25")], axis=0)
    np.testing.assert_allclose(now["expected"].to_numpy(float), rates * n["2025/26"], atol=0.51)
    limits = now.dropna(subset="lower")
    assert len(limits) == 9, "from the first week on, since they rest on earlier years"
    assert (limits["lower"] < limits["expected"]).all()
    assert (limits["expected"] < limits["upper"]).all()
    outside = (limits["contacts"] < limits["lower"]) | (limits["contacts"] > limits["upper"])
    assert (limits.loc[outside, "signal"] != "").all()
    assert set(week.loc[week["signal"] == "", "rule"]) <= {"", "no earlier year", "too few to say"}


def test_a_school_with_few_students_shows_no_contacts(with_few_in_c):
    week = with_few_in_c[0]["week"]
    small = week[week["unit"] == "school:C"]
    assert len(small)
    assert set(small["status"]) == {"suppressed"}
    assert small[["contacts", "expected", "lower", "upper"]].isna().all(axis=None)
    assert set(small["signal"]) | set(small["rule"]) == {""}
    assert set(week.loc[week["unit"] == "university", "status"]) == {"shown"}


def test_modes_are_shares_of_attended_meetings(opened):
    tables = with_modes(staged())
    found = opened["mode"]
    e = enrolled(tables, "2024/25").query("school_code == 'B'")
    m = tables["meetings"].query("status == 'attended'")
    shares = m[m["enrolment"].isin(e["enrolment"])]["mode"].fillna("not recorded").value_counts(normalize=True)
    here = found.query("academic_year == '2024/25' and part == 'year' and unit == 'school:B'").set_index("mode")
    assert set(here.index) == {*DEFINITIONS.tables["meetings"].columns["mode"].values, "not recorded"}
    np.testing.assert_array_equal(here["value"], half_up(shares.reindex(here.index, fill_value=0)))
    assert (found.groupby(["academic_year", "part", "unit"])["value"].sum() - 100).abs().max() <= 3


def test_modes_are_shown_where_the_share_who_met_is_and_by_how_many_is_no_matter(with_few_in_c, settings):
    """Ways to meet are told of meetings, not of people: a way that hardly anybody met in is shown like any other."""
    found, modelled = with_few_in_c
    safe = found["mode"]
    assert {"shown", "suppressed"} == set(safe["status"])
    place = ["academic_year", "part", "unit"]
    assert safe.groupby(place)["status"].nunique().eq(1).all(), "a unit's ways to meet are shown all or none"
    assert set(safe.loc[safe["unit"] == "school:C", "status"]) == {"suppressed"}, "nine students are too few"
    decision = protect(modelled, DEFINITIONS, settings)
    met = decision.cells.assign(why=decision.why).query(
        "metric == 'any_meeting' and level == 'all' and characteristic == 'all'"
    )
    both = safe.merge(met, on=place)
    assert len(both) == len(safe)
    assert ((both["status"] == "shown") == (both["why"] == "shown")).all()
    assert safe.loc[safe["status"] == "suppressed", ["base", "value"]].isna().all(axis=None)
    assert (safe.loc[(safe["mode"] == "phone") & (safe["status"] == "shown"), "value"] == 0).all()


def test_nobody_enrolled_at_all(settings):
    tables = with_modes(staged())
    tables["feedback"] = tables["feedback"].head(0)
    tables["enrolments"] = tables["enrolments"].head(0)
    found, _ = made(tables, settings)
    for table in found.values():
        assert table.empty
        assert written_as_text(table) == TEXT & set(table.columns)
