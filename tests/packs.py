"""Every pack of a release, in all formats: the university's, every faculty's and every school's.

Each is made as the command line makes it, and its numbers are compared with the release's, cell by cell.

    python -m tests.packs --data DATA [--year 2025/26] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from dashboard.exports import make
from dashboard.exports.reading import years
from dashboard.exports.scope import command_line
from dashboard.exports.story import Request, told
from dashboard.published import open_release
from tests.dashboard.exports.held import compared, scopes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--year", help="academic year; the last whole one where not given")
    parser.add_argument("--out", type=Path, help="folder to keep the packs in")
    options = parser.parse_args()
    os.environ["APT_DATA"] = str(options.data)
    release = open_release(command_line("university"))
    offered = years(release)
    year = options.year or next((y for y, label in offered.items() if y == label), next(iter(offered)))
    numbers = made = 0
    for scope in scopes(release):
        started = time.perf_counter()
        request = Request(scope, year)
        numbers += compared(release, told(open_release(command_line(scope)), request))
        pack = make.make(command_line(scope), request, tuple(make.FORMATS), lambda *_: None)
        made += len(pack.files)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            for name, data in pack.files.items():
                (options.out / f"{make.stem(request)}.{name}").write_bytes(data)
        megabytes = sum(map(len, pack.files.values())) / 1e6
        print(
            f"{scope:<16} {time.perf_counter() - started:5.1f} s {megabytes:5.1f} MB  {' '.join(pack.notes)}",
            flush=True,
        )
    print(f"{made:,} files for {year}; {numbers:,} numbers are the release's.")


if __name__ == "__main__":
    main()
