"""The extracts: messy in the ways that are promised, and only in those."""

import gzip

import pandas as pd

from pipelines import definitions
from pipelines.example.contact import MODES, STATUSES
from pipelines.example.students import GROUPS
from pipelines.example.truth import REFERENCE
from tests.example.conftest import dates, is_date

CONTRACT = definitions.load()


def test_every_column_of_the_contract_is_there_and_mapped(example):
    for name, table in CONTRACT.tables.items():
        wanted = set(table.columns) - (set(CONTRACT.characteristics) - set(GROUPS))  # those it knows of
        if name == "feedback":  # linked by student: characteristics come from the enrolment
            wanted -= set(GROUPS)
        assert wanted <= set(example.extract(name).columns), name


def test_groups_are_the_ones_defined():
    for name, groups in GROUPS.items():
        assert groups == CONTRACT.characteristics[name].groups
        assert REFERENCE[name] == CONTRACT.characteristics[name].reference


def test_every_code_maps_to_a_value_of_the_contract(example):
    for name, table in CONTRACT.tables.items():
        rows = example.extract(name)
        for column in table.columns.values():
            if column.values and column.name in rows:
                assert set(rows[column.name].str.strip()) <= {*column.values, ""}, f"{name}.{column.name}"


def test_every_mode_and_status_occurs(example):
    meetings = example.extract("meetings")
    assert set(meetings["mode"]) == set(MODES)
    shares = meetings["status"].value_counts(normalize=True)
    assert set(shares.index) == set(STATUSES)
    assert 0.8 < shares["attended"] < 0.88


def test_names_and_addresses_are_in_the_files_and_not_in_the_mapping(example):
    mapped = {own for table in example.sources["tables"].values() for own in table.get("columns", {}).values()}
    assert {"Forename", "Surname", "E-mail"} <= set(example.extract("enrolments").columns)
    assert "Staff Name" in example.extract("tutors")
    assert not mapped & {"Forename", "Surname", "E-mail", "Staff Name", "Notes"}


