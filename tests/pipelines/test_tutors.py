"""The spread between tutors agrees with plain pandas, never names one, and tells nobody's counts."""

import numpy as np
import pandas as pd
import pytest

from pipelines import definitions as definition_files
from pipelines import tutors
from pipelines.measures import consistency
from pipelines.protect import protect
from tests.pipelines.modelling import model
from tests.pipelines.test_model import FEW, connect, staged
from tests.pipelines.test_through_the_year import TEXT, enrolled, half_up, with_modes, written_as_text

DEFINITIONS = definition_files.load()


def made(tables, settings):
    """The rows of consistency between tutors."""
    con = connect(tables)
    modelled = model(con, DEFINITIONS, FEW)
    decision = protect(modelled, DEFINITIONS, settings)
    return tutors.spread(tutors.count(con, DEFINITIONS, FEW), modelled.schools, decision, settings)


def nearest(ratio):
    return tutors.LADDER[np.abs(np.log(tutors.LADDER / ratio)).argmin()]


def test_tutors_are_a_spread_and_never_named(settings):
    tables = with_modes(staged())
    tables["meetings"] = tables["meetings"].head(1_000)
    names = [f"tutor {i}" for i in range(12)]
    tables["enrolments"]["tutor_id"] = np.random.default_rng(4).choice(
        [*names, None], len(tables["enrolments"]), p=[*[0.99 / 12] * 12, 0.01]
    )
    found = made(tables, settings)
    assert set(found["between"]) == {"tutors"}
    assert set(found["unit"]) <= {"school:A", "school:B", "school:C", "university"}
    assert {"any_meeting", "no_meeting"} <= set(found["metric"])
    assert not {"has_tutor", "response_rate", "attendance"} & set(found["metric"])
    assert not found.astype(str).isin(names).any(axis=None)
    exact = ["p", "odds_ratio_lower"]
    assert found[found["status"] == "shown"].drop(columns=exact).notna().all(axis=None)
    assert found[exact].isna().all(axis=None), "exact figures tell which counts few tutors have"
    e = enrolled(tables, "2024/25").query("school_code == 'A'").dropna(subset="tutor_id")
    met = e["enrolment"].isin(tables["meetings"].query("status == 'attended'")["enrolment"])
    by_tutor = e.assign(sx=met).groupby("tutor_id").agg(n=("sx", "size"), sx=("sx", "sum")).assign(unit="A")
    expected = consistency.between_tutors(by_tutor, ["unit"]).iloc[0]
    assert expected["members"] >= 10
    row = found.query("academic_year == '2024/25' and part == 'year' and level == 'all' and unit == 'school:A'")
    row = row.set_index("metric").loc["any_meeting"]
    assert row["members"] == 10, "twelve, to the nearest five"
    assert row["odds_ratio"] == nearest(expected["odds_ratio"])
    everyone = enrolled(tables, "2024/25").query("school_code == 'A'")["enrolment"]
    attended = tables["meetings"].query("status == 'attended'")["enrolment"]
    assert row["value"] == half_up(everyone.isin(attended).mean()), "as the cell has it"
    assert set(found["part"]) == {"year"}
    assert set(found["level"]) == {"all"}


def test_a_typical_school_is_told_of_units_with_three_and_where_their_own_figure_is(settings):
    tables = with_modes(staged())
    tables["meetings"] = tables["meetings"].head(1_000)
    names = [f"tutor {i}" for i in range(12)]
    tables["enrolments"]["tutor_id"] = np.random.default_rng(4).choice(names, len(tables["enrolments"]))
    found = made(tables, settings).query("academic_year == '2024/25' and part == 'year'")
    above = found[~found["unit"].str.startswith("school:")]
    assert set(above["unit"]) == {"university"}, "no faculty has three schools"
    e = enrolled(tables, "2024/25")
    met = e["enrolment"].isin(tables["meetings"].query("status == 'attended'")["enrolment"])
    by_tutor = e.assign(sx=met).groupby(["school_code", "tutor_id"]).agg(n=("sx", "size"), sx=("sx", "sum"))
    expected = consistency.within(by_tutor.reset_index().assign(unit="all"), ["unit"], "school_code").iloc[0]
    row = above.query("level == 'all'").set_index("metric").loc["any_meeting"]
    assert row["members"] == 5 * round(expected["members"] / 5)
    assert row["odds_ratio"] == nearest(expected["odds_ratio"])
    assert (above["status"] == "shown").any()
    hidden = found[found["status"] != "shown"]
    assert hidden[["members", "value", "odds_ratio", "low", "high", "p"]].isna().all(axis=None)


