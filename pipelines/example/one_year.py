"""One academic year of the example: drawn and written piece by piece, so that memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.example import tables
from pipelines.example.academic_years import AcademicYear
from pipelines.example.contact import contact
from pipelines.example.mess import FileCounts, spoil
from pipelines.example.planted import Effects
from pipelines.example.students import Columns, take
from pipelines.example.truth import YearTruth
from pipelines.example.tutors import Tutors
from pipelines.example.voice import voice
from pipelines.example.write import BRITISH, ISO, CsvExtract, Style

PIECE = 100_000  # enrolments worked on at once


@dataclass(frozen=True)
class Conventions:
    """How the systems wrote a year's files."""

    enrolments: Style
    meetings: Style
    spelling: int  # which of a code's spellings


def conventions(position: int, years: int) -> Conventions:
    """The systems changed half way through the years; the oldest files come from an archive."""
    dates = BRITISH if position < years / 2 else ISO
    if position == 0:
        return Conventions(Style(dates, delimiter=";", encoding="cp1252"), Style(dates, zipped=True), 0)
    return Conventions(Style(dates), Style(dates), 0 if dates == BRITISH else 1)


def write_year(
    out: Path, seed: int, year: AcademicYear, how: Conventions, effects: Effects, tutors: Tutors,
    enrolments: Columns, survey: tuple[CsvExtract, FileCounts],
) -> tuple[YearTruth, list[FileCounts]]:  # fmt: skip
    """Write a year's enrolments and meetings, and append its responses to `survey`.

    Returns the year's true gaps and what the two files hold.
    """
    truth = YearTruth(year)
    enrolled = FileCounts(f"enrolments_{year.file_label}.csv", "enrolments")
    met = FileCounts(f"meetings_{year.file_label}.csv{'.gz' if how.meetings.zipped else ''}", "meetings")
    survey_file, answered = survey
    first_meeting, first_response = 1, 1
    with (
        CsvExtract(out / enrolled.file, "enrolments", how.enrolments) as enrolment_file,
        CsvExtract(out / met.file, "meetings", how.meetings) as meeting_file,
    ):
        for number, start in enumerate(range(0, len(enrolments["number"]), PIECE)):
            rng = np.random.default_rng([seed, 4, year.starts_in, number])
            piece = take(enrolments, slice(start, start + PIECE))
            contacts = contact(rng, seed, effects, tutors, piece, year)
            answers = voice(rng, effects, tutors, piece, contacts.held, year)
            truth.add(piece, contacts, answers)

            dates = how.enrolments.dates
            table = tables.enrolments(piece, tutors, year, dates)
            enrolment_file.write(spoil(rng, table, year, dates, enrolled))

            dates = how.meetings.dates
            table = tables.meetings(rng, contacts.record, piece, tutors, year, dates, how.spelling, first_meeting)
            meeting_file.write(spoil(rng, table, year, dates, met))
            first_meeting += len(table)

            table = tables.feedback(answers.responses, piece, year, first_response)
            survey_file.write(spoil(rng, table, year, ISO, answered))
            first_response += len(table)
    return truth, [enrolled, met]
