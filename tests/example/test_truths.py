"""The planted truths hold in the extracts: what a right analysis must find is there to be found."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from pipelines.example import planted
from pipelines.example.planted import STATEMENTS

LEAST = 5  # students in a group for its gap to be tried


@pytest.fixture(scope="module")
def outcomes(example):
    """metric -> one row per enrolment or response: its groups, and whether it met or agreed."""
    enrolments = example.good("enrolments")
    key = ["student_id", "academic_year", "school_code"]
    meetings = example.good("meetings")
    meetings["academic_year"] = meetings["file"].str.extract(r"_(\d{4}-\d{2})")[0].str.replace("-", "/")
    only = enrolments.drop_duplicates(["student_id", "academic_year"]).set_index(["student_id", "academic_year"])
    school = only["school_code"].reindex(pd.MultiIndex.from_frame(meetings[["student_id", "academic_year"]]))
    meetings["school_code"] = meetings["school_code"].where(meetings["school_code"] != "", school.to_numpy())
    met = pd.MultiIndex.from_frame(meetings.loc[meetings["status"] == "attended", key])
    found = {"any_meeting": enrolments.assign(outcome=pd.MultiIndex.from_frame(enrolments[key]).isin(met))}
    responses = example.good("feedback").merge(enrolments.drop(columns="level"), on=key)
    for statement in STATEMENTS:
        answered = responses[responses[statement] != ""]
        found[statement] = answered.assign(outcome=answered[statement].astype(int) >= 4)
    return found


def test_true_gaps_are_about_the_people_in_the_extracts(example, outcomes):
    truth = example.truth
    assert set(truth["metric"]) == {"any_meeting", "trust", "knows_me"}
    assert set(truth["academic_year"]) == {"2023/24", "2024/25", "2025/26"}
    key = ["academic_year", "school_code", "metric", "characteristic", "group"]
    assert not truth.duplicated(key).any()
    assert truth["true_gap"].between(-100, 100).all()
    for (metric, characteristic), gaps in truth.groupby(["metric", "characteristic"]):
        sizes = outcomes[metric].groupby(["academic_year", "school_code", characteristic]).size()
        for side, n in (("group", "n"), ("reference", "reference_n")):
            people = pd.MultiIndex.from_frame(gaps[["academic_year", "school_code", side]])
            assert (sizes.reindex(people).to_numpy() == gaps[n].to_numpy()).all()


@pytest.mark.parametrize("metric", ["any_meeting", "trust", "knows_me"])
def test_raw_intervals_cover_the_true_gaps(example, outcomes, metric):
    covered = []
    truth = example.truth.query("metric == @metric and n >= @LEAST and reference_n >= @LEAST")
    sums = {c: _sums(outcomes[metric], c) for c in truth["characteristic"].unique()}
    for gap in truth.itertuples():
        (x1, n1), (x0, n0) = (
            sums[gap.characteristic].loc[(gap.academic_year, gap.school_code, group)]
            for group in (gap.group, gap.reference)
        )
        lower, upper = confint_proportions_2indep(x1, n1, x0, n0, method="newcomb")
        covered.append(100 * lower <= gap.true_gap <= 100 * upper)
    assert len(covered) > 200
    assert np.mean(covered) > 0.92


def test_outstanding_schools_lead_and_non_logging_ones_are_low_on_the_record_only(example):
    schools = pd.read_parquet(example.folder / "truth" / "schools.parquet").set_index("school_code")
    for effect in ("contact", *STATEMENTS):
        assert set(schools[effect].nlargest(2).index) == set(example.planted["outstanding_schools"])
    silent = schools.loc[example.planted["non_logging_schools"]]
    assert silent["logged"].between(0.25, 0.35).all()
    assert (schools["logged"].drop(silent.index) >= 0.95).all()


def test_non_logging_schools_record_a_third_of_what_students_recall(example):
    meetings, feedback = example.good("meetings"), example.good("feedback")
    attended = meetings[meetings["status"] == "attended"]
    attended = attended.assign(day=pd.to_datetime(attended["meeting_date"], format="mixed", dayfirst=True))
    attended["academic_year"] = attended["file"].str.extract(r"_(\d{4}-\d{2})")[0].str.replace("-", "/")
    both = feedback.merge(attended, on=["student_id", "academic_year", "school_code"])
    both = both[both["day"] <= pd.to_datetime(both["response_date"])]
    recorded = both.groupby("school_code").size()
    recalled = feedback.astype({"recalled_meetings": int}).groupby("school_code")["recalled_meetings"].sum()
    share = recorded / recalled
    silent = share[example.planted["non_logging_schools"]]
    assert silent.max() < 0.5
    assert share.drop(silent.index).min() > 0.7


def test_the_closing_school_closes_its_gap(example):
    closing = example.planted["closing_school"]
    assert closing["open"] == ["2023/24"]
    assert planted.closing_gap(2023) < -1
    assert planted.closing_gap(2024) == 0
    gaps = example.truth.query("school_code == @closing['school_code'] and group == 'Disabled'")
    for metric in closing["metrics"]:
        by_year = gaps[gaps["metric"] == metric].set_index("academic_year")["true_gap"]
        assert by_year[closing["open"]].max() < by_year[closing["closed"][:2]].min()


def test_the_composition_gap_is_between_schools_and_not_within(example, outcomes):
    only = example.planted["composition_only"]
    gaps = example.truth[(example.truth["characteristic"] == only["characteristic"])]
    gaps = gaps[(gaps["metric"] == only["metric"])]
    within = np.average(gaps["true_gap"], weights=gaps["n"] * gaps["reference_n"] / (gaps["n"] + gaps["reference_n"]))
    rates = outcomes[only["metric"]].groupby(only["characteristic"])["outcome"].mean() * 100
    assert abs(within) < 1
    assert rates[only["group"]] - rates[only["reference"]] < -3


def test_gaps_within_schools_are_there(example):
    for gap in example.planted["within_schools"]:
        for metric in {"any_meeting", "trust", "knows_me"} & gap["effects"].keys():
            rows = example.truth[(example.truth["metric"] == metric) & (example.truth["group"] == gap["group"])]
            rows = rows[rows["characteristic"] == gap["characteristic"]]
            assert np.average(rows["true_gap"], weights=rows["n"]) < -3


def test_some_groups_answer_less(example):
    enrolments = example.good("enrolments")
    answered = example.good("feedback").set_index(["student_id", "academic_year", "school_code"]).index
    enrolments["answered"] = enrolments.set_index(["student_id", "academic_year", "school_code"]).index.isin(answered)
    enrolments = enrolments[enrolments["academic_year"] != example.planted["year_in_progress"]]
    assert 0.35 < enrolments["answered"].mean() < 0.41
    for less in example.planted["answers_less"][:2]:
        rates = enrolments.groupby(less["characteristic"])["answered"].mean()
        other = {"sex": "Female", "fee_status": "Home"}[less["characteristic"]]
        assert rates[less["group"]] < rates[other] - 0.04


def _sums(rows, characteristic):
    return rows.groupby(["academic_year", "school_code", characteristic])["outcome"].agg(["sum", "count"])
