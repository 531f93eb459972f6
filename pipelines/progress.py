"""What a run shows while it works: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.status import Status

LONG = 5  # seconds from which a step says how fast it is
ENOUGH = 0.05  # of its work, from which it says how long it will take


class Report(Protocol):
    """Says what a step is working on: a label, its rows, and the share of the step's work done with it."""

    def __call__(self, label: str, rows: int, /, done: float | None = None) -> None: ...


def quiet(label: str, rows: int, /, done: float | None = None) -> None:
    """A report to nobody."""


class Progress:
    """Announces steps, their rows and their seconds; keeps the seconds for the benchmark."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.seconds: dict[str, float] = {}
        self.under_way = ""  # the step begun and not finished, also when an error stopped it
        self._status: Status | None = None
        self._rows: int | None = None
        self._detail = ""
        self._started = 0.0

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[Progress]:
        """One step of the recipe: announced, timed, and closed with one line."""
        self._started = started = time.perf_counter()
        self.under_way = name
        self._rows, self._detail = None, ""
        self._status = self.console.status(f"{name}: {what} …") if self.console.is_terminal else None
        if self._status:
            self._status.start()
        try:
            yield self
        except BaseException:
            self._close(name, what, started, "[red]stopped[/red]")
            raise
        self._close(name, what, started, "[green]done[/green]")
        self.under_way = ""

    def report(self, label: str, rows: int, /, done: float | None = None) -> None:
        """Say what is being worked on, and count its rows; of a long step also how fast, and about how long still.

        done: the share of the step's work that is done with these rows.
        """
        self._rows = (self._rows or 0) + rows
        said = f"{escape(label)}: {rows:,} rows{self._pace(done)}"
        if self._status:
            self._status.update(said)
        else:
            self.console.print(f"  {said}")

    def _pace(self, done: float | None) -> str:
        taken = time.perf_counter() - self._started
        if done is None or taken < LONG:
            return ""
        pace = f"{(self._rows or 0) / taken:,.0f} rows a second"
        if ENOUGH <= done < 1:
            left = taken * (1 - done) / done
            pace += f", about {left / 60:.0f} min left" if left > 90 else f", about {left:.0f} s left"
        return f" ({pace})"

    def note(self, detail: str) -> None:
        """Words for the step's closing line."""
        self._detail = detail

    def say(self, text: str) -> None:
        """One plain line."""
        self.console.print(escape(text))

    def _close(self, name: str, what: str, started: float, ending: str) -> None:
        if self._status:
            self._status.stop()
            self._status = None
        self.seconds[name] = time.perf_counter() - started
        outcome = self._detail or (f"{self._rows:,} rows" if self._rows is not None else "")
        self.console.print(f"{name:<13} {escape(what):<52} {escape(outcome):<44} {self.seconds[name]:6.1f} s  {ending}")
