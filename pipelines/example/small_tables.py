"""The extracts that people keep by hand: departments, term dates, standards and the list of tutors."""

from __future__ import annotations

import csv
from pathlib import Path

from pipelines.example import mapping, tables
from pipelines.example.academic_years import AcademicYear
from pipelines.example.mess import FileCounts
from pipelines.example.tutors import Tutors
from pipelines.example.university import FACULTIES, LEVELS, SCHOOL_CODES, SCHOOLS, STANDARD
from pipelines.example.write import BRITISH, write_sheet

Rows = list[list[str | float]]


def write_small_tables(out: Path, years: list[AcademicYear]) -> list[FileCounts]:
    """Write departments, term dates and standards."""
    schools: Rows = [[s.code, s.name, s.faculty, FACULTIES[s.faculty]] for s in SCHOOLS]
    _write_csv(
        out / "departments.csv", "schools", ("school_code", "school_name", "faculty_code", "faculty_name"), schools
    )
    terms: Rows = [[y.label, y.teaching_start.strftime(BRITISH), y.teaching_end.strftime(BRITISH)] for y in years]
    _write_csv(out / "term_dates.csv", "calendar", ("academic_year", "teaching_start", "teaching_end"), terms)
    standards: Rows = []
    for year in years:
        for position, level in enumerate(LEVELS):
            meetings, week = STANDARD[level]
            standards.append(["", year.label, level, meetings, week])
            standards += [[s.code, year.label, level, s.standard[position], week] for s in SCHOOLS if s.standard]
    columns = ("school_code", "academic_year", "level", "meetings_per_year", "first_meeting_by_week")
    write_sheet(out / "tutoring_standards.xlsx", "Standards", [_header("standards", columns), *standards])
    return [
        FileCounts("departments.csv", "schools", len(schools)),
        FileCounts("term_dates.csv", "calendar", len(terms)),
        FileCounts("tutoring_standards.xlsx", "standards", len(standards)),
    ]


def write_tutors(out: Path, year: AcademicYear, tutors: Tutors) -> FileCounts:
    """Write a year's tutors: a sheet of its own, under a title."""
    file = f"tutors_{year.file_label}.xlsx"
    columns = ("tutor_id", "Staff Name", "school_code", "academic_year", "fte")
    rows: Rows = [
        [number, name, SCHOOL_CODES[school], year.label, fte]
        for number, name, school, fte in zip(
            tutors.ids, tables.tutor_names(tutors), tutors.school, tutors.fte.tolist(), strict=True
        )
    ]
    title = f"Personal tutors {year.label}, as at {year.teaching_start:%d/%m/%Y}"
    write_sheet(out / file, "Tutors", [_header("tutors", columns), *rows], title=title, before="Read me")
    return FileCounts(file, "tutors", len(rows))


def _header(table: str, columns: tuple[str, ...]) -> list[str | float]:
    return [mapping.column(table, column) for column in columns]


def _write_csv(path: Path, table: str, columns: tuple[str, ...], rows: Rows) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([_header(table, columns), *rows])
