"""The command line: python -m pipelines example | run | check | status | rollback."""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path

from pydantic import ValidationError

from pipelines import publish
from pipelines.definitions import DefinitionError
from pipelines.progress import Progress
from pipelines.settings import Settings

SOURCES = "sources.toml"


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 the data or a setting stops it, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    from pipelines.check import CheckFailed
    from pipelines.errors import InputError

    try:
        settings = Settings()
        return int(options.command(options, settings, Progress()))
    except (InputError, CheckFailed, publish.ReleaseError, DefinitionError) as error:
        print(f"\n{error}", file=sys.stderr)
    except ValidationError as error:
        problems = "\n".join(f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        print(f"\nA setting (settings.toml or APT_… in the environment) is wrong:\n{problems}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    example = commands.add_parser("example", help="write the extracts of a fictional university")
    example.add_argument("--students", type=int, default=38_000, help="enrolments a year (default 38000)")
    example.add_argument("--years", type=int, default=5, help="whole years before the one in progress (default 5)")
    example.add_argument("--seed", type=int, default=2026, help="same seed, same files (default 2026)")
    example.add_argument("--out", type=Path, help="folder to write to (default data/example)")
    example.set_defaults(command=_example)

    for name, command, says in (
        ("run", _run, "make and publish a release from the extracts"),
        ("check", _check, "run the checks alone; exit 1 on a critical failure"),
    ):
        sub = commands.add_parser(name, help=says)
        sub.add_argument(
            "--sources",
            type=Path,
            help="the sources.toml that maps the extracts (default: data/inbox/sources.toml)",
        )
        sub.set_defaults(command=command)

    status = commands.add_parser("status", help="list the releases and say which is in force")
    status.set_defaults(command=_status)
    rollback = commands.add_parser("rollback", help="put an earlier release back in force")
    rollback.add_argument("release", metavar="RELEASE")
    rollback.set_defaults(command=_rollback)
    return parser


def _example(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    from pipelines.example import generate

    out = options.out or settings.example
    with progress.step("example", "a fictional university"):
        made = generate(out, students=options.students, years=options.years, seed=options.seed)
        progress.note(f"{sum(made.rows.values()):,} rows")
    progress.say(f"Extracts and {SOURCES} are in {out}. Next: python -m pipelines run --sources {out / SOURCES}")
    return 0


def _sources(options: argparse.Namespace, settings: Settings) -> Path:
    """The mapping to use: the one named, else the inbox's."""
    from pipelines.errors import InputError

    chosen: Path = options.sources or settings.inbox / SOURCES
    if not chosen.is_file():
        raise InputError(
            f"There is no {chosen}. Put your extracts and a {SOURCES} there (docs/sources.md says how), "
            f"or run the example: python -m pipelines example, then "
            f"python -m pipelines run --sources {settings.example / SOURCES}"
        )
    return chosen


def _run(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    from pipelines import warehouse
    from pipelines.run import run

    done = run(_sources(options, settings), settings, progress)
    counts = done.outcome.tables["reconciliation"][
        ["rows_read", "rows_loaded", "rows_quarantined", "duplicates_dropped"]
    ].sum()
    warnings = done.outcome.warnings
    progress.say("")
    progress.say(
        f"Read {counts.rows_read:,} rows = {counts.rows_loaded:,} loaded + {counts.rows_quarantined:,} quarantined "
        f"+ {counts.duplicates_dropped:,} exact duplicates dropped."
    )
    for warning in warnings:
        progress.say(f"Warning: {warning}")
    progress.say(f"Published {done.safe.cells:,} cells, {done.safe.hidden:,} of them hidden, as {done.release}.")
    if counts.rows_quarantined:
        progress.say(f"Quarantined rows, each with its rule: {settings.warehouse / warehouse.QUARANTINE} (restricted).")
    progress.say(f"Peak memory {_peak_gib():.2f} GiB. Look at it: make dashboard")
    return 0


def _check(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    from pipelines.run import check_only

    outcome = check_only(_sources(options, settings), settings, progress)
    checks = outcome.tables["check"]
    for line in checks[~checks["passed"]].itertuples():
        rows = "" if line.rows_failing is None else f" ({line.rows_failing:,} rows)"
        progress.say(f"{line.severity:<10} {line.table_name}: {line.rule}{rows}")
    progress.say(f"{int(checks['passed'].sum())} of {len(checks)} expectations met; none that stops a release failed.")
    return 0


def _status(_: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    kept, in_force = publish.releases(settings), publish.current(settings)
    if not kept:
        progress.say(f"No release in {settings.published} yet. Make one: python -m pipelines run")
    for release in kept:
        progress.say(f"{release}{'  in force' if release == in_force else ''}")
    return 0


def _rollback(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    publish.rollback(settings, options.release)
    progress.say(f"In force: {options.release}")
    return 0


def _peak_gib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)  # macOS counts bytes, Linux KiB


if __name__ == "__main__":
    sys.exit(main())
