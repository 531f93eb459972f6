"""Swapped: files of meetings in part of which day and month have changed places, as spreadsheets do to dates.

A spreadsheet that takes 03/10/2025 for 10 March does so with days up to the 12th alone: dates after the 12th stay what
they are, and tell when the meetings of the file were.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipelines.definitions import Definitions
from pipelines.engines import Connection
from pipelines.noticed import MOST_PLACES, Noticed, listed
from pipelines.settings import Settings

LAST_MONTH = 12  # a day after it is no month
BULK = (0.02, 0.98)  # of the rows after the 12th: between these is the file's own span
BESIDE = pd.Timedelta(days=21)  # what may lie before and after it
FEWEST_ROWS = 5  # that are suspicious, and that a span rests on
FEWEST_MONTHS = 3  # that they are of: days become months, while a week of real meetings is of one
MOST_OF_FILE = 0.02


@dataclass(frozen=True)
class Swapped:
    """A file, how many of its dates seem to have day and month swapped, and of how many."""

    file: str
    rows: int
    of: int


def look(con: Connection, definitions: Definitions, given: frozenset[str], settings: Settings) -> list[Noticed]:
    """Whether files of meetings have dates with day and month swapped; before any row is set aside, as a meeting in the
    future may be one.
    """
    counts = con.execute("""
        select source_file, meeting_date, count(*) as counted
        from input_meetings where meeting_date is not null
        group by source_file, meeting_date
        order by source_file, meeting_date
    """).df()
    found = swapped(counts)
    return [
        Noticed(
            "meetings.day_and_month_in_order",
            "meeting_date",
            f"Of each file at most {MOST_OF_FILE:.0%} of dates lie outside the rest of the file where they would lie "
            "inside with day and month swapped.",
            tuple(in_words(found)),
            listed([f"{each.file}: {each.rows / each.of:.1%}" for each in found]) or None,
        )
    ]


def swapped(counts: pd.DataFrame) -> list[Swapped]:
    """The files with dates that seem to be swapped. counts: source_file, meeting_date, counted (rows)."""
    dated = counts.assign(meeting_date=pd.to_datetime(counts["meeting_date"]))
    found = [_of_file(str(file), own) for file, own in dated.groupby("source_file")]
    return [each for each in found if each]


def in_words(found: list[Swapped]) -> list[str]:
    """A sentence for each file, at most five, and one for the rest."""
    said = [
        f"meetings: {each.rows:,} of {each.of:,} dates in {each.file} lie outside the rest of the file and would lie "
        "inside with day and month swapped. Export it again with dates as text, year first."
        for each in found[:MOST_PLACES]
    ]
    more = len(found) - MOST_PLACES
    return [*said, f"meetings: It is so in {more:,} more {'files' if more > 1 else 'file'}."] if more > 0 else said


def _of_file(file: str, counts: pd.DataFrame) -> Swapped | None:
    days, rows = counts["meeting_date"], counts["counted"]
    after = days.dt.day > LAST_MONTH
    if rows[after].sum() < FEWEST_ROWS:
        return None
    first, last = _span(days[after], rows[after])
    parts = pd.DataFrame({"year": days.dt.year, "month": days.dt.day, "day": days.dt.month})
    other = pd.to_datetime(parts.where(~after)).dt.normalize()
    wrong = ~after & ~days.between(first, last) & other.between(first, last)
    suspicious, total = int(rows[wrong].sum()), int(rows.sum())
    is_many = suspicious >= FEWEST_ROWS and suspicious > MOST_OF_FILE * total
    return Swapped(file, suspicious, total) if is_many and days[wrong].dt.month.nunique() >= FEWEST_MONTHS else None


def _span(days: pd.Series, rows: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Between which days nearly all of the rows lie, and somewhat more. days: in order."""
    passed = rows.cumsum() / rows.sum()
    first, last = (days[passed >= share].iloc[0] for share in BULK)
    return first - BESIDE, last + BESIDE
