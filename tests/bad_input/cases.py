"""Kinds of bad input, and what becomes of each: a named error, rows set aside, or nothing at all.

Every case starts from the tiny university and spoils one thing. `expect` says how a run ends:

- "error": reading stops with an InputError whose message holds `message`
- "quarantine": the run goes on; `rows` rows of `table` are set aside. `message` is in their rule if they
  are no rows at all (extract rejects them), else they are left for the expectation called `rule`
- "loads": the run goes on and every row is read (`rows` of them, where that is not as many as before), just as if
  nothing had been spoilt but for the column `changes`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.bad_input.spoil import (
    Spoil,
    bytes_of,
    cell,
    mapped,
    parquet,
    removed,
    renamed,
    replaced,
    rows_of,
    without,
    workbook,
    zipped,
)


@dataclass(frozen=True)
class Case:
    """One kind of bad input."""

    name: str
    spoil: Spoil
    expect: Literal["error", "quarantine", "loads"]
    table: str = "meetings"
    message: str = ""
    rule: str = ""
    rows: int | None = None
    changes: str = ""

    @property
    def is_read_as_before(self) -> bool:
        """Whether what follows the reading is no other than without the case."""
        return self.expect == "loads" and self.rows is None and not self.changes

    def __str__(self) -> str:
        return self.name


LINE = "M00003,S0004,T4,03/10/2024,Teams,attended,"

CASES = [
    # files that cannot be read
    Case("truncated gzip", zipped(lambda b: b[: len(b) // 2]), "error", message="is cut off"),
    Case("damaged gzip", zipped(lambda b: b[:-8] + bytes(4) + b[-4:]), "error", message="is damaged"),
    Case("empty file", bytes_of("meetings.csv", lambda b: b""), "error", message="is empty"),
    Case("only blank lines", bytes_of("meetings.csv", lambda b: b"\n\n"), "error", message="is empty"),
    Case("missing file", removed("enrolments.csv"), "error", "enrolments", "no file matches"),
    Case(
        "unknown ending",
        mapped('[tables.tutors]\nfiles = ["tutors.csv.zip"]', renamed("tutors.csv", "tutors.csv.zip")),
        "error",
        "tutors",
        "is of no kind that can be read",
    ),
    Case(
        "pattern without a match", mapped('[tables.tutors]\nfiles = ["staff_*.csv"]'), "error", "tutors", "staff_*.csv"
    ),
    Case(
        "spreadsheet called CSV",
        mapped("", workbook("tutors"), renamed("tutors.xlsx", "tutors.csv")),
        "error",
        "tutors",
        "a spreadsheet",
    ),
    Case("CSV called spreadsheet", renamed("tutors.csv", "tutors.xlsx"), "error", "tutors", "not a whole spreadsheet"),
    Case("CSV called Parquet", renamed("tutors.csv", "tutors.parquet"), "error", "tutors", "not a whole Parquet"),
    Case(
        "renamed sheet",
        mapped('[tables.tutors]\nsheet = "Tutors"', workbook("tutors", "Tutors 2024")),
        "error",
        "tutors",
        "Did you mean 'Tutors 2024'?",
    ),
    # encodings
    Case(
        "wrong encoding named",
        mapped('[tables.enrolments]\nencoding = "utf-8"', rows_of("enrolments", list, encoding="cp1252")),
        "error",
        "enrolments",
        "is not utf-8 throughout",
    ),
    Case("unknown encoding named", mapped('[tables.enrolments]\nencoding = "utf-9"'), "error", "enrolments", "utf-9"),
    Case(
        "two encodings in one file",
        bytes_of("enrolments.csv", lambda b: b.replace("Zoë".encode(), "Zoë".encode("cp1252"), 1)),
        "error",
        "enrolments",
        "mixes encodings",
    ),
    Case(
        "neither UTF-8 nor Windows-1252",
        bytes_of("enrolments.csv", lambda b: b.replace("Zoë".encode(), b"Zo\x91\x81")),
        "error",
        "enrolments",
        "neither UTF-8 nor Windows-1252",
    ),
    Case(
        "NUL bytes",
        bytes_of("meetings.csv", lambda b: b.replace(b"exams", b"ex\0ms", 1)),
        "error",
        message="NUL byte on line 2",
    ),
    Case("Windows-1252", rows_of("enrolments", list, encoding="cp1252", delimiter=";"), "loads", "enrolments"),
    Case("UTF-8 with a mark", rows_of("meetings", list, encoding="utf-8-sig"), "loads"),
    Case("UTF-16", rows_of("enrolments", list, encoding="utf-16", delimiter="\t"), "loads", "enrolments"),
    Case("UTF-16 without a mark", rows_of("enrolments", list, encoding="utf-16-le"), "loads", "enrolments"),
    Case(
        "UTF-16, big end first",
        bytes_of("enrolments.csv", lambda b: b"\xfe\xff" + b.decode().encode("utf-16-be")),
        "loads",
        "enrolments",
    ),
    Case(
        "Mac encoding, named",
        mapped('[tables.enrolments]\nencoding = "mac-roman"', rows_of("enrolments", list, encoding="mac-roman")),
        "loads",
        "enrolments",
    ),
    # columns
    Case("missing column", without("meetings", "Outcome"), "error", message="no column 'Outcome' for 'status'"),
    Case(
        "renamed column",
        replaced("enrolments.csv", "Student ID", "Student Number"),
        "error",
        "enrolments",
        "no column 'student_id'",
    ),
    Case("extra column", rows_of("meetings", lambda rows: [{"Room": "B12", **row} for row in rows]), "loads"),
    Case(
        "columns in another order",
        rows_of("meetings", lambda rows: [dict(reversed(row.items())) for row in rows]),
        "loads",
    ),
    Case(
        "a column twice",
        replaced("meetings.csv", "Notes", "Outcome", 1),
        "error",
        message="more than one column called",
    ),
    Case(
        "no row of column names",
        bytes_of("meetings.csv", lambda b: b.split(b"\n", 1)[1]),
        "error",
        message="no row of column names",
    ),
    Case("header only", bytes_of("feedback.csv", lambda b: b.split(b"\n")[0] + b"\n"), "loads", "feedback", rows=0),
    Case(
        "title rows above the names", bytes_of("meetings.csv", lambda b: b'Report,"by me"\n\nMade today\n' + b), "loads"
    ),
    Case("spreadsheet with title and blank rows", workbook("meetings", titles=3, blank_rows=4), "loads"),
    Case("Parquet", parquet("tutors"), "loads", "tutors"),
    # sources.toml
    Case(
        "misspelt key",
        mapped('[tables.tutors]\nfilez = ["*.csv"]'),
        "error",
        "tutors",
        "Did you mean 'files'?",
    ),
    Case("misspelt table", mapped("[tables.meeting]"), "error", message="Did you mean 'meetings'?"),
    Case(
        "misspelt column",
        mapped('[tables.tutors.columns]\ntutorid = "x"'),
        "error",
        "tutors",
        "Did you mean 'tutor_id'?",
    ),
    Case(
        "code mapped to no value",
        mapped('[tables.enrolments.codes.level]\n"U" = "Undergrad"'),
        "error",
        "enrolments",
        "gives 'Undergrad'",
    ),
    Case(
        "date format that is none",
        mapped('[tables.enrolments]\ndate_formats = ["dd/mm/yyyy"]'),
        "error",
        "enrolments",
        "no date format",
    ),
    Case("not TOML", mapped("[tables.tutors\n"), "error", "tutors", "not valid TOML"),
    # records
    Case(
        "too few fields",
        replaced("meetings.csv", LINE, "M00003,S0004,T4,", 1),
        "quarantine",
        message="fewer fields",
        rule="meetings.whole_records",
        rows=1,
    ),
    Case(
        "too many fields",
        replaced("meetings.csv", LINE, LINE + "a,b,c,", 1),
        "quarantine",
        message="more fields",
        rule="meetings.whole_records",
        rows=1,
    ),
    Case(
        "a field more in every record",
        bytes_of("meetings.csv", lambda b: b.replace(b'steps"', b'steps",x')),
        "error",
        message="do not have 7 fields",
    ),
    Case(
        "quotation mark never closed", replaced("meetings.csv", 'steps"', "steps", 1), "error", message="never closed"
    ),
    Case("stray quotation marks", replaced("meetings.csv", "T4,03/10", 'T"4,03/10', 1), "loads", changes="tutor_id"),
    Case(
        "huge field",
        replaced("meetings.csv", LINE, LINE + "x" * 2_100_000, 1),
        "quarantine",
        message="two million bytes",
        rule="meetings.whole_records",
        rows=1,
    ),
    Case("line breaks in a field", replaced("meetings.csv", "exams, and", "exams,\r\nand"), "loads"),
    Case("blank lines", replaced("meetings.csv", "\r\n", "\r\n\r\n"), "loads"),
    Case("mixed line ends", bytes_of("meetings.csv", lambda b: b.replace(b"\r\n", b"\n", 50)), "loads"),
    Case("old Macintosh line ends", bytes_of("meetings.csv", lambda b: b.replace(b"\r\n", b"\r")), "loads"),
    Case("rows of delimiters only", bytes_of("meetings.csv", lambda b: b + b",,,,,,\r\n" * 3), "loads"),
    Case("formula in a cell", cell("meetings", "Notes", '=HYPERLINK("http://x")'), "loads"),
    # codes
    Case("unmapped codes", cell("meetings", "How", "Zoom", rows=30), "error", message='"Zoom" = "…"'),
    Case(
        "column that holds something else",
        rows_of("meetings", lambda rows: [{**r, "How": f"Room {n}"} for n, r in enumerate(rows)]),
        "error",
        message="seems to hold something else",
    ),
    Case(
        "e-mail in a code column",
        cell("meetings", "How", "zoe@example.org", rows=30),
        "error",
        message="1 value not shown here",
    ),
    Case("codes with spaces and other case", cell("meetings", "How", " f2f  ", rows=50), "loads", changes="mode"),
    # values left for the check
    Case("a few unmapped codes", cell("meetings", "How", "Zoom"), "quarantine", rule="meetings.mode_in_list", rows=1),
    Case(
        "impossible date",
        cell("meetings", "Date", "31/02/2025"),
        "quarantine",
        rule="meetings.meeting_date_readable",
        rows=1,
    ),
    Case(
        "month before day",
        cell("meetings", "Date", "10/31/2024"),
        "quarantine",
        rule="meetings.meeting_date_readable",
        rows=1,
    ),
    Case(
        "date long ago",
        cell("meetings", "Date", "01/10/0024"),
        "quarantine",
        rule="meetings.meeting_date_readable",
        rows=1,
    ),
    Case(
        "mixed date formats", cell("meetings", "Date", "2024-10-01T09:30:00", rows=20), "loads", changes="meeting_date"
    ),
    Case(
        "formula as a date",
        cell("meetings", "Date", "=TODAY()"),
        "quarantine",
        rule="meetings.meeting_date_readable",
        rows=1,
    ),
    Case("Likert 0", cell("feedback", "trust", "0"), "quarantine", "feedback", rule="feedback.trust_range", rows=1),
    Case("Likert 6", cell("feedback", "trust", "6"), "quarantine", "feedback", rule="feedback.trust_range", rows=1),
    Case(
        "Likert three and a half",
        cell("feedback", "trust", "3.5"),
        "quarantine",
        "feedback",
        rule="feedback.trust_readable",
        rows=1,
    ),
    Case("integers with a decimal", cell("feedback", "trust", "4.0", rows=16), "loads", "feedback", changes="trust"),
    Case("negative number", cell("tutors", "fte", "-0.5"), "quarantine", "tutors", rule="tutors.fte_range", rows=1),
    Case(
        "blank student",
        cell("meetings", "Student Number", "  "),
        "quarantine",
        rule="meetings.student_id_given",
        rows=1,
    ),
    Case(
        "orphan meeting",
        cell("meetings", "Student Number", "S9999"),
        "quarantine",
        rule="meetings.enrolment_found",
        rows=1,
    ),
    Case(
        "unknown school",
        cell("tutors", "school_code", "ZZZ"),
        "quarantine",
        "tutors",
        rule="tutors.school_known",
        rows=1,
    ),
    Case(
        "same key twice",
        cell("meetings", "Meeting No", "M00040", rows=1),
        "quarantine",
        rule="meetings.key_unique",
        rows=1,
    ),
]
