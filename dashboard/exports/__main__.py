"""Packs from the command line, without a dashboard running.

    python -m dashboard.exports pack   --scope university --year 2025/26 --out DIR
    python -m dashboard.exports charts --scope faculty:BUS --year 2025/26 --out DIR --format png,csv

It runs under the account of whoever may read data/published; the scope decides which file is opened and which rows
are seen. Exit codes: 0 done, 1 it could not be made, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from dashboard.access import AccessDeniedError
from dashboard.exports import images, make
from dashboard.exports.chromium import Chromium, NoBrowserError, drawing
from dashboard.exports.reading import NothingToTellError, years
from dashboard.exports.scope import command_line
from dashboard.exports.sections import SECTIONS
from dashboard.exports.story import Request, told
from dashboard.published import NoReleaseError, UnreadableReleaseError, open_release

IMAGES = (*images.KINDS, "csv")
TROUBLE = (
    AccessDeniedError,
    NoReleaseError,
    UnreadableReleaseError,
    NothingToTellError,
    NoBrowserError,
    OSError,
)


def main(arguments: list[str] | None = None) -> int:
    """Make what is asked for; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return _pack(asked) if asked.what == "pack" else _charts(asked)
    except TROUBLE as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dashboard.exports", description="Packs and charts to take away.")
    kinds = parser.add_subparsers(dest="what", required=True)
    for name, formats, about in (
        ("pack", tuple(make.FORMATS), "a pack: PDF, slides, workbook and web page"),
        ("charts", IMAGES, "every chart of a pack by itself, with its source"),
    ):
        kind = kinds.add_parser(name, help=about, description=about)
        kind.add_argument("--scope", required=True, help="university, faculty:CODE or school:CODE")
        kind.add_argument("--year", help="academic year, such as 2025/26; the last whole one where not given")
        kind.add_argument("--out", required=True, type=Path, help="the folder to write into")
        kind.add_argument("--format", type=_listed(formats), default=formats, help=f"of {','.join(formats)}")
        kind.add_argument(
            "--sections", type=_listed(tuple(SECTIONS)), default=tuple(SECTIONS), help=f"of {','.join(SECTIONS)}"
        )
        kind.add_argument("--commentary", type=Path, help="a text file with the lead's own words")
        kind.add_argument("--actions", type=Path, help="a text file with the agreed actions, one a line")
    return parser


def _listed(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        names = tuple(name.strip().lower() for name in text.split(","))
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: none of {', '.join(known)}")
        return names

    return parse


def _request(asked: argparse.Namespace) -> Request:
    year = asked.year
    if year is None:
        offered = years(open_release(command_line(asked.scope)))
        year = next((y for y, label in offered.items() if y == label), next(iter(offered), ""))
    commentary, actions = (
        file.read_text(encoding="utf-8") if file else "" for file in (asked.commentary, asked.actions)
    )
    return Request(asked.scope, year, asked.sections, commentary, actions)


def _pack(asked: argparse.Namespace) -> int:
    request = _request(asked)
    made = make.make(command_line(asked.scope), request, asked.format, _progress)
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, data in made.files.items():
        file = asked.out / f"{make.stem(request)}.{name}"
        file.write_bytes(data)
        print(file)
    for note in made.notes:
        print(note, file=sys.stderr)
    return 0


def _charts(asked: argparse.Namespace) -> int:
    request = _request(asked)
    release = open_release(command_line(asked.scope))
    story = told(release, request)
    asked.out.mkdir(parents=True, exist_ok=True)

    def write(kind: str, chromium: Chromium | None = None) -> None:
        for number, figure in enumerate(story.figures, 1):
            made = images.single(chromium, story, figure, kind) if chromium else images.numbers(story, figure)
            file = asked.out / f"{make.stem(request)}-figure-{number}.{kind}"
            file.write_bytes(made)
            print(file)

    if "csv" in asked.format:
        write("csv")
    if drawn := [kind for kind in asked.format if kind != "csv"]:
        with drawing() as chromium:
            for kind in drawn:
                write(kind, chromium)
    return 0


def _progress(_: float, what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="" if what != "Done" else "\n", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
