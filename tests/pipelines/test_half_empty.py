"""Columns of enrolments that are blank in one place far more than elsewhere are told of, in few words."""

from collections.abc import Mapping

import duckdb
import pandas as pd
import pytest

from pipelines.half_empty import half_empty
from tests.pipelines.checking import checked, unmet
from tests.pipelines.inputs import Row, valid

YEARS = ("2023/24", "2024/25", "2025/26")
SCHOOLS = "ABCDEFGH"
SIZE = 100


def counts(column: str = "tutor_id", **blank: Mapping[str, int]) -> pd.DataFrame:
    """Eight schools of a hundred students over three years, five of whom the column is blank for, but where told."""
    return pd.DataFrame(
        {"academic_year": year, "school_code": school, "students": SIZE, column: blank.get(school, {}).get(year, 5)}
        for year in YEARS
        for school in SCHOOLS
    )


def places(counts: pd.DataFrame, column: str = "tutor_id", fewest: int = 20) -> list[tuple[str | None, str, str]]:
    return [(p.school, p.year, p.against) for p in half_empty(counts, [column], fewest)]


def test_a_school_far_beyond_the_university_is_told_of() -> None:
    assert places(counts(A={"2024/25": 66})) == [("A", "2024/25", "13% in the university")]
    every_year = counts(A=dict.fromkeys(YEARS, 66))
    assert [place[:2] for place in places(every_year)] == [("A", year) for year in YEARS]


@pytest.mark.parametrize(("blank", "told"), [(29, False), (30, True), (100, True)])
def test_a_school_of_which_few_have_no_tutor_is_not(blank: int, told: bool) -> None:
    assert bool(places(counts(A={"2024/25": blank}))) == told


def test_a_school_far_beyond_itself_in_the_years_beside_is_told_of() -> None:
    """In a university of which many students have no tutor anyway."""
    usual: dict[str, Mapping[str, int]] = {school: dict.fromkeys(YEARS, 25) for school in SCHOOLS[1:]}
    alone = counts(**usual, A={"2023/24": 10, "2024/25": 40, "2025/26": 12})
    assert places(alone) == [("A", "2024/25", "10% in 2023/24, 12% in 2025/26")]
    assert places(counts(**usual, A={"2023/24": 10, "2024/25": 10, "2025/26": 40})) == [], "of the last nobody can say"
    assert places(counts(**usual, A={"2023/24": 30, "2024/25": 40, "2025/26": 12})) == [], "one of both is not enough"


def test_a_year_without_tutors_everywhere_is_one_place() -> None:
    everywhere = counts(**{school: {"2024/25": 60} for school in SCHOOLS})
    assert places(everywhere) == [(None, "2024/25", "5% in most years")]


def test_nothing_is_said_of_few_students() -> None:
    few = counts(A={"2024/25": 66}).assign(students=lambda c: c["students"].where(c["school_code"] != "A", 19))
    few["tutor_id"] = few[["tutor_id", "students"]].min(axis=1)
    assert places(few) == []
    assert places(counts("sex", A={"2024/25": 19}).query("school_code == 'A'").assign(students=20), "sex") == []


def test_a_characteristic_known_for_half_a_year_is_told_of() -> None:
    half = counts("sex", **{school: {"2024/25": 48} for school in SCHOOLS})
    assert places(half, "sex") == [(None, "2024/25", "5% in most years")]
    assert places(half[half["academic_year"] != "2023/24"], "sex") == [(None, "2024/25", "5% in 2025/26")]
    assert places(half[half["academic_year"] == "2024/25"], "sex") == [], "with nothing to compare"
    slightly = counts("sex", **{school: {"2024/25": 24} for school in SCHOOLS})
    assert places(slightly, "sex") == []
    assert places(counts("sex", A={"2024/25": 66}), "sex") == [], "of characteristics the university is compared"


def enrolled(
    tables: dict[str, list[Row]], school: str, year: str, blank: int, students: int = 50, **changed: object
) -> None:
    """So many students more, `blank` of them changed."""
    tables["enrolments"] += [
        tables["enrolments"][0]
        | {"student_id": f"{school} {number}", "school_code": school, "academic_year": year}
        | {"start_date": None, "tutor_id": f"tutor {school}"}
        | (changed if number < blank else {})
        for number in range(students)
    ]


def test_the_checks_warn_of_students_without_tutors_and_the_release_names_no_school(
    con: duckdb.DuckDBPyConnection,
) -> None:
    tables = valid()
    for year in ("2024/25", "2025/26"):
        enrolled(tables, "A", year, 33 if year == "2024/25" else 0, tutor_id=None)
        enrolled(tables, "B", year, 0)
    outcome = checked(con, tables)
    assert [said for said in outcome.warnings if "tutor_id" in said] == [
        "enrolments: tutor_id is blank for 30% in 2024/25 (0% in 2025/26); 60% of School A in 2024/25 (30% in the "
        "university): a gap in the extract would show as students without a tutor. See whether the system it comes "
        "from has more."
    ]
    results = outcome.tables["check"].set_index("expectation")
    line = results.loc["enrolments.tutors_named_everywhere"]
    assert (line.severity, line.column_name, bool(line.passed)) == ("warning", "tutor_id", False)
    assert line.observed == "30% in 2024/25; 1 school in 2024/25", "what may be hidden of a school is not told"
    assert "School A" not in line.rule


def test_the_checks_warn_of_characteristics(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    for row in tables["enrolments"]:
        row["commuter"] = "Commuter"
    for year in ("2024/25", "2025/26"):
        enrolled(tables, "A", year, 25 if year == "2025/26" else 0, commuter="Unknown")
        enrolled(tables, "B", year, 25 if year == "2025/26" else 0, commuter=None)
    outcome = checked(con, tables)
    assert [said for said in outcome.warnings if "commuter" in said] == [
        "enrolments: commuter is blank for 45% in 2025/26 (0% in 2024/25). See whether the system it comes from has "
        "more."
    ]
    results = outcome.tables["check"].set_index("expectation")
    observed = results.loc["enrolments.characteristics_known_every_year", "observed"]
    assert observed == "commuter 45% in 2025/26 (0% in 2024/25)"


def test_five_places_are_named_and_the_rest_counted(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["schools"] += [
        {"school_code": code, "school_name": f"School {code}", "faculty_code": "F", "faculty_name": "Faculty"}
        for code in "CDEFGHI"
    ]
    enrolled(tables, "A", "2024/25", 0, students=700)
    for school in "CDEFGHI":
        enrolled(tables, school, "2024/25", 20, students=25, tutor_id=None)
    (said,) = [said for said in checked(con, tables).warnings if "tutor_id is blank" in said]
    assert said.count(" of School ") == 5
    assert "; and 2 more: a gap" in said


def test_without_tutors_and_characteristics_there_is_nothing_to_look_at(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    for row in tables["enrolments"]:
        del row["tutor_id"], row["sex"]
    outcome = checked(con, tables)
    assert not [name for name in outcome.tables["check"]["expectation"] if "tutors_named" in name or "known_ev" in name]
    assert "enrolments.tutors_named_everywhere" not in unmet(outcome)
