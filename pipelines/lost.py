"""Lost: files that have fewer rows than when the figures in force were made, or are gone, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines import publish
from pipelines.catalogue import Source
from pipelines.extract import ExtractedFile
from pipelines.settings import Settings

MOST_OF = 0.95  # of the rows that a file had: with fewer it may have been cut off

Rows = Mapping[tuple[str, str], int]  # of each table and file


def lost(files: Iterable[ExtractedFile], source: Source, settings: Settings) -> list[str]:
    """A sentence for each file that has clearly fewer rows than the release in force counts of it, and for each table
    that has fewer rows in all as files of it have gone. None where the release is of other data.

    files: what was read now.
    """
    with publish.in_force(settings) as con:
        if con is None or con.execute("select university, source from release").fetchall() != [source.named]:
            return []
        counted = con.execute("select table_name, file, rows_read from reconciliation").fetchall()
    before = {(table, file): rows for table, file, rows in counted}
    now = {(file.table, file.file): file.rows_read for file in files}
    return [f"{said} Export it again where that is not meant." for said in _told(before, now)]


def _told(before: Rows, now: Rows) -> Iterator[str]:
    for (table, file), had in before.items():
        if (table, file) in now and now[table, file] < MOST_OF * had:
            yield (
                f"{file} ({table}) has {now[table, file]:,} rows, and had {had:,} when the figures in force were made."
            )
    for table in dict.fromkeys(table for table, _ in before):
        rows, had = (sum(count for (of, _), count in files.items() if of == table) for files in (now, before))
        gone = [file for of, file in before if of == table and (of, file) not in now]
        if gone and rows < had:
            yield (
                f"{', '.join(gone)} ({table}), read for the figures in force, {'is' if len(gone) == 1 else 'are'} not "
                f"there now; the table has {rows:,} rows, and had {had:,}."
            )
