"""A fictional university whose extracts are as messy as real ones, with planted truths to find again.

`generate` writes the extracts and the sources.toml that maps them. What is planted, and what is injected,
goes to truth/ for tests to read; the pipeline never does.
"""

from __future__ import annotations

import shutil
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.errors import InputError
from pipelines.example import mapping, planted, truth
from pipelines.example.academic_years import AcademicYear, academic_years
from pipelines.example.mess import FileCounts, rows_by_table
from pipelines.example.one_year import conventions, write_year
from pipelines.example.small_tables import write_small_tables, write_tutors
from pipelines.example.students import Columns, enrolments_of, first_year, next_year
from pipelines.example.tutors import Tutors, appoint, turn_over
from pipelines.example.university import level_shares
from pipelines.example.write import CsvExtract, Style

__all__ = ["Summary", "generate"]

SOURCES = "sources.toml"
FEWEST_STUDENTS = 1_000  # with fewer, schools would be left without students
OURS = (
    SOURCES, "departments.csv", "term_dates.csv", "tutoring_standards.xlsx", "tutors_*.xlsx",
    "enrolments_*.csv", "meetings_*.csv", "meetings_*.csv.gz", "tutoring_survey.csv",
)  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """What was written."""

    sources: Path  # the sources.toml
    rows: dict[str, int]  # rows in the extracts, by table


def generate(out: Path, students: int = 38_000, years: int = 5, seed: int = 2026) -> Summary:
    """Write the example university's extracts, sources.toml and truth/ into the folder `out`.

    `students`: enrolments in each year. `years`: whole years, the last being 2025/26; the year in progress
    comes on top. The same three numbers always give the same bytes. An earlier example in `out` is replaced
    once the new one is complete.

    Raises InputError for too small a university, and where `out` holds extracts that are not the example's.
    """
    if students < FEWEST_STUDENTS or years < 1:
        raise InputError(f"The example needs at least {FEWEST_STUDENTS:,} students a year and one whole year.")
    _refuse_real_data(out)
    unfinished = out / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "truth").mkdir(parents=True)
    rows = _write(unfinished, students, years, seed)
    # The mapping is replaced first and never missing, so that the folder can always be told for an example.
    for path in _ours(out):
        if path.name != SOURCES:
            path.unlink()
    shutil.rmtree(out / "truth", ignore_errors=True)
    for path in sorted(unfinished.iterdir(), key=lambda path: path.name != SOURCES):
        path.replace(out / path.name)
    unfinished.rmdir()
    return Summary(out / SOURCES, rows)


def _write(out: Path, students: int, years: int, seed: int) -> dict[str, int]:
    """Write everything into an empty folder. Returns the rows of each table."""
    calendar = academic_years(years)
    effects = planted.draw(seed)
    files = write_small_tables(out, calendar)
    gaps: list[dict[str, Any]] = []
    staff: list[tuple[AcademicYear, Tutors]] = []
    people: Columns | None = None
    answered = FileCounts("tutoring_survey.csv", "feedback")
    with CsvExtract(out / answered.file, "feedback", Style(encoding="utf-8-sig", quoted=True)) as survey:
        for position, year in enumerate(calendar):
            rng = np.random.default_rng([seed, 3, year.starts_in])
            if people is None:
                tutors = appoint(rng, effects, students * level_shares().sum(axis=1))
                people = first_year(rng, effects, tutors, students)
            else:
                tutors = turn_over(rng, tutors)
                people = next_year(rng, effects, tutors, students, people)
            staff.append((year, tutors))
            enrolments = enrolments_of(people, year, rng)
            how = conventions(position, len(calendar))
            found, written = write_year(out, seed, year, how, effects, tutors, enrolments, (survey, answered))
            files += [write_tutors(out, year, tutors), *written]
            if not year.in_progress:
                gaps += found.gaps()
    files.append(answered)

    truth.write_tables(out / "truth", gaps, effects, staff)
    asked = {"students": students, "years": years, "seed": seed}
    truth.write_planted(out / "truth", asked, calendar, files)
    (out / SOURCES).write_text(mapping.TEXT, encoding="utf-8")
    return rows_by_table(files)


def _ours(out: Path) -> list[Path]:
    return [path for pattern in OURS for path in out.glob(pattern)]


def _refuse_real_data(out: Path) -> None:
    example = False
    with suppress(FileNotFoundError, tomllib.TOMLDecodeError):
        example = bool(tomllib.loads((out / SOURCES).read_text(encoding="utf-8")).get("example"))
    if _ours(out) and not example:
        raise InputError(f"{out} holds extracts that are not the example's: choose another folder with --out.")