def test_files_follow_the_conventions_of_several_systems(example):
    legacy = (example.folder / "enrolments_2023-24.csv").read_bytes()
    assert legacy.count(b";") > legacy.count(b",")
    assert "é" in legacy.decode("cp1252")
    assert not _is_utf8(legacy)
    assert _is_utf8((example.folder / "enrolments_2025-26.csv").read_bytes())
    assert (example.folder / "tutoring_survey.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert gzip.decompress((example.folder / "meetings_2023-24.csv.gz").read_bytes()).startswith(b"Ref,")
    title = pd.read_excel(example.folder / "tutors_2025-26.xlsx", sheet_name="Tutors", header=None, nrows=2)
    assert title.iloc[0, 0].startswith("Personal tutors 2025/26")
    assert title.iloc[1, 0] == "Staff ID"
    written = example.good("meetings").groupby("file")["meeting_date"].first()
    assert "/" in written["meetings_2023-24.csv.gz"]
    assert "-" in written["meetings_2026-27.csv"]


def test_injected_rows_are_as_many_as_the_truth_says(example):
    counted = {
        "enrolments": {
            "unknown school": lambda rows: rows["school_code"] == "ZZZZ",
            "impossible date": lambda rows: ~is_date(rows["start_date"]),
        },
        "meetings": {
            "unknown school": lambda rows: rows["school_code"] == "ZZZZ",
            "impossible date": lambda rows: ~is_date(rows["meeting_date"]),
            "no such student": lambda rows: rows["student_id"].str.startswith("9"),
        },
        "feedback": {
            "unknown school": lambda rows: rows["school_code"] == "ZZZZ",
            "answer of 0": lambda rows: rows["trust"] == "0",
            "answer of 6": lambda rows: rows["supported"] == "6",
        },
    }
    for table, kinds in counted.items():
        everything = example.extract(table)
        for file in (f for f in example.planted["files"] if f["table"] == table):
            rows = everything[everything["file"] == file["file"]]
            assert len(rows) == file["rows"]
            assert {kind: is_bad(rows).sum() for kind, is_bad in kinds.items()} == file["rejects"]
            spaces = rows["school_code"].str.endswith(" ") & ~rows.duplicated()
            assert spaces.sum() == file["changes"]["trailing space"]
            if table == "meetings":
                without = (rows["tutor_id"] == "") & ~rows.duplicated()
                assert without.sum() == file["changes"]["no tutor"]
            stripped = rows.assign(school_code=rows["school_code"].str.strip())
            assert stripped.duplicated().sum() == file["duplicates"]
            assert 0 < file["duplicates"] <= max(4, len(rows) * 0.001)


def test_what_remains_is_what_the_truth_says_is_loaded(example):
    for table in ("enrolments", "meetings", "feedback"):
        loaded = sum(f["loaded"] for f in example.planted["files"] if f["table"] == table)
        assert len(example.good(table)) == loaded
    assert example.summary.rows == example.planted["rows"]


def test_every_good_row_belongs_to_an_enrolment_and_a_tutor(example):
    enrolments = example.good("enrolments")
    enrolled = pd.MultiIndex.from_frame(enrolments[["student_id", "academic_year", "school_code"]])
    feedback = example.good("feedback")
    assert pd.MultiIndex.from_frame(feedback[["student_id", "academic_year", "school_code"]]).isin(enrolled).all()

    meetings = example.good("meetings")
    meetings["academic_year"] = meetings["file"].str.extract(r"_(\d{4}-\d{2})")[0].str.replace("-", "/")
    with_school = meetings[meetings["school_code"] != ""]
    assert len(with_school) > 0.97 * len(meetings)
    assert pd.MultiIndex.from_frame(with_school[["student_id", "academic_year", "school_code"]]).isin(enrolled).all()
    without = meetings[meetings["school_code"] == ""].merge(enrolments, on=["student_id", "academic_year"])
    assert len(without) == (meetings["school_code"] == "").sum()  # students of one school only
    assert not meetings.duplicated(["meeting_id", "student_id"]).any()

    tutors = pd.MultiIndex.from_frame(example.extract("tutors")[["tutor_id", "school_code", "academic_year"]])
    tutored = enrolments[enrolments["tutor_id"] != ""]
    assert pd.MultiIndex.from_frame(tutored[["tutor_id", "school_code", "academic_year"]]).isin(tutors).all()


def test_students_stay_and_progress_under_one_number(example):
    enrolments = example.good("enrolments").astype({"year_of_study": int})
    years = enrolments.groupby("student_id")["academic_year"].nunique()
    assert (years > 1).mean() > 0.3
    characteristics = [c for c in CONTRACT.characteristics if c in CONTRACT.tables["enrolments"].columns]
    assert enrolments.groupby("student_id")[characteristics].nunique().max().max() == 1
    in_one = enrolments[~enrolments.duplicated(["student_id", "academic_year"], keep=False)]
    steps = in_one.sort_values("academic_year").groupby("student_id")["year_of_study"].diff().dropna()
    assert (steps == 1).all()
    joint = enrolments.groupby(["student_id", "academic_year"]).size().eq(2).mean()
    assert 0.02 < joint < 0.04


def test_area_measures_are_known_of_home_students_only(example):
    enrolments = example.good("enrolments")
    elsewhere = enrolments[enrolments["fee_status"] != "Home"]
    assert (elsewhere["imd_quintile"] == "").all()
    assert (elsewhere["tundra_quintile"] == "").all()
    home = enrolments[enrolments["fee_status"] == "Home"]
    assert 0.02 < (home["imd_quintile"] == "").mean() < 0.06


def test_nothing_is_dated_after_the_data_end_or_outside_its_year(example):
    calendar = example.extract("calendar").set_index("academic_year").apply(dates)
    through = pd.Timestamp(example.planted["data_through"])
    meetings = example.good("meetings")
    year = meetings["file"].str.extract(r"_(\d{4}-\d{2})")[0].str.replace("-", "/")
    day = dates(meetings["meeting_date"])
    assert (day >= year.map(calendar["teaching_start"])).all()
    assert (day <= year.map(calendar["teaching_end"])).all()
    assert day.max() == through
    feedback = example.good("feedback")
    since = pd.to_datetime(feedback["response_date"]).dt.normalize() - feedback["academic_year"].map(
        calendar["teaching_start"]
    )
    assert since.min() >= pd.Timedelta(weeks=6)
    assert since.max() < pd.Timedelta(weeks=12)
    assert pd.to_datetime(feedback["response_date"]).max().normalize() <= through


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
