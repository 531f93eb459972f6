"""Many readers at once: sessions that speak to a real dashboard server as browsers do, each changing a filter every few
seconds. Prints how long changes took, what went wrong and how much memory the server held.

    python -m tests.load --data DATA [--sessions 50] [--seconds 180] [--every 5]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import statistics
import sys
import time
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.typing import Subprotocol

from tests.browser.serving import dashboard

METRICS = ("any_meeting", "met_by_promised_week", "trust", "supported", "knows_me", "no_meeting")
NEW_PAGE = 0.2  # of the changes
COLD = 20  # seconds in which a server that has just started makes most figures for the first time
VIEWS: dict[str, tuple[dict[str, str], ...]] = {
    "": tuple({"level": level} for level in ("all", "UG", "PGT")),
    "schools": tuple(
        {"metric": m, "level": level, "drawn": drawn}
        for m, level, drawn in product(METRICS, ("all", "UG", "PGT"), ("rows", "funnel"))
    ),
    "equity": tuple({"metric": m, "view": view} for m, view in product(METRICS, ("who", "where", "map", "why"))),
    "voice": ({"metric": "trust"}, {"metric": "knows_me"}, {"metric": "supported"}),
    "year": ({"characteristic": "ethnicity"}, {"characteristic": "disability"}, {"characteristic": "sex"}),
    "profile": tuple({"unit": f"school:{school}"} for school in ("HIST", "LAWS", "MUSI", "PHYS", "MEDI")),
}


@dataclass
class Seen:
    """What all sessions together met with: seconds of changes, bytes of pages, and errors."""

    changes: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)  # when each ended, since the first reader came
    pages: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--every", type=float, default=5)
    options = parser.parse_args()
    print(in_words(readers(options.data, options.sessions, options.seconds, options.every)))


def readers(data: Path, sessions: int = 50, seconds: float = 180, every: float = 5) -> dict[str, float]:
    """What so many sessions meet with. Raises RuntimeError with the first error where any met with one."""
    started = time.monotonic()
    with dashboard(data) as address:
        asyncio.run(_once(address.replace("http", "ws")))
        cold = time.monotonic() - started
        seen = asyncio.run(_all(address.replace("http", "ws"), sessions, seconds, every))
    if seen.errors:
        raise RuntimeError(f"{len(seen.errors)} of {len(seen.changes)} changes failed: {seen.errors[0]}")
    later = [seconds for seconds, at in zip(seen.changes, seen.at, strict=True) if at > COLD]
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of the server, which has ended
    return {
        "cold": cold,
        "sessions": sessions,
        "changes": len(seen.changes),
        "median": statistics.median(seen.changes),
        "p95": statistics.quantiles(seen.changes, n=20)[-1],
        "later": statistics.quantiles(later, n=20)[-1] if len(later) > 1 else float("nan"),
        "slowest": max(seen.changes),
        "largest": max(seen.pages) / 1e3,
        "peak": held / (2**30 if sys.platform == "darwin" else 2**20),
    }


async def _all(address: str, sessions: int, seconds: float, every: float) -> Seen:
    seen, until = Seen(), time.monotonic() + seconds
    readers = (_reader(address, random.Random(number), until, every, seen) for number in range(sessions))
    await asyncio.gather(*readers)
    return seen


def _connection(address: str) -> websockets.connect:
    return websockets.connect(f"{address}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None)


async def _once(address: str) -> None:
    """The first page of all."""
    async with _connection(address) as socket:
        await _run(socket, "", {})


async def _reader(address: str, chance: random.Random, until: float, every: float, seen: Seen) -> None:
    """One reader: opens a page, changes a filter every few seconds, and now and then goes to another page."""
    await asyncio.sleep(chance.uniform(0, every))
    async with _connection(address) as socket:
        page, first = chance.choice(list(VIEWS)), True
        while time.monotonic() < until:
            if not first and chance.random() < NEW_PAGE:
                page = chance.choice(list(VIEWS))
            started = time.monotonic()
            size, error = await _run(socket, page, chance.choice(VIEWS[page]))
            if not first:
                seen.changes.append(time.monotonic() - started)
                seen.at.append(time.monotonic() - seen.since)
            seen.pages.append(size)
            seen.errors += [error] if error else []
            first = False
            await asyncio.sleep(max(0, every - (time.monotonic() - started)))


async def _run(socket: websockets.ClientConnection, page: str, query: dict[str, str]) -> tuple[int, str]:
    """One run of a page's script: how many bytes it sent, and what went wrong."""
    ask = BackMsg()
    ask.rerun_script.query_string, ask.rerun_script.page_name = urlencode(query), page
    await socket.send(ask.SerializeToString())
    size, error = 0, ""
    while True:
        part = await socket.recv()
        assert isinstance(part, bytes)
        told = ForwardMsg.FromString(part)
        size += len(part)
        if told.delta.new_element.HasField("exception"):
            error = told.delta.new_element.exception.message
        if told.WhichOneof("type") == "script_finished":
            if told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return size, error
            if told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return size, error or f"the script of {page or 'overview'} did not finish"


def in_words(met: dict[str, float]) -> str:
    """The result in a sentence."""
    return (
        f"The first page is there {met['cold']:.1f} s after the server was started. "
        f"{met['sessions']:.0f} readers at once, {met['changes']:,.0f} changes of a filter or page: half take at most "
        f"{met['median']:.2f} s, 95 in a hundred at most {met['p95']:.2f} s ({met['later']:.2f} s once the first "
        f"{COLD} s are over, in which a server just started makes figures for the first time), the slowest "
        f"{met['slowest']:.2f} s; the "
        f"largest page is {met['largest']:,.0f} KB, and the server held at most {met['peak']:.2f} GiB."
    )


if __name__ == "__main__":
    main()
