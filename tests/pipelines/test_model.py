"""The SQL models agree, cell by cell, with the same cells written plainly in pandas."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipelines import definitions as definition_files
from pipelines.definitions import RESERVED
from pipelines.errors import InputError
from pipelines.measures.intervals import with_intervals
from pipelines.model import missing, missing_characteristic
from tests import reference_cells
from tests.pipelines.modelling import model

DEFINITIONS = definition_files.load()
PRESENT = {name: frozenset(t.columns) for name, t in DEFINITIONS.tables.items()}
CHARACTERISTICS = [c.name for c in DEFINITIONS.characteristics.values() if not c.of]
# as many as a test needs: what is shown is decided for each by itself, which takes its time
FEW = {**PRESENT, "enrolments": PRESENT["enrolments"] - set(CHARACTERISTICS) | {"sex", "ethnicity", "commuter"}}


def staged(in_progress=True, seed=7):
    """Random staged tables of three schools over two or three years, with every awkward value there is."""
    rng = np.random.default_rng(seed)
    years = ["2023/24", "2024/25", "2025/26"] if in_progress else ["2023/24", "2024/25"]
    starts = pd.to_datetime([f"{y[:4]}-09-25" for y in years])
    calendar = pd.DataFrame(
        {"academic_year": years, "teaching_start": starts, "teaching_end": starts + pd.Timedelta(days=217),
         "teaching_weeks": 31, "ordering": range(len(years))}
    )  # fmt: skip
    schools = pd.DataFrame(
        {"school_code": ["A", "B", "C"], "school_name": ["Art", "Biology", "Chemistry"],
         "faculty_code": ["F1", "F2", "F2"], "faculty_name": ["Arts", "Science", "Science"]}
    )  # fmt: skip
    n = 900
    pick = rng.integers(0, len(years), n)
    start = starts[pick]
    enrolments = pd.DataFrame(
        {
            "enrolment": np.arange(n),
            "student_id": rng.integers(0, 700, n),
            "academic_year": np.array(years)[pick],
            "school_code": rng.choice(["A", "B", "C"], n),
            "level": rng.choice(["UG", "PGT", "PGR"], n),
            "year_of_study": 1,
            "study_mode": "full-time",
            "start_date": [s + pd.Timedelta(days=int(d)) if d < 100 else pd.NaT
                           for s, d in zip(start, rng.integers(-5, 200, n), strict=True)],
            "end_date": [s + pd.Timedelta(days=int(d)) if d < 200 else pd.NaT
                         for s, d in zip(start, rng.integers(10, 600, n), strict=True)],
            "tutor_id": rng.choice(["t1", "t2", "t3", None], n),
        }
    )  # fmt: skip
    for c in DEFINITIONS.characteristics.values():
        if not c.of:
            enrolments[c.name] = rng.choice([*c.groups, "Unknown"], n)
    m = 4000
    of = rng.integers(0, n, m)
    day = rng.integers(-10, 215, m)
    if in_progress:  # the last year has reached the Wednesday of week 10: nine whole weeks
        day = np.where(pick[of] == len(years) - 1, rng.integers(-10, 66, m), day)
    meetings = pd.DataFrame(
        {
            "meeting_id": np.arange(m),
            "enrolment": of,
            "academic_year": np.array(years)[pick[of]],
            "tutor_id": rng.choice(["t1", "t2", None], m, p=[0.7, 0.2, 0.1]),
            "meeting_date": start[of] + pd.to_timedelta(day, unit="D"),
            "teaching_week": np.maximum(day // 7 + 1, 0),
            "status": rng.choice(["attended", "missed", "cancelled"], m, p=[0.8, 0.15, 0.05]),
        }
    )
    if in_progress:
        meetings.loc[0, ["meeting_date", "status"]] = [starts[-1] + pd.Timedelta(days=65), "missed"]
    r = 300
    who = rng.choice(n, r, replace=False)
    when = rng.integers(40, 80, r)
    feedback = pd.DataFrame(
        {
            "response_id": np.arange(r),
            "enrolment": pd.array(who, dtype="Int64"),
            "response_date": start[who] + pd.to_timedelta(when, unit="D"),
            "teaching_week": when // 7 + 1,
            "recalled_meetings": pd.array(rng.integers(0, 6, r), dtype="Int64"),
        }
    )
    for column in ("academic_year", "school_code", "level", *CHARACTERISTICS):
        feedback[column] = enrolments[column].to_numpy()[who]
    for statement in reference_cells.STATEMENTS:
        feedback[statement] = pd.array(rng.integers(1, 6, r), dtype="Int64")
    feedback.loc[:5, "belonging"] = pd.NA
    feedback.loc[10:20, "enrolment"] = pd.NA
    tutors = pd.DataFrame(
        [(t, s, y, f) for t, f in (("t1", 1.0), ("t2", 0.4)) for s in "AB" for y in years],
        columns=["tutor_id", "school_code", "academic_year", "fte"],
    )
    standards = pd.DataFrame(
        [(s, y, level, per_year, week) for y in years for s, level, per_year, week in (
            (None, "UG", 4, 3), (None, "PGT", 2, 10), ("A", "UG", 6, 2))],
        columns=["school_code", "academic_year", "level", "meetings_per_year", "first_meeting_by_week"],
    )  # fmt: skip
    return {"enrolments": enrolments, "meetings": meetings, "feedback": feedback, "tutors": tutors,
            "standards": standards, "calendar": calendar, "schools": schools}  # fmt: skip


def connect(tables):
    con = duckdb.connect()
    for name, frame in tables.items():
        con.register("frame", frame)
        dates = ", ".join(
            f"cast({c} as date) as {c}"
            for c in frame.columns
            if c.endswith("_date") or c in ("teaching_start", "teaching_end")
        )
        con.execute(f"create table stg_{name} as select * {f'replace ({dates})' if dates else ''} from frame")
        con.unregister("frame")
    return con


def test_no_characteristic_can_be_called_like_a_column_of_the_marts():
    con = connect(staged())
    model(con, DEFINITIONS, PRESENT)
    of_tables = {c for name in ("enrolments", "feedback") for c in DEFINITIONS.tables[name].columns}
    for mart in ("mart_enrolment", "mart_response", "mart_counted"):
        columns = {name for (name, *_) in con.execute(f"describe {mart}").fetchall()} - set(CHARACTERISTICS)
        assert columns - of_tables - set(DEFINITIONS.characteristics) <= RESERVED


@pytest.mark.parametrize("in_progress", [True, False])
def test_the_models_agree_with_pandas(in_progress):
    tables = staged(in_progress)
    made = model(connect(tables), DEFINITIONS, PRESENT)
    for name in ("enrolments", "feedback"):
        tables[name] = reference_cells.with_broader(tables[name], DEFINITIONS)
    expected = reference_cells.cells(**tables, characteristics=list(DEFINITIONS.characteristics))
    key = reference_cells.KEY
    found = made.cells[[*key, *reference_cells.SUMS]].sort_values(key, ignore_index=True)
    expected = expected.sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(found[key], expected[key], check_dtype=False)
    np.testing.assert_allclose(
        found[reference_cells.SUMS].to_numpy(float), expected[reference_cells.SUMS].to_numpy(float), atol=1e-9
    )
    assert set(found["metric"]) == set(DEFINITIONS.metrics)
    assert (found["have_some"] + found["lack_some"] >= found["n"]).all(), "nobody neither has nor lacks it"


def test_students_who_recall_too_few_meetings_weigh_against_those_who_recall_too_many():
    """One meeting each is on record, of which a quarter recall none and a quarter two: 100 of every 100."""
    tables = staged(in_progress=False)
    who = tables["enrolments"][tables["enrolments"]["academic_year"] == "2024/25"].head(100)
    day = pd.Timestamp("2024-10-10")
    others = tables["meetings"][~tables["meetings"]["enrolment"].isin(who["enrolment"])]
    one_each = others.iloc[[0] * 100].assign(
        enrolment=who["enrolment"].to_numpy(), academic_year="2024/25", meeting_date=day, status="attended"
    )
    tables["meetings"] = pd.concat([others, one_each], ignore_index=True)
    recalled = pd.array([0] * 25 + [1] * 50 + [2] * 25, dtype="Int64")
    answers = tables["feedback"].iloc[[30] * 100].reset_index(drop=True)
    tables["feedback"] = answers.assign(
        response_id=range(100), enrolment=pd.array(who["enrolment"], dtype="Int64"), academic_year="2024/25",
        response_date=day + pd.Timedelta(days=30), recalled_meetings=recalled,
        school_code=who["school_code"].to_numpy(), level=who["level"].to_numpy(),
    )  # fmt: skip
    cells = model(connect(tables), DEFINITIONS, PRESENT).cells
    record = cells.query(
        "metric == 'recorded_of_recalled' and unit == 'university' and level == 'all' and characteristic == 'all'"
    )
    found = with_intervals(record, pd.Series({"recorded_of_recalled": "ratio"})).iloc[0]
    assert (found["n"], found["value"]) == (100, 1.0)
    assert 0.85 < found["lower"] < 1 < found["upper"] < 1.2


def test_the_year_in_progress_is_compared_with_the_same_week():
    made = model(connect(staged()), DEFINITIONS, PRESENT)
    parts = made.periods[["academic_year", "part", "through_week", "in_progress"]].to_numpy().tolist()
    assert parts == [
        ["2023/24", "to_date", 9, False],
        ["2023/24", "year", 31, False],
        ["2024/25", "to_date", 9, False],
        ["2024/25", "year", 31, False],
        ["2025/26", "to_date", 9, True],
    ]


def test_of_years_to_date_the_last_two_have_groups():
    cells = model(connect(staged()), DEFINITIONS, PRESENT).cells
    of_groups = cells[(cells["part"] == "to_date") & (cells["characteristic"] != "all")]
    everyone = cells[(cells["part"] == "to_date") & (cells["characteristic"] == "all")]
    assert set(of_groups["academic_year"]) == {"2024/25", "2025/26"}
    assert set(everyone["academic_year"]) == {"2023/24", "2024/25", "2025/26"}


def test_what_carries_no_date_has_no_figure_to_date_of_earlier_years():
    cells = model(connect(staged()), DEFINITIONS, PRESENT).cells
    undated = {name for name, metric in DEFINITIONS.metrics.items() if not metric.dated}
    assert undated == {"has_tutor", "tutees_per_fte"}
    there = cells.groupby("metric")[["academic_year", "part"]].apply(lambda c: {*c.itertuples(index=False, name=None)})
    earlier = {("2023/24", "to_date"), ("2024/25", "to_date")}
    every = earlier | {("2023/24", "year"), ("2024/25", "year"), ("2025/26", "to_date")}
    assert all(there[name] == every - earlier for name in undated)
    assert there["any_meeting"] == every


def test_tutees_are_those_who_count_in_the_part_of_the_year():
    tables = staged()
    now, day = "2025/26", pd.Timedelta(days=1)
    begins = tables["calendar"].set_index("academic_year").loc[now, "teaching_start"]
    left, later = tables["enrolments"]["academic_year"].eq(now).pipe(lambda own: own[own].index[:2])
    before = tables["enrolments"].assign(start_date=pd.NaT, end_date=pd.NaT, tutor_id="t1", school_code="A")
    gone = before.copy()
    gone.loc[left, "end_date"], gone.loc[later, "start_date"] = begins - day, begins + 100 * day

    def tutees(enrolments):
        cells = model(connect({**tables, "enrolments": enrolments}), DEFINITIONS, PRESENT).cells
        own = cells.query("metric == 'tutees_per_fte' and unit == 'university' and part == 'to_date'")
        return own.set_index("academic_year").loc[now, "sx"]

    assert tutees(gone) == tutees(before) - 2


def test_enrolments_for_a_year_that_has_not_begun_leave_the_year_in_progress_as_it_is():
    tables = staged()
    early = tables["enrolments"].head(3).assign(enrolment=[9001, 9002, 9003], academic_year="2026/27")
    tables["enrolments"] = pd.concat([tables["enrolments"], early])
    calendar = tables["calendar"]
    coming = calendar.tail(1).assign(
        academic_year="2026/27", teaching_start=pd.Timestamp("2026-09-25"), teaching_end=pd.Timestamp("2027-04-30")
    )
    tables["calendar"] = pd.concat([calendar, coming])
    periods = model(connect(tables), DEFINITIONS, PRESENT).periods
    assert periods.loc[periods["in_progress"], "academic_year"].to_list() == ["2025/26"]
    assert "2026/27" not in set(periods["academic_year"])


def test_a_year_without_any_meeting_has_no_period():
    tables = staged()
    tables["meetings"] = tables["meetings"][tables["meetings"]["academic_year"] != "2023/24"]
    made = model(connect(tables), DEFINITIONS, PRESENT)
    assert "2023/24" not in set(made.cells["academic_year"])
    assert "2024/25" in set(made.cells["academic_year"])


def test_without_a_complete_week_there_is_nothing_to_measure_and_it_is_said():
    tables = staged()
    tables["meetings"] = tables["meetings"].head(0)
    with pytest.raises(InputError, match="nothing to measure yet"):
        model(connect(tables), DEFINITIONS, PRESENT)


def test_missing_optional_extracts_are_said_in_words():
    without = {**PRESENT, "feedback": frozenset(), "tutors": frozenset()}
    assert missing(DEFINITIONS.metrics["trust"], without) == "there is no feedback extract"
    assert missing(DEFINITIONS.metrics["any_meeting"], without) is None
    unlinked = {**PRESENT, "feedback": PRESENT["feedback"] - {"student_id"}}
    assert missing(DEFINITIONS.metrics["response_rate"], unlinked) == "the feedback extract has no student_id"
    bare = {**PRESENT, "enrolments": PRESENT["enrolments"] - {"commuter"}}
    assert "commuter" in missing_characteristic(DEFINITIONS.characteristics["commuter"], bare)
    bare = {**PRESENT, "enrolments": PRESENT["enrolments"] - {"ethnicity"}}
    broad = DEFINITIONS.characteristics["ethnicity_broad"]
    assert missing_characteristic(broad, bare) == "the enrolments extract has no ethnicity"
    assert missing_characteristic(broad, PRESENT) is None
    tables = staged()
    tables["feedback"], tables["tutors"] = tables["feedback"].head(0), tables["tutors"].head(0)
    cells = model(connect(tables), DEFINITIONS, without).cells
    assert "any_meeting" in set(cells["metric"])
    assert not {"trust", "tutees_per_fte", "response_rate"} & set(cells["metric"])
