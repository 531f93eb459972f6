"""What the pipeline needs of a database engine, and nothing else.

An engine is a module of this folder with the functions of `Engine`, found by its name. What it opens is a `Connection`:
the little that the pipeline uses of a DuckDB connection. SQL is written once, in the part of DuckDB's dialect that
every engine reads alike (`portable.lint` says what is outside it).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, cast

import pandas as pd

from pipelines.errors import InputError

if TYPE_CHECKING:
    from pipelines.readers.mapping import Mapping, Read
    from pipelines.settings import Settings


class EngineError(RuntimeError):
    """A statement that an engine other than DuckDB could not run; the message quotes no value of a row."""


class ExpectationError(RuntimeError):
    """An expectation that could not be evaluated; the message names it and says why."""


class Result(Protocol):
    """The rows of a statement."""

    def fetchall(self) -> list[Any]:
        """Every row, as tuples."""

    def fetchone(self) -> Any:
        """The next row, None after the last."""

    def df(self) -> pd.DataFrame:
        """Every row, as DuckDB gives it to pandas."""


class Connection(Protocol):
    """An open database, as DuckDB's own connection is one."""

    def execute(self, query: str, parameters: Any = None, /) -> Result:
        """Run one or more statements, and return the rows of the last."""

    def register(self, view_name: str, python_object: Any, /) -> Any:
        """Make a small Arrow table known by a name."""

    def unregister(self, view_name: str, /) -> Any:
        """Forget a name that was registered."""

    def interrupt(self) -> None:
        """End the statement under way, in another thread, with an error."""


@dataclass(frozen=True)
class Verdict:
    """Whether an expectation is met; `failing` is SQL for the rows that fail it, None if it counts none.

    The SQL selects source_file, source_row and the columns that the expectation is about.
    """

    passed: bool
    failing: str | None


class Validator(Protocol):
    """Checks tables of one database against expectations."""

    def validate(self, table: str, suite: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Verdict]:
        """Check `table` against a suite as JSON; verdicts by each expectation's `meta.name`.

        `parameters` are the values of the suite's `$PARAMETER`s. Raises ExpectationError.
        """


class Engine(Protocol):
    """What differs by engine: a module of this folder has these functions."""

    JOINS_CHEAPLY: bool
    """Whether hashing each identifier once and joining it costs less than hashing it in every row."""

    def open_new(self, settings: Settings, keep: bool = True) -> AbstractContextManager[Any]:
        """An empty database for one run, kept in place of the last (if `keep`) when the block ends without an error."""

    def read(self, con: Any, path: Path, mapping: Mapping, target: str, /) -> Read:
        """Make `target` from the extract at `path`: contract columns as text, and `rowid`, its row's number from 0.

        Texts are trimmed, codes mapped, blanks null, as `mapping` says. Raises InputError.
        """

    def validator(self, con: Any, /) -> AbstractContextManager[Validator]:
        """A Validator on the tables of `con`, which stays usable meanwhile and afterwards."""

    def hmac(self, message: str, /) -> str:
        """SQL for the first 128 bits of HMAC-SHA256 of the text `message`, beside the one-row relation `pads`."""

    def date(self, text: str, formats: Sequence[str], iso: bool, /) -> str:
        """SQL for the date that `text` is in one of `formats`, or first (if `iso`) in ISO form; else null."""

    def number(self, text: str, /) -> str:
        """SQL for the number that `text` is; else null."""

    def drop(self, con: Any, pattern: str, /) -> None:
        """Drop the temporary tables and views whose names match a regular expression."""

    def frame(self, con: Any, query: str, /) -> pd.DataFrame:
        """The many rows of a query; missing whole numbers come as fractions, and sums must have been cast."""

    def write_csv(self, con: Any, query: str, path: Path, /) -> None:
        """Write the rows of a query to a local file, with a header."""


def begin_loading() -> None:
    """Load Great Expectations, which takes seconds, beside other work; who needs it waits for the rest."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    Thread(target=importlib.import_module, args=("great_expectations",), daemon=True).start()


def named(name: str) -> Engine:
    """The engine of that name. Raises InputError where there is none, or what it needs is not installed."""
    if importlib.util.find_spec(f"{__name__}.{name}") is None:
        raise InputError(f"There is no engine '{name}'. Set engine in settings.toml (or --engine) to duckdb or spark.")
    try:
        return cast(Engine, importlib.import_module(f"{__name__}.{name}"))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pyspark", "sqlglot", "py4j"):
            raise
        raise InputError(
            f"The engine '{name}' needs {error.name}, which is not installed: pip install -r requirements-{name}.txt"
        ) from None


def of(con: Connection) -> Engine:
    """The engine that `con` is a connection of."""
    return named(getattr(con, "engine", "duckdb"))


def frame(con: Connection, query: str) -> pd.DataFrame:
    """The many rows of a query; missing whole numbers come as fractions, and sums must have been cast."""
    return of(con).frame(con, query)
