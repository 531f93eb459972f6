"""The command line: python -m pipelines example | run | check | status | rollback | audit | purge."""

from __future__ import annotations

import argparse
import os
import re
import resource
import sys
import tomllib
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipelines import publish
from pipelines.definitions import DefinitionError
from pipelines.progress import Progress
from pipelines.settings import Rules, SettingError, Settings
from pipelines.years import academic_year, first_year

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.check import CheckOutcome

SOURCES = "sources.toml"
CHOSEN = ("engine", "master", "work")  # settings that an option may give
# the kinds of DuckDB's messages that speak of SQL, memory and files; the others quote values of rows
QUOTES_NO_ROW = re.compile(r"\b(Binder|Catalog|Parser|Not implemented|Out of Memory|IO|Permission) Error: [^\n]*")


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 the data or a setting stops it, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    from pipelines.attack import AttackError
    from pipelines.check import CheckFailed
    from pipelines.errors import InputError
    from pipelines.purge import PurgeError

    settings, progress = None, Progress()
    try:
        settings = Settings(**{name: value for name in CHOSEN if (value := getattr(options, name, None))})
        return int(options.command(options, settings, progress))
    except (
        InputError,
        CheckFailed,
        AttackError,
        PurgeError,
        publish.ReleaseError,
        DefinitionError,
        SettingError,
    ) as error:
        print(f"\n{error}", file=sys.stderr)
    except tomllib.TOMLDecodeError as error:
        print(f"\nsettings.toml is not valid TOML: {error}", file=sys.stderr)
    except ValidationError as error:
        problems = "\n".join(f"  {_in_words(e['loc'], e['type'], e['msg'])}" for e in error.errors())
        print(f"\nA setting (settings.toml or APT_… in the environment) is wrong:\n{problems}", file=sys.stderr)
    except Exception as error:
        step = f"in the step '{progress.under_way}'" if progress.under_way else f"in '{options.name}'"
        print(f"\nStopped {step}: {_cause(error)}\n{_details(options, settings)}", file=sys.stderr)
    return 1


def _in_words(place: tuple[int | str, ...], kind: str, message: str) -> str:
    """What is wrong with a setting."""
    from pipelines.errors import did_you_mean

    if kind == "extra_forbidden":
        known = [*Settings.model_fields, *Rules.model_fields]
        message = f"there is no such setting.{did_you_mean(str(place[-1]), known)}"
    return f"{'.'.join(map(str, place))}: {message}"


def _cause(error: Exception) -> str:
    """Why an error stopped a command, in one line that quotes no value of a row."""
    from pipelines.engines import EngineError, ExpectationError
    from pipelines.models import ModelError
    from pipelines.reconciliation import ReconciliationError

    if isinstance(error, ReconciliationError | EngineError):
        return str(error)
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or type(error).__name__}{place}."
    found = QUOTES_NO_ROW.search(str(error))
    reason = found[0] if found else type(error.__cause__ or error).__name__
    if isinstance(error, ModelError | ExpectationError):
        what = re.match(r"(there is no )?(model|expectation) \S+", str(error))
        return f"{what[0] if what else type(error).__name__} could not be evaluated ({reason})."
    if type(error).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        return f"DuckDB could not go on ({reason})."
    return f"something unforeseen ({type(error).__name__})."


