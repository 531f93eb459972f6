"""The classic reversal, from extracts to release: admissions to UC Berkeley in 1973 by department and sex."""

from datetime import date

import duckdb
import pytest
from rich.console import Console

from pipelines.progress import Progress
from pipelines.run import run
from pipelines.settings import Settings
from tests.bad_input.tiny import write_csv

pytestmark = pytest.mark.slow

# Bickel, Hammel & O'Connell (1975), Science 187:398; the six largest departments.
# department: (men admitted, men rejected, women admitted, women rejected)
COUNTS = {
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}
YEAR, START = "1973/74", date(1973, 10, 1)
HERE = {"metric": "any_meeting", "characteristic": "sex", "group": "Female", "level": "all", "part": "year"}


def extracts(folder):
    """Departments are schools, applicants students; those admitted have met their tutor."""
    folder.mkdir(parents=True)
    enrolments, meetings = [], []
    for department, (men_in, men_out, women_in, women_out) in COUNTS.items():
        for sex, admitted, rejected in (("Male", men_in, men_out), ("Female", women_in, women_out)):
            for number in range(admitted + rejected):
                student = f"{department}{sex}{number}"
                enrolments.append(
                    {"student_id": student, "academic_year": YEAR, "school_code": department, "level": "PGR",
                     "sex": sex}
                )  # fmt: skip
                if number < admitted:
                    meetings.append(
                        {"meeting_id": f"M{student}", "student_id": student, "tutor_id": "T",
                         "meeting_date": "1974-05-20", "mode": "in person", "status": "attended"}
                    )  # fmt: skip
    schools = [
        {"school_code": d, "school_name": f"Department {d}", "faculty_code": "G", "faculty_name": "Graduate Division"}
        for d in COUNTS
    ]
    calendar = [{"academic_year": YEAR, "teaching_start": str(START), "teaching_end": "1974-05-31"}]
    standards = [
        {"school_code": "", "academic_year": YEAR, "level": "PGR", "meetings_per_year": "1",
         "first_meeting_by_week": "3"}
    ]  # fmt: skip
    tables = {"schools": schools, "calendar": calendar, "standards": standards, "enrolments": enrolments,
              "meetings": meetings}  # fmt: skip
    for name, rows in tables.items():
        write_csv(folder / f"{name}.csv", rows)
    mapping = folder / "sources.toml"
    mapping.write_text('university = "Berkeley"\nexample = true\n')
    return mapping


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("berkeley")
    settings = Settings(data=folder / "data", key_file=folder / "keys" / "pseudonym.key")
    done = run(extracts(settings.inbox), settings, Progress(Console(quiet=True)))
    with duckdb.connect(settings.published / done.release / "university.duckdb", read_only=True) as con:

        def rows(table, **keys):
            keys = HERE | keys
            where = " and ".join(f'"{key}" = ?' for key in keys)
            return con.execute(f"select * from {table} where {where}", list(keys.values())).df()

        yield rows


def test_the_gap_is_gone_like_for_like_and_if_anything_turns_round(release):
    gap = release("gap", unit="university", against="reference").iloc[0]
    assert (gap["value"], gap["like_for_like"]) == (-14, 2)
    assert gap["evidence"] == "clear gap"
    # 14 points lower for women; within departments and levels 1.8 points higher, between −1.1 and 4.7
    assert gap["like_for_like_lower"] < 0 < gap["like_for_like_upper"]
    assert gap["like_for_like_says"] == "gone, if anything turned round"


def test_the_decomposition_adds_up(release):
    whole = release("decomposition", unit="university").iloc[0]
    assert whole["value"] == -14.2
    assert abs(whole["within_schools"] + whole["which_schools"] - whole["value"]) <= 0.1 + 1e-9
    assert whole["within_schools"] > 0 > whole["which_schools"]
    assert whole["within_schools_lower"] >= 0
    assert whole["says"] == "turns round"
    parts = release("decomposition_school", unit="university")
    # department B's 25 women and 8 rejections are few, but enough to be shown
    assert sorted(parts["school"]) == [f"school:{d}" for d in COUNTS]
    assert abs(parts[["within_schools", "which_schools"]].to_numpy().sum() - -14.2) < 0.05 * 12 + 0.05


def test_department_a_differs_from_the_others(release):
    pooled = release("pooled_gap", unit="university").iloc[0]
    assert pooled["schools"] == 6
    parts = release("pooled_gap_school", unit="university").set_index("school")
    assert parts["value"].idxmax() == "school:A"
    own = release("gap", unit="school:A", against="reference").iloc[0]
    assert pooled["value"] <= parts.loc["school:A", "value"] <= own["value"]