def test_a_tutor_of_many_of_a_schools_students_is_no_part_of_a_spread(settings):
    tables = with_modes(staged())
    tables["meetings"] = tables["meetings"].head(1_000)
    e = tables["enrolments"]
    e["tutor_id"] = (e.groupby(["academic_year", "school_code"]).cumcount() % 12).map("tutor {}".format)
    usual = made(tables, settings).query("metric == 'any_meeting' and unit == 'school:A'")
    assert "shown" in set(usual["status"])
    e.loc[e["tutor_id"].isin(["tutor 1", "tutor 2"]), "tutor_id"] = "tutor 0"
    found = made(tables, settings).query("metric == 'any_meeting' and unit == 'school:A'")
    assert len(found)
    assert "shown" not in set(found["status"]), "a quarter of the students have one tutor"


@pytest.mark.parametrize("met", [3, 6])
def test_nothing_of_a_hidden_school_is_in_a_typical_one(settings, met):
    """Where hardly anybody of C has met, its own row is hidden: were it in a typical school of three, how many they are
    could be read off that one's figures.
    """
    tables = with_modes(staged())
    e, meetings = tables["enrolments"], tables["meetings"]
    e["tutor_id"] = np.random.default_rng(4).choice([f"tutor {i}" for i in range(12)], len(e))
    of_c = sorted(e.loc[e["school_code"] == "C", "enrolment"])
    elsewhere = meetings[~meetings["enrolment"].isin(of_c)].sample(700, random_state=1)
    tables["meetings"] = pd.concat([elsewhere, meetings[meetings["enrolment"].isin(of_c[:met])]])
    found = made(tables, settings)
    found = found.query("academic_year == '2024/25' and part == 'year' and metric == 'any_meeting' and level == 'all'")
    status = found.set_index("unit")["status"].to_dict()
    assert status.get("school:C", "none") != "shown"
    assert "shown" in status.values()
    assert "university" not in status, "fewer than three schools that are shown are too few to be typical"
    exact = e.query("academic_year == '2024/25'")
    attended = set(tables["meetings"].query("status == 'attended'")["enrolment"])
    exact = exact.assign(unit="all", sx=exact["enrolment"].isin(attended))
    counts = exact.groupby(["unit", "school_code", "tutor_id"]).agg(n=("sx", "size"), sx=("sx", "sum")).reset_index()
    assert consistency.within(counts, ["unit"], "school_code")["schools"].tolist() == [3], "which it would be of"


@pytest.mark.parametrize(("number", "load", "lacking"), [(10, 8, 30), (15, 12, 30), (20, 12, 30), (40, 15, 40)])
def test_who_knows_how_many_students_tutors_have_cannot_tell_which_counts_they_have(number, load, lacking):
    """What is published follows from one step of a ladder, and to each step there are many ways in which tutors may
    have those who lack, and several sums of their squares, of which an exact odds ratio would tell one.
    """
    rng = np.random.default_rng(3)
    drawn = []
    for sigma in (0.0, 0.4, 0.8, 1.2):
        for _ in range(150):  # who lacks, the likelier the more their tutor does without
            taste = np.repeat(rng.normal(scale=sigma, size=number), load) + rng.gumbel(size=number * load)
            drawn.append(np.bincount(np.argsort(-taste)[:lacking] // load, minlength=number))
    frame = pd.DataFrame({"draw": np.repeat(range(len(drawn)), number), "n": load, "sx": load - np.concatenate(drawn)})
    found = consistency.between_tutors(frame, ["draw"])
    told = tutors.spreads(found, np.full(len(found), 1 - lacking / (number * load)), 5).drop(
        columns=["p", "odds_ratio_lower"]
    )
    of = told.groupby(list(told.columns)).ngroup()
    ways = pd.Series([tuple(sorted(counts)) for counts in drawn])
    squares = ways.map(lambda counts: sum(count**2 for count in counts))
    often = of.groupby(of).size() >= 40
    assert len(often) <= len(tutors.LADDER), "as many as there are steps"
    assert (ways.groupby(of).nunique()[often] >= 10).all()
    assert (squares.groupby(of).nunique()[often] >= 3).all()


def test_fewer_than_ten_tutors_say_nothing(settings):
    assert made(with_modes(staged()), settings).empty


def test_nobody_enrolled_at_all(settings):
    tables = with_modes(staged())
    tables["feedback"] = tables["feedback"].head(0)
    tables["enrolments"] = tables["enrolments"].head(0)
    found = made(tables, settings)
    assert found.empty
    assert written_as_text(found) == TEXT & set(found.columns)
