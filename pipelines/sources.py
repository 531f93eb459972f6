"""sources.toml: where a university's extracts are, and how their columns and codes map to the contract."""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections import ChainMap
from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

import duckdb
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from pipelines.definitions import Column, Definitions, Table
from pipelines.errors import InputError, did_you_mean

DIRECTIVES = set("YymdBbaAHIMSfpzZ")
# what to write for each entry, and an example of it: of {table}, where all tables have such an entry, else of meetings
RIGHT = {
    "university": ("a name in double quotes", 'university = "University of X"'),
    "example": ("true or false, without quotation marks", "example = true"),
    "as_of": ("a day, the year first, without a time or quotation marks", "as_of = 2026-11-27"),
    "tables": ("a heading for each table, and its lines under it", '[{heading}.meetings]\nfiles = ["meetings_*.csv"]'),
    "files": ("a list of names or patterns in double quotes", 'files = ["{table}_*.csv"]'),
    "encoding": ("the name of an encoding in double quotes", 'encoding = "windows-1252"'),
    "delimiter": ("one character in double quotes", 'delimiter = ";"'),
    "sheet": ("the name of a sheet in double quotes, a list of names, or * for all", 'sheet = "Sheet1"'),
    "skip_rows": ("a whole number, 0 or more", "skip_rows = 3"),
    "date_formats": ("a list of formats in double quotes", 'date_formats = ["%d/%m/%Y"]'),
    "columns": (
        "what the extract calls each column, in double quotes, or a list of such names",
        '[{heading}]\nstudent_id = "Student Number"',
    ),
    "parts": (
        "a regular expression in single quotes, the part that counts in parentheses",
        "[{heading}]\nstudent_id = '0*([0-9]+)'",
    ),
    "leave_out": (
        "columns of the extract, each with a list of the values whose rows are left out",
        '[{heading}]\n"Booking Status" = ["Booked", "Rescheduled"]',
    ),
    "constants_of": (
        "a heading for each pattern of file names, and the values of its files under it",
        '[{heading}."*2025*"]\nmode = "online"',
    ),
    "ids_restart": ("true or false, without quotation marks", "ids_restart = true"),
    "codes": ("a heading for each column, and what each code means under it", '[{heading}.mode]\n"F2F" = "in person"'),
    "constants": ("a value for each column, in double quotes", '[{heading}]\ninitiated_by = "tutor"'),
    "defaults": ("a value for each column, in double quotes", '[{heading}]\nstatus = "attended"'),
}


def _part(pattern: str) -> str:
    """A regular expression with one part in parentheses. Raises ValueError for any other text."""
    try:
        if re.compile(pattern).groups == 1:
            duckdb.execute("select regexp_extract('', ?, 1)", [pattern])  # which knows fewer
            return pattern
    except (re.error, duckdb.Error):
        pass
    raise ValueError(
        f"'{pattern}' is no regular expression with one part in parentheses; write for instance '0*([0-9]+)'"
    )


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | date) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]

Names = Annotated[Texts, Field(min_length=1)]
Part = Annotated[str, AfterValidator(_part)]


class TableSource(BaseModel):
    """The entry of one table: its files, how to read them, and what their columns and codes mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Texts = ()
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: Texts = ()
    skip_rows: int | None = Field(default=None, ge=0)
    date_formats: Texts = ()
    columns: dict[str, Names] = {}
    parts: dict[str, Part] = {}
    codes: dict[str, dict[str, Text]] = {}
    constants: dict[str, Text] = {}
    constants_of: dict[str, dict[str, Text]] = {}
    defaults: dict[str, Text] = {}
    leave_out: dict[str, Texts] = {}
    ids_restart: bool = False

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            return codecs.lookup(value).name if value else None
        except LookupError:
            raise ValueError(f"no encoding is called '{value}'; usual ones are utf-8, utf-16, windows-1252") from None

    def of_file(self, file: str) -> TableSource:
        """The entry as it is for a file of that name: with the constants of every pattern that it matches."""
        own = [given for pattern, given in self.constants_of.items() if fnmatch(file, pattern)]
        return self.model_copy(update={"constants": {**self.constants, **ChainMap(*own[::-1])}}) if own else self

    @field_validator("date_formats")
    @classmethod
    def _readable_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for written in value:
            used = set(re.findall(r"%-?(.)", written))
            if not (used <= DIRECTIVES and used & set("Yy") and used & set("mBb") and "d" in used):
                raise ValueError(f"'{written}' is no date format; write for instance '%d/%m/%Y' or '%d-%b-%y'")
        return value


class Sources(BaseModel):
    """A whole sources.toml; `folder` is where it lies, which its file patterns start from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    university: str = Field(min_length=1)
    example: bool = False
    as_of: date | None = Field(
        default=None, description="the day the extracts were taken; the day of the run if not given"
    )
    tables: dict[str, TableSource] = {}
    codes: dict[str, dict[str, Text]] = {}
    parts: dict[str, Part] = {}
    folder: Path

    def of(self, table: Table) -> TableSource:
        """The entry of `table` (an empty one where it has none) with the codes and parts of all tables merged in."""
        own = self.tables.get(table.name, TableSource())
        shared = {name: codes for name, codes in self.codes.items() if name in table.columns}
        merged = {name: {**shared.get(name, {}), **own.codes.get(name, {})} for name in {**shared, **own.codes}}
        parts = {name: pattern for name, pattern in self.parts.items() if name in table.columns}
        return own.model_copy(update={"codes": merged, "parts": {**parts, **own.parts}})

    def verify(self, definitions: Definitions) -> None:
        """Raise InputError unless every table, column and code named is one of the contract's."""
        problems = [
            f"sources.toml: there is no table '{name}'.{did_you_mean(name, definitions.tables)} "
            f"The tables are {', '.join(definitions.tables)}."
            for name in self.tables
            if name not in definitions.tables
        ]
        for table in definitions.tables.values():
            problems += _misnamed(table, self.tables.get(table.name, TableSource()))
        every = {name: column for table in definitions.tables.values() for name, column in table.columns.items()}
        for name in self.parts:
            problems += _misplaced("parts", name, every)
        for name, codes in self.codes.items():
            problems += _misplaced("codes", name, every)
            if name in every:
                problems += _wrong_values(f"codes.{name}", every[name], codes.values())
        if problems:
            raise InputError(problems)


