"""Who answered, how evenly, and the answers weighted: against plain pandas; linked, not linked, or no survey."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipelines import definitions as definition_files
from pipelines import voice
from pipelines.measures import response
from pipelines.protect import protect, unlisted
from pipelines.settings import Settings
from tests.pipelines.modelling import model
from tests.pipelines.test_model import CHARACTERISTICS, FEW, PRESENT, connect, staged
from tests.pipelines.test_through_the_year import OPEN, TEXT, half_up, written_as_text

DEFINITIONS = definition_files.load()
UNLINKED = {**FEW, "feedback": PRESENT["feedback"] - {"student_id"}}
YEAR = "academic_year == '2023/24' and part == 'year' and unit == 'university'"


def made(tables, settings, present=FEW, rules=None):
    con = connect(tables)
    modelled = model(con, DEFINITIONS, present)
    settings = settings.model_copy(update={"rules": rules}) if rules else settings
    decision = protect(modelled, DEFINITIONS, settings)
    counted = voice.count(con, DEFINITIONS, present, modelled)
    return voice.tables(counted, DEFINITIONS, modelled, decision, settings), modelled


def unlinked(tables=None):
    tables = tables or staged()
    tables["feedback"]["enrolment"] = pd.array([None] * len(tables["feedback"]), dtype="Int64")
    return tables


def heard_unevenly(seed=5):
    """A survey that women answer far more often than others, and in which they are happier."""
    tables = staged(False)
    rng = np.random.default_rng(seed)
    e = tables["enrolments"]
    e["start_date"] = pd.NaT
    answers = e[rng.random(len(e)) < np.where(e["sex"] == "Female", 0.9, 0.2)]
    feedback = answers[["enrolment", "academic_year", "school_code", "level", *CHARACTERISTICS]].reset_index(drop=True)
    feedback["response_id"] = range(len(feedback))
    feedback["teaching_week"], feedback["recalled_meetings"] = 10, pd.array([1] * len(feedback), dtype="Int64")
    feedback["response_date"] = (
        tables["calendar"].set_index("academic_year")["teaching_start"][feedback["academic_year"]].to_numpy()
    )
    for statement in ("knows_me", "trust", "supported", "part_of_journey", "belonging"):
        happy = rng.random(len(feedback)) < np.where(feedback["sex"] == "Female", 0.85, 0.4)
        each = np.arange(len(feedback))
        feedback[statement] = pd.array(np.where(happy, 4 + each % 2, 1 + each % 3), dtype="Int64")
    tables["feedback"] = feedback
    return tables


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """What is made of `heard_unevenly`, for tests to look at."""
    return made(heard_unevenly(), Settings(data=tmp_path_factory.mktemp("uneven")))


def test_response_rates_are_the_metric_of_the_same_name(settings):
    found, modelled = made(staged(), settings, rules=OPEN)
    key = ["academic_year", "part", "level", "unit", "characteristic", "group"]
    cells = modelled.cells[modelled.cells["metric"] == "response_rate"]
    cells = cells[~unlisted(cells)]
    both = found["response"].merge(cells, on=key, how="outer", suffixes=("", "_cell"))
    assert (both["status"] == "shown").all(), "the same cells: those of the closed list"
    assert both["base"].tolist() == both["n"].tolist()
    np.testing.assert_array_equal(both["value"], half_up(both["sx"] / both["n"]))


def test_without_a_link_the_groups_are_as_declared(settings):
    tables = unlinked()
    found, modelled = made(tables, settings, UNLINKED, OPEN)
    assert "response_rate" not in set(modelled.cells["metric"])
    declared = tables["feedback"].query("academic_year == '2023/24' and school_code == 'B'")
    e = tables["enrolments"]
    ends = tables["calendar"]["teaching_end"][0]
    e = e[e["start_date"].isna() | (e["start_date"] <= ends)].query("academic_year == '2023/24' and school_code == 'B'")
    here = found["response"].query(
        "academic_year == '2023/24' and part == 'year' and unit == 'school:B' and level == 'all'"
    )
    here = here.set_index(["characteristic", "group"])["value"]
    assert here["all", "all"] == half_up(len(declared) / len(e))
    for group in ("Female", "Male", "Other"):
        assert here["sex", group] == half_up((declared["sex"] == group).sum() / (e["sex"] == group).sum())
    assert len(found["representativeness"])
    assert len(found["weighted"])


def test_what_the_survey_did_not_ask_is_not_hidden_but_not_asked(settings):
    tables = unlinked(heard_unevenly())
    tables["feedback"]["sex"] = "Unknown"
    found, _ = made(tables, settings, UNLINKED)
    rates = found["response"]
    assert set(rates.loc[rates["characteristic"] == "sex", "status"]) == {"none"}
    assert "shown" in set(rates.loc[rates["characteristic"] == "ethnicity", "status"])
    even = found["representativeness"].query("characteristic == 'sex'")
    assert set(even["says"]) == {"not asked"}
    assert set(even["status"]) == {"none"}


def test_more_answers_than_students_have_no_rate(settings):
    tables = unlinked()
    tables["feedback"]["sex"] = "Other"
    found, _ = made(tables, settings, UNLINKED, OPEN)
    row = found["response"].query(f"{YEAR} and level == 'all' and group == 'Other' and characteristic == 'sex'")
    assert row["status"].tolist() == ["none"], "enrolled as something else, mostly"
    tables["enrolments"].loc[tables["enrolments"]["sex"] == "Other", "sex"] = "Male"
    found, _ = made(tables, settings, UNLINKED, OPEN)
    row = found["response"].query("group == 'Other' and characteristic == 'sex'")
    assert set(row["status"]) == {"none"}
    assert row[["base", "value", "lower", "upper"]].isna().all(axis=None)


def test_weights_match_the_finer_groups_alone(uneven, settings, monkeypatch):
    found, _ = uneven
    assert "ethnicity_broad" in set(found["representativeness"]["characteristic"])
    finer = {name: c for name, c in DEFINITIONS.characteristics.items() if not c.of}
    monkeypatch.setattr("tests.pipelines.test_voice.DEFINITIONS", replace(DEFINITIONS, characteristics=finer))
    alone, _ = made(heard_unevenly(), settings)
    pd.testing.assert_frame_equal(found["weighted"], alone["weighted"])


def test_only_what_may_be_shown_is(uneven, settings):
    found, modelled = uneven
    for table in found.values():
        numbers = [c for c in table.columns if c not in TEXT and not c.startswith("strongly_")]
        shown = table["status"] == "shown"
        assert shown.any()
        assert table.loc[shown, numbers].notna().all(axis=None)
        assert table.loc[~shown, numbers].isna().all(axis=None)
    decision = protect(modelled, DEFINITIONS, settings)
    cells = modelled.cells.assign(why=decision.why).query("metric == 'response_rate'")
    key = ["academic_year", "part", "level", "unit", "characteristic", "group"]
    both = found["response"].merge(cells, on=key)
    enough = (both["n"] >= 23) & (both["sx"] >= 10)
    assert set(both.loc[~enough, "status"]) == {"suppressed"}
    assert set(both.loc[enough, "why"]) == {"shown", "linked"}, "some are hidden so that others cannot be worked out"
    assert ((both["status"] == "shown") == (both["why"] == "shown")).all()


def test_without_a_link_a_rate_is_shown_where_both_its_counts_are(settings):
    found, modelled = made(unlinked(heard_unevenly()), settings, UNLINKED)
    decision = protect(modelled, DEFINITIONS, settings)
    cells = modelled.cells.assign(shown=~decision.hidden)
    key = ["academic_year", "part", "level", "unit", "characteristic", "group"]
    cells = cells[cells["shown"]]
    enrolled = set(cells[cells["metric"].isin(["has_tutor", "any_meeting"])].set_index(key).index)
    answered = set(cells[cells["metric"] == "trust"].set_index(key).index)
    rates = found["response"].set_index(key)["status"]
    shown = set(rates[rates == "shown"].index)
    assert shown
    assert shown <= enrolled & answered
    assert enrolled - shown, "who is enrolled is told of more"


def test_who_is_heard_less_is_said_and_rests_on_shown_groups(uneven):
    found, _ = uneven
    table = found["representativeness"].query(f"{YEAR} and level == 'all'").set_index("characteristic")
    assert table.loc["sex", "says"] == "some are heard less"
    assert table.loc["sex", "upper"] < 0.6
    rates = found["response"].query(f"{YEAR} and level == 'all' and characteristic == 'sex' and group != 'Unknown'")
    assert (rates["status"] == "suppressed").any(), "a group is hidden to protect smaller cells"
    rates = rates[rates["status"] == "shown"]
    n, rate = rates["base"].to_numpy(float), rates["value"].to_numpy(float) / 100
    spread = np.sqrt(np.average((rate - np.average(rate, weights=n)) ** 2, weights=n))
    assert table.loc["sex", "r_indicator"] == pytest.approx(1 - 2 * spread, abs=0.03)
    assert table.loc["commuter", "says"] in ("no clear difference", "too few to say")


def test_weights_move_the_answer_towards_everybody(uneven):
    found, _ = uneven
    table = found["weighted"].query(YEAR).set_index("metric")
    assert list(table.index) == ["belonging", "knows_me", "part_of_journey", "supported", "trust"]
    assert (table["weighted"] < table["value"] - 5).all()
    assert table.loc["trust", "weighted"] == pytest.approx(100 * (0.85 + 3 * 0.4) / 4, abs=10), "one in four is a woman"
    assert set(found["weighted"]["level"]) == {"all"}


def test_weights_agree_with_raking_written_plainly(settings, monkeypatch):
    tables = heard_unevenly()
    monkeypatch.setattr(voice, "SPARSE", 1)
    only_sex = {**PRESENT, "enrolments": PRESENT["enrolments"] - set(CHARACTERISTICS) | {"sex"}}
    found, _ = made(tables, settings, only_sex)
    answers = tables["feedback"].query("academic_year == '2023/24'")
    students = tables["enrolments"].query("academic_year == '2023/24'")
    weight = pd.Series(1.0, index=answers.index)
    for _ in range(200):
        for keys in (["sex"], ["school_code", "level"]):
            known = answers["sex"] != "Unknown" if keys == ["sex"] else answers["sex"].notna()
            counted = students[students["sex"] != "Unknown"] if keys == ["sex"] else students
            target = counted.groupby(keys).size() / len(counted) * weight[known].sum()
            have = weight[known].groupby([answers.loc[known, k] for k in keys]).sum()
            places = pd.MultiIndex.from_frame(answers.loc[known, keys]) if len(keys) > 1 else answers.loc[known, "sex"]
            weight[known] = weight[known].to_numpy() * (target / have).loc[places].to_numpy()
    assert weight.between(1 / response.LARGEST, response.LARGEST).all()
    expected = np.average(answers["trust"].astype(int) >= 4, weights=weight)
    row = found["weighted"].query(f"{YEAR} and metric == 'trust'").iloc[0]
    assert row["weighted"] == half_up(expected)
    assert row["value"] == half_up((answers["trust"].astype(int) >= 4).mean())


def test_sparse_cells_are_joined():
    respondents = pd.DataFrame({"set": 0, "sex": ["a", "a", "b", "c", "d", "Unknown"], "n": [20, 10, 12, 6, 5, 4]})
    enrolled = pd.DataFrame({"set": 0, "group": ["a", "b", "c", "d", "e"], "wider": voice.REST, "n": [50, 40, 8, 9, 3]})
    label, margin = voice._joined(respondents, enrolled, "sex")
    assert list(label) == ["a", "a", "b", voice.REST, voice.REST, "Unknown"]
    assert dict(zip(margin["group"], margin["n"], strict=True)) == {"a": 50, "b": 40, voice.REST: 20}
    few = respondents[respondents["sex"] != "d"]
    assert set(voice._joined(few, enrolled, "sex")[1]["group"]) == {"a", "b"}, "what stays sparse has no margin"


def test_it_does_not_matter_how_many_periods_are_weighted_at_once(settings, monkeypatch):
    at_once, _ = made(staged(), settings, rules=OPEN)
    monkeypatch.setattr(voice, "MANY", 1)
    one_by_one, _ = made(staged(), settings, rules=OPEN)
    assert len(at_once["weighted"].drop_duplicates(["academic_year", "part"])) > 1
    pd.testing.assert_frame_equal(at_once["weighted"], one_by_one["weighted"])


def test_few_respondents_are_not_weighted(settings):
    tables = staged()
    tables["feedback"] = tables["feedback"].query("academic_year == '2023/24'").head(49)
    found, _ = made(tables, settings)
    assert found["weighted"].empty
    assert set(found["response"]["academic_year"]) == {"2023/24"}, "years without a survey have no response rate"


@pytest.mark.parametrize("present", [FEW, {**FEW, "feedback": frozenset()}])
def test_no_survey_gives_empty_tables_of_the_right_shape(settings, present):
    tables = staged()
    tables["feedback"] = tables["feedback"].head(0)
    found, _ = made(tables, settings, present)
    for table in found.values():
        assert table.empty
        assert written_as_text(table) == TEXT & set(table.columns)
