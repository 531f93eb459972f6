"""A small university as Parquet files, with every awkward row there is: what the engines are compared on."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import definitions as definition_files
from pipelines import sources
from pipelines.example import generate
from pipelines.extract import extract
from pipelines.settings import Settings

DEFINITIONS = definition_files.load()
FEW = ("sex", "ethnicity", "ethnicity_broad", "commuter")
Rows = list[dict[str, str | None]]

# rows that stand before the example's own; what is missing is blank
AWKWARD: dict[str, Rows] = {
    "standards": [{"academic_year": "2031/32", "level": "UG"}, {"school_code": "Zürich", "level": "UG"}],
    "tutors": [
        {"tutor_id": "ß-tutor", "fte": "1d"},
        {"tutor_id": "ﬁne", "fte": "Infinity"},
        {"tutor_id": "İstanbul", "fte": "NaN"},
        {"tutor_id": "ŉ", "fte": "0x1p3"},
        {"tutor_id": "t", "fte": "1e400"},
        {"tutor_id": "t2", "fte": "+-0_0.5"},
        {"tutor_id": None, "fte": " \t.5 "},
    ],
    "enrolments": [
        {"student_id": "straße", "academic_year": "2024/25", "level": "ug", "start_date": "2025-02-30"},
        {"student_id": "STRASSE", "academic_year": "2024/25", "level": "UG", "start_date": "29/02/2024"},
        {"student_id": "ǆ", "academic_year": "2024/25", "level": "PGT", "start_date": "29/02/2023"},
        {"student_id": "学生", "academic_year": "2024/25", "level": "PGR", "start_date": "2024-2-29"},
        {"student_id": "🎓", "academic_year": "2024/25", "level": "UG", "year_of_study": "2.0"},
        {"student_id": "12345678.0", "academic_year": "2024/25", "level": "UG", "year_of_study": "2.5"},
        {"student_id": "12345678", "academic_year": "2024/25", "level": "UG", "year_of_study": "1e10"},
        {"student_id": None, "academic_year": "2024/25", "level": "UG", "year_of_study": "two"},
        {"student_id": "a'b\\c", "academic_year": None, "level": None, "sex": "=cmd()"},
        {"student_id": "blank year", "academic_year": "20242/25", "level": "UG"},
    ],
    "meetings": [
        {"meeting_id": "m1", "meeting_date": "2024-10-07T10:00:00Z", "mode": "IN PERSON"},
        {"meeting_id": "m2", "meeting_date": "2024-10-07 23:30:00-02:00"},
        {"meeting_id": "m3", "meeting_date": "2024-10-07 24:00:00"},
        {"meeting_id": "m4", "meeting_date": "2024-10-07junk"},
        {"meeting_id": "m5", "meeting_date": "7/10/2024 9:5"},
        {"meeting_id": "m6", "meeting_date": "7/10/24"},
        {"meeting_id": "m7", "meeting_date": "31/04/2024"},
        {"meeting_id": "m8", "meeting_date": "1900-01-01"},
        {"meeting_id": "m9", "meeting_date": "0007-10-07"},
        {"meeting_id": "m10", "meeting_date": "7/10/2024 24:00", "duration_minutes": "-5"},
        {"meeting_id": "m11", "meeting_date": "2031-01-01", "duration_minutes": "601"},
        {"meeting_id": "m11", "meeting_date": "2031-01-01", "duration_minutes": "602"},
        {"meeting_id": "m12", "status": "late" * 40},
        {"meeting_id": "m13", "school_code": "Z", "status": "-2+3"},
        {"meeting_id": None},
    ],
    "feedback": [
        {"response_id": "r1", "trust": "0", "response_date": "2024-11-20"},
        {"response_id": "r2", "trust": "5.", "response_date": "20/11/2024"},
        {"response_id": "r2", "trust": "5.", "response_date": "20/11/2024"},
        {"response_id": "r3", "recalled_meetings": "1_0", "response_date": " 2024-11-20\u00a0"},
    ],
}


def write(folder: Path, students: int = 1000, years: int = 1) -> Path:
    """Write the extracts as Parquet, each table in one to three files; returns the sources.toml."""
    generate(folder / "csv", students=students, years=years, seed=5)
    mapped = sources.load(folder / "csv" / "sources.toml")
    lines = ['university = "Example"', "example = true", f"as_of = {mapped.as_of}", ""]
    with duckdb.connect() as con:
        extract(con, mapped, DEFINITIONS, Settings())
        for table in DEFINITIONS.tables.values():
            made = con.execute(f"select * exclude (source_row) from raw_{table.name} order by source_file, source_row")
            rows = made.df().astype(object).where(lambda each: each.notna(), None).to_dict("records")
            files = sorted({row["source_file"] for row in rows})
            for number, file in enumerate(files):
                own = [{c: row[c] for c in table.columns} for row in rows if row["source_file"] == file]
                if number == 0:
                    own = _awkward(table.name, own) + own
                schema = pa.schema([(c, pa.string()) for c in table.columns])
                pq.write_table(pa.Table.from_pylist(own, schema=schema), folder / f"{table.name}-{number}.parquet")
            formats = json.dumps(list(mapped.of(table).date_formats))
            lines += [f"[tables.{table.name}]", f'files = ["{table.name}-*.parquet"]', f"date_formats = {formats}", ""]
    (folder / "sources.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder / "sources.toml"


def few_characteristics(folder: Path) -> Path:
    """The definitions with as many characteristics as a comparison needs, in a folder of their own."""
    shutil.copytree(definition_files.FOLDER, folder)
    file = folder / "characteristics.toml"
    first, *entries = re.split(r"(?m)^(?=\[)", file.read_text(encoding="utf-8"))
    few = [entry for entry in entries if entry.startswith(tuple(f"[{name}]" for name in FEW))]
    file.write_text("".join([first, *few]), encoding="utf-8")
    return folder


def _awkward(table: str, rows: Rows) -> Rows:
    """Awkward rows: those above, some exactly twice, some with the same key twice, one blank."""
    twice = [rows[1], rows[1] | {"tutor_id": "another"} if "tutor_id" in rows[1] else rows[1]]
    plain = table in ("schools", "calendar")
    return [rows[0]] * 2 if plain else [*AWKWARD.get(table, []), rows[0], rows[0], *twice, {}]


def typed(path: Path) -> None:
    """A Parquet file of meetings whose columns are numbers, dates and times, as data frames write them."""
    pq.write_table(
        pa.table(
            {
                "meeting_id": pa.array([1.0, 12345678.0, None, float("nan"), 1e15]),
                "student_id": pa.array([1, 2, 3, 4, 5], pa.int64()),
                "tutor_id": pa.array([1.5, 0.25, 100.0, -7.0, None], pa.float32()),
                "meeting_date": pa.array([date(2024, 2, 29), None, date(1999, 1, 1), date(2024, 1, 1), None]),
                "mode": pa.array(["Online", "ONLINE", " online ", "", None]),
                "status": pa.array([datetime(2024, 2, 29, 12, 30)] * 5, pa.timestamp("us")),
                "duration_minutes": pa.array([True, False, None, True, False]),
            }
        ),
        path,
    )
