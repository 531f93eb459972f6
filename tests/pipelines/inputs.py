"""A tiny valid university as the check step finds it: input_<table> tables, of which a test changes rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from pipelines.definitions import Definitions
from pipelines.extract import Extracted, ExtractedFile

TODAY = date(2026, 6, 1)
TYPES = {"identifier": "uuid", "date": "date", "integer": "integer", "number": "double"}
Row = dict[str, Any]


def valid() -> dict[str, list[Row]]:
    """Two schools, two whole years, ten students who stay in their school, and all their records."""
    years = {"2024/25": date(2024, 9, 30), "2025/26": date(2025, 9, 29)}
    rows: dict[str, list[Row]] = {
        "schools": [
            {"school_code": code, "school_name": f"School {code}", "faculty_code": "F", "faculty_name": "Faculty"}
            for code in ("A", "B")
        ],
        "calendar": [
            {"academic_year": year, "teaching_start": start, "teaching_end": start + timedelta(days=214)}
            for year, start in years.items()
        ],
        "standards": [
            {"academic_year": year, "level": "UG", "meetings_per_year": 3, "first_meeting_by_week": 3} for year in years
        ],
        "tutors": [
            {"tutor_id": f"tutor {code}", "school_code": code, "academic_year": year, "fte": 1.0}
            for code in ("A", "B")
            for year in years
        ],
        "enrolments": [],
        "meetings": [],
        "feedback": [],
    }
    for year, start in years.items():
        for number in range(10):
            code = "AB"[number % 2]
            student = {"student_id": f"student {number}", "school_code": code}
            shared = {"academic_year": year, "level": "UG", "sex": "Female"}
            rows["enrolments"].append(
                student | shared | {"year_of_study": 1, "start_date": start, "tutor_id": f"tutor {code}"}
            )
            for week in (1, 9):
                rows["meetings"].append(
                    student
                    | {"meeting_id": f"meeting {year} {number} {week}", "tutor_id": f"tutor {code}"}
                    | {"meeting_date": start + timedelta(days=7 * week - 6), "mode": "online", "status": "attended"}
                )
            answers = dict.fromkeys(["knows_me", "trust", "supported", "part_of_journey"], 4)
            rows["feedback"].append(
                student
                | shared
                | answers
                | {"response_id": f"response {year} {number}", "response_date": start + timedelta(days=60)}
            )
    return rows


def write(
    con: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    tables: Mapping[str, Iterable[Row]],
    modified: datetime = datetime(2026, 5, 29),
) -> Extracted:
    """Make the input tables and raw_reject; every table is one file, its rows numbered from 1.

    Identifiers are given as plain words. A row's own `source_file` wins over `<table>.csv`.
    """
    con.execute("""
        create or replace temp table raw_reject (table_name varchar, source_file varchar, source_row bigint,
            column_name varchar, value varchar, rule varchar)
    """)
    extracted = Extracted()
    for table in definitions.tables.values():
        rows = list(tables[table.name])
        columns = {"source_file": "varchar", "source_row": "bigint"}
        for column in table.columns.values():
            columns[column.name] = TYPES.get(column.type, "varchar")
            if column.type in ("date", "integer", "number"):
                columns[f"{column.name}_unreadable"] = "varchar"
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        con.execute(f"create or replace table input_{table.name} ({declared})")
        counts: dict[str, int] = {}
        for row in rows:
            file = row.get("source_file", f"{table.name}.csv")
            counts[file] = counts.get(file, 0) + 1
            numbered = row | {"source_file": file, "source_row": counts[file]}
            values = [_pseudonym(numbered.get(name), kind) for name, kind in columns.items()]
            con.execute(f"insert into input_{table.name} values ({', '.join('?' * len(values))})", values)
        for file, count in counts.items():
            extracted.files.append(ExtractedFile(table.name, file, count, 0, modified, frozenset(), ""))
        given = {name for row in rows for name, value in row.items() if value is not None}
        extracted.present[table.name] = frozenset(given & set(table.columns))
    return extracted


def _pseudonym(value: Any, kind: str) -> Any:
    if kind == "uuid" and value is not None:
        return uuid.uuid5(uuid.NAMESPACE_OID, value)
    return value