def _details(options: argparse.Namespace, settings: Settings | None) -> str:
    """The traceback of the error being handled, or where it is kept: it may quote rows."""
    details = traceback.format_exc()
    if options.verbose or os.environ.get("APT_DEBUG") == "1":
        return details
    try:
        if settings:
            from pipelines import warehouse

            return f"Details, with the traceback: {warehouse.write_last_error(settings, details)} (restricted)."
    except OSError:  # a full disk, perhaps the reason itself
        pass
    return "Details, with the traceback: run the same command with --verbose."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="name")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--verbose", action="store_true", help="show an error's traceback and SQL (may quote rows)")

    example = commands.add_parser("example", parents=[shared], help="write the extracts of a fictional university")
    example.add_argument("--students", type=int, default=38_000, help="enrolments a year (default 38000)")
    example.add_argument("--years", type=int, default=5, help="whole years before the one in progress (default 5)")
    example.add_argument("--seed", type=int, default=2026, help="same seed, same files (default 2026)")
    example.add_argument("--out", type=Path, help="folder to write to (default data/example)")
    example.set_defaults(command=_example)

    for name, command, says in (
        ("run", _run, "make and publish a release from the extracts"),
        ("check", _check, "run the checks alone; exit 1 on a critical failure"),
    ):
        sub = commands.add_parser(name, parents=[shared], help=says)
        sub.add_argument(
            "--sources",
            type=Path,
            help="the sources.toml that maps the extracts (default: data/inbox/sources.toml)",
        )
        sub.add_argument("--engine", help="what takes in and models the extracts: duckdb (default) or spark")
        sub.add_argument("--master", metavar="URL", help="of the Spark cluster: spark://host:7077")
        sub.add_argument("--work", metavar="URL", help="where Spark keeps its tables, a path or s3a://… of all workers")
        sub.add_argument(
            "--full",
            action="store_true",
            help="read and count everything again, also what has not changed since the last run",
        )
        sub.set_defaults(command=command)
        if command is _run:
            sub.add_argument(
                "--revise", action="append", default=[], metavar="YEAR",
                help="publish an academic year anew that was published before: 2024/25, or all (may be given again)",
            )  # fmt: skip

    status = commands.add_parser("status", parents=[shared], help="list the releases and say which is in force")
    status.set_defaults(command=_status)
    rollback = commands.add_parser("rollback", parents=[shared], help="put an earlier release back in force")
    rollback.add_argument("release", metavar="RELEASE")
    rollback.set_defaults(command=_rollback)

    purge = commands.add_parser(
        "purge",
        parents=[shared],
        help="remove the student-level data of earlier years from the warehouse, and prove it",
    )
    purge.add_argument(
        "--before", required=True, type=_year, metavar="YEAR", help="the first academic year to keep: 2023/24, or 2023"
    )
    purge.add_argument("--sources", type=Path, help="the sources.toml of the extracts to look into, as for run")
    purge.set_defaults(command=_purge)

    log = commands.add_parser("audit", parents=[shared], help="the dashboard's audit log: who saw or took what")
    log.add_argument("--verify", action="store_true", help="find any edited, removed or moved line; exit 1 if there is")
    log.add_argument("--anchor", default="", metavar="N:HASH", help="what an earlier --verify printed, kept elsewhere")
    log.add_argument("--last", type=int, default=20, help="how many records to show without --verify (default 20)")
    log.set_defaults(command=_audit)
    return parser