def load(path: Path) -> Sources:
    """Read a sources.toml. Raises InputError saying what is wrong in it and what to write."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(
            f"There is no {path}. Write one beside your extracts; the least it needs is a line such as\n"
            f'    university = "University of X"\n'
            f"docs/sources.md says how to map files, columns and codes."
        ) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder. Name the file in it: {path / 'sources.toml'}") from None
    except PermissionError:
        raise InputError(
            f"{path} may not be read by this account. Let its owner give this account the right to read it."
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{path.name} is not valid TOML: {error}. Texts stand in double quotes, and a text with a "
            f"backslash (a Windows path) in single quotes."
        ) from None
    if "folder" in entries:
        raise InputError(_in_words(path.name, ("folder",), "extra_forbidden", ""))
    try:
        return Sources(**entries, folder=path.resolve().parent)
    except ValidationError as error:
        raise InputError([_in_words(path.name, e["loc"], e["type"], e["msg"]) for e in error.errors()]) from None


def _in_words(file: str, place: tuple[int | str, ...], kind: str, message: str) -> str:
    *outer, key = [part for part in place if isinstance(part, str)]  # without the places in lists
    where = f"{file}: [{'.'.join(outer)}]" if outer else f"{file}:"
    if kind == "extra_forbidden":
        known = TableSource.model_fields if outer else [n for n in Sources.model_fields if n != "folder"]
        return f"{where} has an unknown key '{key}'.{did_you_mean(key, known)} Known keys are {', '.join(known)}."
    if kind == "missing":
        return f"{where} lacks '{key}'. Write: {key} = \"University of X\""
    if kind == "value_error":
        return f"{where} {key}: {message.removeprefix('Value error, ')}"
    at = 2 if outer[:1] == ["tables"] and len(outer) > 1 else 0
    names = [*outer, key]
    what, lines = RIGHT[names[at]]
    heading = f"tables.meetings.{names[2]}" if at else names[0]
    lines = (
        lines.replace("{heading}", heading).replace("{table}", names[1] if at else "meetings").replace("\n", "\n    ")
    )
    return f"{where} {key} cannot be used as it is. Write {what}, such as\n    {lines}"


def _misnamed(table: Table, source: TableSource) -> Iterator[str]:
    place = f"tables.{table.name}"
    named = {part: getattr(source, part) for part in ("columns", "parts", "codes", "constants", "defaults")}
    of_files = {f"constants_of.{json.dumps(pattern)}": given for pattern, given in source.constants_of.items()}
    for part, given in {**named, **of_files}.items():
        for name in given:
            yield from _misplaced(f"{place}.{part}", name, table.columns)
    for name in source.columns.keys() & source.constants.keys():
        yield f"sources.toml: '{name}' is both in [{place}.columns] and in [{place}.constants]. Keep one of them."
    for name, column in table.columns.items():
        yield from _wrong_values(f"{place}.codes.{name}", column, source.codes.get(name, {}).values())
        for part, given in {"constants": source.constants, "defaults": source.defaults, **of_files}.items():
            yield from _wrong_values(f"{place}.{part}", column, filter(None, [given.get(name)]))


def _misplaced(place: str, name: str, columns: dict[str, Column]) -> Iterator[str]:
    if name not in columns:
        yield (
            f"sources.toml: [{place}] names '{name}', which is no column of the contract.{did_you_mean(name, columns)} "
            f"The columns are {', '.join(columns)}."
        )


def _wrong_values(place: str, column: Column, values: Iterable[str]) -> Iterator[str]:
    for value in dict.fromkeys(values):
        if column.values and value and value not in column.values:
            yield (
                f"sources.toml: [{place}] gives '{value}', which is no value of {column.name}."
                f"{did_you_mean(value, column.values)} "
                f"The values are {', '.join(column.values)}; an empty text stands for blank."
            )
