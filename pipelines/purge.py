"""Purge: take the student-level data of earlier years out of the warehouse, and prove by its bytes that it is gone.

A row that DuckDB deletes stays readable in the file's bytes. So a new warehouse is written from the rows that are
kept, uncompressed; every file that will lie in the folder is scanned for every pseudonym that occurs in removed rows
only; and when none is found, the new file replaces the old.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipelines import bytescan, sources, unchanged, warehouse
from pipelines import definitions as definition_files
from pipelines.disclosure import ledger
from pipelines.extract import extract
from pipelines.progress import Progress
from pipelines.pseudonymise import pseudonymise
from pipelines.readers.mapping import is_url, literal
from pipelines.settings import Settings
from pipelines.years import BEFORE_TEACHING, academic_year, first_year

# about schools, years and files, never about people: kept whole
OF_NO_PERSON = {
    "input_schools", "input_calendar", "input_standards", "stg_schools", "stg_calendar", "stg_standards", "mart_unit",
    "mart_period", "mart_counted", "check_result", "extract_file", "reconciliation", "quarantine_summary",
}  # fmt: skip
NO_YEAR = "year not known"
WITHOUT_YEARS = (warehouse.QUARANTINE_OF_CHECK, warehouse.LAST_ERROR)  # may quote rows, and do not say of which year
SPARK = "spark"  # folder of the tables of a run on Spark

# a meeting's year is that of the enrolment it counts for, else that of its date
_MEETINGS = """(
    select m.*, coalesce(s.academic_year, c.academic_year) as academic_year
    from old.input_meetings as m
    left join (select distinct meeting_id, student_id, academic_year from old.stg_meetings) as s
        on s.meeting_id = m.meeting_id and s.student_id = m.student_id
    left join old.stg_calendar as c on c.year_begins <= m.meeting_date and m.meeting_date < c.year_ends
)"""
_ROWS_READ = " union all ".join(
    f"select '{table}' as table_name, source_file, source_row, academic_year from {rows}"
    for table, rows in {
        **{name: f"old.input_{name}" for name in ("calendar", "standards", "tutors", "enrolments", "feedback")},
        "meetings": f"{_MEETINGS} as m",
    }.items()
)
_YEARS_BEGIN = f"select academic_year, teaching_start - {BEFORE_TEACHING} as year_begins from input_calendar"

YearsOf = dict[str, Counter[str]]  # rows by academic year, of each table or file


class PurgeError(Exception):
    """The purge could not be done, or not be proved; the message says why. `warehouse.duckdb` is as it was."""


@dataclass
class Purged:
    """What a purge did: rows removed, files removed whole, pseudonyms looked for, and the files they were sought in;
    and whether there was anything to purge at all.
    """

    removed: YearsOf = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    cells: int = 0  # with exact counts that no release shows, of all ledgers
    pseudonyms: int = 0
    scanned: list[Path] = field(default_factory=list)
    bytes_scanned: int = 0
    had_spark: bool = False  # tables of runs on Spark

    @property
    def had_warehouse(self) -> bool:
        """Whether there was a warehouse of DuckDB: the one that takes its place is scanned."""
        return bool(self.scanned)


@dataclass(frozen=True)
class Remaining:
    """What the extracts still hold: rows of earlier years by file, and files that no table of the mapping takes."""

    rows: YearsOf
    unmapped: list[str]


def purge(before: int, settings: Settings, progress: Progress) -> Purged:
    """Remove the student-level data of the academic years before the one that begins in `before`.

    A row whose year cannot be told may be of an earlier year, so it goes too. Call it with the run's lock held.
    Raises PurgeError; then `warehouse.duckdb` is as it was, while what goes whole may be gone already.
    """
    done = Purged()
    if settings.work and is_url(settings.work):
        raise PurgeError(
            f"Tables of students of all years may lie at {settings.work} (the setting 'work' of Spark), where a purge "
            f"does not reach. Remove the folders {settings.runs}… there, and purge again without that setting."
        )
    for name in WITHOUT_YEARS:
        if (settings.warehouse / name).is_file():
            (settings.warehouse / name).unlink()
            done.files.append(name)
    if (settings.warehouse / SPARK).is_dir():
        shutil.rmtree(settings.warehouse / SPARK)
        done.files.append(SPARK)
        done.had_spark = True
    for folder in settings.work.glob(f"{settings.runs}*") if settings.work else ():
        shutil.rmtree(folder)
        done.files.append(str(folder))
        done.had_spark = True
    old = settings.warehouse / warehouse.NAME
    if not old.is_file():
        if (settings.warehouse / warehouse.QUARANTINE).is_file():  # of a run that its checks stopped
            (settings.warehouse / warehouse.QUARANTINE).unlink()
            done.files.append(warehouse.QUARANTINE)
        done.cells = ledger.forget(settings.warehouse, academic_year(before))
        return done
    wanted = bytescan.Secrets()

    def prove() -> None:
        with progress.step("scan", "look for what was removed, byte by byte"):
            _prove(settings, wanted, done)

    with warehouse.open_new(settings, proof=prove) as con:
        with progress.step("purge", f"a new warehouse without the years before {academic_year(before)}"):
            con.execute("set force_compression = 'uncompressed'")  # else a scan could not read what is in it
            con.execute(f"attach {literal(str(old))} as old (read_only)")
            (latest,) = con.execute("select max(academic_year) from old.input_calendar").fetchall()[0]
            if latest and before > first_year(latest) + 1:
                raise PurgeError(
                    f"The calendar ends with {latest}: there is no {academic_year(before)} to keep. To remove every "
                    f"year, say --before {first_year(latest) + 1}."
                )
            done.removed = _copy(con, before)
            gone = bytescan.pseudonyms(con, _only_in_old(con))
            con.execute("detach old")
            warehouse.write_quarantine(con, settings)
            progress.note(f"{sum(map(Counter.total, done.removed.values())):,} rows removed")
        wanted, done.pseudonyms = bytescan.Secrets(gone), len(gone)
    done.cells = ledger.forget(settings.warehouse, academic_year(before))
    return done


def _copy(con: duckdb.DuckDBPyConnection, before: int) -> YearsOf:
    """Copy the rows that are kept from every table of `old`; return those that are not, by table and year."""
    removed: YearsOf = {}
    tables = con.execute("select table_name from duckdb_tables() where database_name = 'old' order by 1").fetchall()
    for (table,) in tables:
        if table == unchanged.TABLE:  # the next run reads every extract again
            continue
        if table in OF_NO_PERSON:
            con.execute(f"create table {table} as select * from old.{table}")
            continue
        rows, year = _with_year(con, table)
        kept = "t.* exclude (academic_year)" if table == "input_meetings" else "t.*"
        con.execute(f"create table {table} as select {kept} from {rows} where {_begins(year)} >= {before}")
        if gone := _earlier(con, rows, year, before, f"'{table}'"):
            removed[table] = Counter({of_year: number for _, of_year, number in gone})
    return removed


def _with_year(con: duckdb.DuckDBPyConnection, table: str) -> tuple[str, str]:
    """SQL for the rows `t` of a table, and for the academic year of each. Raises PurgeError where it has none."""
    columns = {
        name
        for (name,) in con.execute(
            "select column_name from duckdb_columns() where database_name = 'old' and table_name = ?", [table]
        ).fetchall()
    }
    if "academic_year" in columns:
        return f"old.{table} as t", "t.academic_year"
    if "enrolment" in columns:
        return f"old.{table} as t left join old.stg_enrolments as e on e.enrolment = t.enrolment", "e.academic_year"
    if table == "input_meetings":
        return f"{_MEETINGS} as t", "t.academic_year"
    if table == "quarantine":
        of_row = "r.table_name = t.table_name and r.source_file = t.source_file and r.source_row = t.source_row"
        return f"old.quarantine as t left join ({_ROWS_READ}) as r on {of_row}", "r.academic_year"
    raise PurgeError(
        f"The warehouse has a table '{table}' of which a purge cannot tell the years, so nothing was removed. "
        f"Say in pipelines/purge.py how to."
    )


def _only_in_old(con: duckdb.DuckDBPyConnection) -> str:
    """SQL for the pseudonyms, of whomever and whatever, that occur in removed rows and in no kept one."""
    new = con.execute("select current_database()").fetchall()[0][0]
    held = {
        database: " union all ".join(
            [f"select {column} from {database}.{table}" for table, column in bytescan.uuid_columns(con, database)]
            or ["select null::uuid limit 0"]
        )
        for database in ("old", new)
    }
    return f"select * from ({held['old']}) except select * from ({held[new]})"


def _prove(settings: Settings, wanted: bytescan.Secrets, done: Purged) -> None:
    """Scan every file of the folder but the old warehouse, which the new one is about to replace."""
    old = settings.warehouse / warehouse.NAME
    files = sorted(path for path in settings.warehouse.rglob("*") if path.is_file() and path != old)
    done.bytes_scanned = sum(path.stat().st_size for path in files)
    done.scanned = [old if path.name == warehouse.UNFINISHED else path for path in files]
    hits = bytescan.scan(files, wanted)
    if not hits:
        return
    found = "\n".join(
        f"- {'the new warehouse' if hit.file.name == warehouse.UNFINISHED else hit.file}: {hit.number:,} times, "
        f"first at byte {hit.first:,}"
        for hit in hits
    )
    raise PurgeError(
        f"Pseudonyms of people who should be gone are still readable:\n{found}\n"
        "The warehouse stays with its rows. If a file named is a copy of your own, delete it and purge again; "
        "if it is the new warehouse, this is a fault of the pipeline: please report it."
    )


def still_in_extracts(sources_file: Path, before: int, settings: Settings) -> Remaining:
    """Which extracts still hold people's rows of earlier years. Raises InputError where they cannot be read.

    They are read as a run reads them, with a key that is thrown away, and nothing of them is kept.
    """
    definitions = definition_files.load(settings.definitions)
    mapped = sources.load(sources_file)
    rows: YearsOf = {}
    with warehouse.open_new(settings, keep=False) as con:
        extracted = extract(con, mapped, definitions, settings)
        pseudonymise(con, definitions, extracted, secrets.token_bytes(32))
        for table in definitions.tables.values():
            if not any(column.type == "identifier" for column in table.columns.values()):
                continue
            source, year = f"input_{table.name} as t", "t.academic_year"
            if "academic_year" not in table.columns:  # the year that has begun by that date
                source += f" asof left join ({_YEARS_BEGIN}) as c on c.year_begins <= t.meeting_date"
                year = "c.academic_year"
            for file, of_year, number in _earlier(con, source, year, before, "t.source_file"):
                rows.setdefault(file, Counter())[of_year] += number
    return Remaining(rows, extracted.untaken)


def _earlier(con: duckdb.DuckDBPyConnection, rows: str, year: str, before: int, by: str) -> list[tuple[str, str, int]]:
    """How many of some rows are of earlier years or of none that is known, by `by` and academic year."""
    return con.execute(f"""
        select {by}, case when {_begins(year)} is null then '{NO_YEAR}' else {year} end as of_year, count(*)
        from {rows}
        where {_begins(year)} is null or {_begins(year)} < {before}
        group by all
        order by all
    """).fetchall()


def _begins(year: str) -> str:
    """SQL for the year in which an academic year begins; null where it is not written as one."""
    return f"try_cast(regexp_extract({year}, '^([0-9]{{4}})/[0-9]{{2}}$', 1) as integer)"