def _example(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    from pipelines.example import generate

    out = options.out or settings.example
    with progress.step("example", "a fictional university"):
        made = generate(out, students=options.students, years=options.years, seed=options.seed)
        progress.note(f"{sum(made.rows.values()):,} rows")
    command = f".venv/bin/python -m pipelines run --sources {out / SOURCES}"
    progress.say(f"Extracts and {SOURCES} are in {out}. Next: {command}")
    return 0


def _sources(options: argparse.Namespace, settings: Settings) -> Path:
    """The mapping to use: the one named, else the inbox's."""
    from pipelines.errors import InputError

    chosen: Path = options.sources or settings.inbox / SOURCES
    if not chosen.exists():
        raise InputError(
            f"There is no {chosen}. Put your extracts and a {SOURCES} there (docs/sources.md says how), "
            f"or run the example: make example, then "
            f".venv/bin/python -m pipelines run --sources {settings.example / SOURCES}"
        )
    return chosen


def _run(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    from pipelines import warehouse
    from pipelines.disclosure import cost
    from pipelines.run import run

    chosen = _sources(options, settings)
    done = run(chosen, settings, progress, options.revise, options.full)
    counts = done.outcome.tables["reconciliation"][
        ["rows_read", "rows_loaded", "rows_quarantined", "duplicates_dropped"]
    ].sum()
    progress.say("")
    progress.say(
        f"Read {counts.rows_read:,} rows = {counts.rows_loaded:,} loaded + {counts.rows_quarantined:,} quarantined "
        f"+ {counts.duplicates_dropped:,} exact duplicates dropped."
    )
    _say_found(done.outcome, progress)
    progress.say(f"Published {done.safe.cells:,} cells, {done.safe.hidden:,} of them hidden, as {done.release}.")
    progress.say(cost.in_words(done.safe.tables["protection"]))
    if done.decision.differing:
        progress.say(_kept(done.decision.differing, done.in_progress))
    _say_set_aside(done.outcome.tables["check"], progress, "Quarantined")
    if counts.rows_quarantined:
        progress.say(f"Quarantined rows, each with its rule: {settings.warehouse / warehouse.QUARANTINE} (restricted).")
    if done.source.example and not chosen.resolve().is_relative_to(settings.example.resolve()):
        progress.say(
            "These figures are published as an invented university's, which everybody may open without signing in: "
            f"{chosen} says example = true. Take that line out where the extracts are real."
        )
    progress.say(f"Peak memory {_peak_gib():.2f} GiB. Look at it: make dashboard")
    return 0


def _say_found(outcome: CheckOutcome, progress: Progress) -> None:
    """The warnings, files that lost rows first, and what to map."""
    for said in (*(f"Warning: {warning}" for warning in outcome.warnings), *outcome.remarks):
        progress.say(said)


def _say_set_aside(checks: pd.DataFrame, progress: Progress, said: str) -> None:
    """How many rows each rule sets aside."""
    for line in checks[~checks["passed"] & (checks["severity"] == "row-level")].itertuples():
        progress.say(f"{said}, {line.table_name}: {line.rule} ({line.rows_failing:,} rows)")


def _kept(differing: Counter[tuple[str, str]], in_progress: str | None) -> str:
    """Which years stay as published though they would be counted otherwise, in words, and what becomes of that.

    differing: by academic year and part, how many cells.
    """
    years = Counter[str]()
    for (year, _), cells in differing.items():
        years[year] += cells
    first, *rest = sorted(years)
    told = [f"{first} ({years[first]:,} {'cell' if years[first] == 1 else 'cells'})"]
    told += [f"{year} ({years[year]:,})" for year in rest]
    late = (
        f"Late rows of {in_progress}, which is in progress, come with its next week. " if in_progress in years else ""
    )
    return (
        f"Kept as published: {', '.join(told)}. The extracts now count these cells otherwise; publishing them beside "
        f"the earlier release would tell what the corrected rows say. {late}"
        "To publish a year anew all the same: python -m pipelines run --revise YEAR (or all)."
    )


def _check(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    from pipelines import warehouse
    from pipelines.run import check_only

    listed = settings.warehouse / warehouse.QUARANTINE_OF_CHECK
    try:
        outcome = check_only(_sources(options, settings), settings, progress, options.full)
    finally:  # most wanted when the checks fail
        if progress.seconds.get("check") is not None and listed.is_file():
            progress.say(f"Rows that a run would quarantine, each with its rule: {listed} (restricted).")
    checks = outcome.tables["check"]
    _say_found(outcome, progress)
    _say_set_aside(checks, progress, "Would be quarantined")
    progress.say(f"{int(checks['passed'].sum())} of {len(checks)} expectations met; none that stops a release failed.")
    return 0


def _status(_: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    kept, in_force = publish.folders(settings), publish.current(settings)
    if not kept:
        progress.say(f"No release in {settings.published} yet. Make one: make run")
    for release in kept:
        found = publish.damage(settings, release)
        said = ["in force"] if release == in_force else []
        said += [f"damaged: {found}"] if found else []
        progress.say("  ".join([release, ", ".join(said)]).rstrip())
    if in_force and in_force not in kept:
        progress.say(
            f"In force is {in_force!r}, which is not there. Put another in force: python -m pipelines rollback …"
        )
    return 0


def _rollback(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    publish.rollback(settings, options.release)
    progress.say(f"In force: {options.release}")
    return 0


def _year(text: str) -> int:
    try:
        return first_year(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _purge(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    from pipelines.purge import purge

    with publish.only_run(settings):
        done = purge(options.before, settings, progress)
        progress.say("")
        earlier, place = f"of academic years before {academic_year(options.before)}", settings.warehouse
        if not done.had_warehouse and done.had_spark:
            progress.say(f"There is no warehouse of DuckDB in {place}; the tables of runs on Spark went whole.")
        elif not done.had_warehouse:
            progress.say(
                f"There is no warehouse in {place}, so no rows were removed and none were looked for. Is this the data "
                f"folder of the runs (APT_DATA), and may this account read it?"
            )
        elif done.removed:
            progress.say(f"Rows removed from the warehouse in {place}, {earlier}:")
        else:
            progress.say(f"The warehouse in {place} holds no rows {earlier}.")
        if done.cells:
            progress.say(f"Exact counts that no release shows, removed from the ledgers: {done.cells:,} cells.")
        for table, years in done.removed.items():
            progress.say(f"  {table:<20} {_counts(years)}")
        for name in done.files:
            progress.say(f"Removed whole, as it does not say of which years its rows are: {name}.")
        if done.had_warehouse:
            progress.say(
                f"Byte scan: {done.pseudonyms:,} pseudonyms that occurred in removed rows only, looked for in "
                f"{len(done.scanned)} files ({done.bytes_scanned:,} bytes): 0 hits."
            )
        _say_what_extracts_hold(options, settings, progress)
    progress.say(
        "Published releases stay: they hold aggregates only. Backups and copies outside this folder are not touched."
    )
    return 0 if done.had_warehouse or done.had_spark else 1


def _say_what_extracts_hold(options: argparse.Namespace, settings: Settings, progress: Progress) -> None:
    from pipelines.errors import InputError
    from pipelines.purge import NO_YEAR, still_in_extracts

    mapping: Path = options.sources or settings.inbox / SOURCES
    asked = f"academic years before {academic_year(options.before)}"
    if not mapping.is_file():
        progress.say(f"There is no {mapping}, so no extract was looked into. Delete those of {asked} yourself.")
        return
    try:
        found = still_in_extracts(mapping, options.before, settings)
    except InputError as error:
        progress.say(
            f"The extracts of {mapping} could not be read, so look yourself which hold {asked}, and delete them: "
            f"the next run reads whatever is there.\n{error}"
        )
        return
    earlier = {file: years for file, years in found.rows.items() if set(years) != {NO_YEAR}}
    if earlier:
        progress.say(
            f"STILL IN THE EXTRACTS of {mapping}, and back in the warehouse with the next run. "
            "Delete these files, or take those rows out of them:"
        )
    else:
        progress.say(f"The extracts of {mapping} hold no rows that are known to be of {asked}.")
    for file, counted in earlier.items():
        progress.say(f"  {file}: {_counts(counted)}")
    if others := found.rows.keys() - earlier.keys():
        progress.say(f"Rows whose year cannot be told are in {', '.join(sorted(others))} too.")
    if found.unmapped:
        progress.say(f"Not looked into, as no table is mapped to them: {', '.join(found.unmapped)}.")


def _counts(years: Counter[str]) -> str:
    return ", ".join(f"{year}: {rows:,} rows" for year, rows in sorted(years.items()))


def _audit(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    import audit

    folder = settings.data / "audit"
    if not folder.is_dir():  # nor is one made: its owner has to be the dashboard's account
        missing = f"audit log in {folder}" if settings.data.is_dir() else f"data folder {settings.data}"
        progress.say(
            f"There is no {missing}, so nothing was looked at. Is this the data folder of the dashboard (APT_DATA), "
            f"and may this account read it?"
        )
        return 1
    if not options.verify:
        for line in list(audit.records(folder))[-options.last :]:
            told = ("time", "event", "viewer", "role", "scope", "release", "what")
            progress.say("  ".join(str(line.get(field) or "–") for field in told))
        return 0
    try:
        head, problems = audit.verify(folder, options.anchor)
    except audit.AuditError as error:  # it was not read, so nothing is known of it
        progress.say(f"The audit log was not verified. {error}")
        return 1
    for problem in problems[: audit.MOST_PROBLEMS]:
        progress.say(problem)
    if len(problems) > audit.MOST_PROBLEMS:
        progress.say(f"… and {len(problems) - audit.MOST_PROBLEMS:,} more.")
    if problems:
        progress.say(f"The audit log in {folder} has been tampered with, or is damaged.")
        return 1
    progress.say(f"The audit log is whole: {head.count:,} records. Keep this anchor elsewhere: {head.anchor}")
    return 0


def _peak_gib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)  # macOS counts bytes, Linux KiB
