"""A tiny, faultless university: two schools, forty students, a hundred meetings."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

SOURCES = """
university = "Tiny University"
example = true

[tables.meetings.columns]
meeting_id = "Meeting No"
student_id = "Student Number"
tutor_id = "Tutor"
meeting_date = "Date"
mode = "How"
status = "Outcome"

[tables.meetings.codes.mode]
"F2F" = "in person"
"Teams" = "online"
"""

SCHOOLS = ("ART", "BIO")
YEAR = "2024/25"
START = date(2024, 9, 30)
STUDENTS = [f"S{number:04d}" for number in range(1, 41)]
TUTORS = ("T1", "T2", "T3", "T4")

Rows = list[dict[str, str]]


def tables() -> dict[str, Rows]:
    """The rows of every table under the column names the extracts use, all as text."""
    schools = [
        {"school_code": "ART", "school_name": "School of Art", "faculty_code": "HUM", "faculty_name": "Humanities"},
        {"school_code": "BIO", "school_name": "School of Biology", "faculty_code": "SCI", "faculty_name": "Science"},
    ]
    calendar = [{"academic_year": YEAR, "teaching_start": "30/09/2024", "teaching_end": "02/05/2025"}]
    standards = [
        {
            "school_code": "",
            "academic_year": YEAR,
            "level": "UG",
            "meetings_per_year": "3",
            "first_meeting_by_week": "3",
        }
    ]
    tutors = [
        {"tutor_id": tutor, "school_code": SCHOOLS[number % 2], "academic_year": YEAR, "fte": "0.5"}
        for number, tutor in enumerate(TUTORS)
    ]
    enrolments = [
        {
            "Student ID": student,
            "Name": "Zoë O'Neil",
            "E-mail": "someone@example.org",
            "Academic Year": YEAR,
            "School Code": SCHOOLS[number % 2],
            "Level": "UG",
            "Year of Study": str(number % 3 + 1),
            "Study Mode": "full-time",
            "Tutor ID": TUTORS[number % 4],
            "Sex": ("Female", "Male")[number // 2 % 2],
            "Disability": "Disabled" if number % 5 == 0 else "No known disability",
        }
        for number, student in enumerate(STUDENTS)
    ]
    meetings = [
        {
            "Meeting No": f"M{number:05d}",
            "Student Number": STUDENTS[number % 40],
            "Tutor": TUTORS[number % 4],
            "Date": f"{START + timedelta(days=7 * (number // 40) + number % 5):%d/%m/%Y}",
            "How": ("F2F", "Teams")[number % 2],
            "Outcome": "missed" if number % 10 == 9 else "attended",
            "Notes": "Talked about exams, and next steps",
        }
        for number in range(100)
    ]
    feedback = [
        {
            "response_id": f"R{number:03d}",
            "academic_year": YEAR,
            "school_code": SCHOOLS[number % 2],
            "level": "UG",
            "response_date": "2024-11-20",
            "student_id": STUDENTS[number],
            "knows_me": "4",
            "trust": "5",
            "supported": "3",
            "part_of_journey": "4",
            "belonging": "4",
            "recalled_meetings": "2",
        }
        for number in range(16)
    ]
    return {
        "schools": schools,
        "calendar": calendar,
        "standards": standards,
        "tutors": tutors,
        "enrolments": enrolments,
        "meetings": meetings,
        "feedback": feedback,
    }


def write_csv(path: Path, rows: Rows, delimiter: str = ",", encoding: str = "utf-8") -> None:
    """One extract as CSV, under its column names."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def tiny_university(folder: Path) -> Path:
    """Write its extracts and sources.toml into `folder`; returns the sources.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables().items():
        write_csv(folder / f"{name}.csv", rows)
    sources = folder / "sources.toml"
    sources.write_text(SOURCES, encoding="utf-8")
    return sources
