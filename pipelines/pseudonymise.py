"""Pseudonymise: a keyed hash in place of every identifier, and a type for every other column."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from pipelines import engines
from pipelines.definitions import Column, Definitions, Table
from pipelines.engines import Connection, Engine
from pipelines.errors import InputError
from pipelines.extract import Extracted, drop_raw
from pipelines.progress import Report, quiet
from pipelines.settings import ROOT, Settings

SHORTEST_KEY = 32  # characters
BLOCK = 64  # bytes: the block of SHA-256, to which HMAC pads its key (RFC 2104)
UK_DATES = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")
YEAR_DAY_MONTH = ("%Y-%d", "%Y-%-d")  # would be mistaken for ISO dates
LARGEST = "1e308"  # infinite and no number are neither
EARLIEST, LATEST = "1900-01-02", "2100-12-31"  # 1 January 1900 is what spreadsheets make of no date


def load_key(settings: Settings, example: bool) -> bytes:
    """The key of the pseudonyms: from the settings, else from the key file.

    The example university never uses the key of real data: from the settings' key its own is derived, and it has a key
    file of its own, made where it is missing. Raises InputError where there is no key, where it is too short, where
    others could read it, or where it lies in the repository or beside the pseudonyms that it makes.
    """
    if settings.key is not None:
        key = _long_enough(settings.key.get_secret_value(), "The key in APT_KEY")
        return hmac.digest(key, b"example", "sha256") if example else key
    path = settings.key_file.expanduser().resolve()
    if example:
        path = path.with_name(f"example-{path.name}")
    if path.is_relative_to(ROOT):
        raise InputError(
            f"The key file {path} is inside the repository, where it could be committed or copied. Move it elsewhere, "
            f"and set key_file in settings.toml (or APT_KEY_FILE) to its new place."
        )
    if not example and path.is_relative_to(settings.data.resolve()):
        raise InputError(
            f"The key file {path} is inside the data folder: whoever copies the warehouse would have the key of its "
            f"pseudonyms too. Move it elsewhere, and set key_file in settings.toml (or APT_KEY_FILE) to its new place."
        )
    if not path.exists():
        if not example:
            raise InputError(
                f"There is no key for the pseudonyms, and real data is not read without one. Make it once "
                f"(docs/operations.md says when to change it, and whether to keep a copy):\n"
                f"    mkdir -p -m 700 '{path.parent}' && (umask 077; python3 -c "
                f"'import secrets; print(secrets.token_hex(32))' > '{path}')\n"
                f"or set APT_KEY in the environment of the run."
            )
        _make_key_file(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InputError(f"Others may read the key file {path}. Allow it to its owner only: chmod 600 '{path}'")
    return _long_enough(path.read_text(encoding="utf-8"), f"The key in {path}")


def pseudonymise(
    con: Connection, definitions: Definitions, extracted: Extracted, key: bytes, report: Report = quiet
) -> None:
    """Make input_<table> from every raw_<table>, which is dropped.

    Identifiers become the first 128 bits of HMAC-SHA256(key, '<person>:<IDENTIFIER>') as UUID. Dates,
    integers and numbers get their type; a text that cannot be read as such stands in <column>_unreadable.
    On an error no input table is left.
    """
    identifiers = [
        (table.name, column)
        for table in definitions.tables.values()
        for column in table.columns.values()
        if column.type == "identifier"
    ]
    done: list[str] = []
    times = Counter(column.person for _, column in identifiers)
    shared = {person: [(t, c) for t, c in identifiers if c.person == person] for person in times if times[person] > 1}
    if not engines.of(con).JOINS_CHEAPLY:
        shared = {}
    try:
        with _pads(con, key):
            for person, places in shared.items():
                _hash_distinct(con, person, places)
            for table in definitions.tables.values():
                _type_table(con, table, extracted.date_formats[table.name], shared.keys())
                drop_raw(con, table.name)
                done.append(table.name)
                report(table.name, extracted.rows_read(table.name), done=extracted.share(done))
    except BaseException:
        for table in definitions.tables.values():
            con.execute(f"drop table if exists input_{table.name}")
        raise
    finally:
        for person in shared:
            con.execute(f"drop table if exists pseudonym_{person}")


@contextmanager
def _pads(con: Connection, key: bytes) -> Iterator[None]:
    """The key, padded as HMAC does, as a one-row relation: so it stands in no SQL, plan, profile or error."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner, outer = bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)
    con.register("pads", pa.table({"inner_pad": [inner], "outer_pad": [outer]}))
    try:
        yield
    finally:
        con.unregister("pads")


def _message(person: str, identifier: str) -> str:
    return f"'{person}:' || upper({identifier})"


def _hash_distinct(con: Connection, person: str, places: list[tuple[str, Column]]) -> None:
    """pseudonym_<person>: each identifier that occurs anywhere, hashed once."""
    every = " union ".join(f"select {column.name} as identifier from raw_{table}" for table, column in places)
    con.execute(f"""
        create temp table pseudonym_{person} as
        with every as ({every})
        select identifier, {engines.of(con).hmac(_message(person, "identifier"))} as pseudonym
        from every, pads
        where identifier is not null
    """)


def _type_table(con: Connection, table: Table, date_formats: tuple[str, ...], hashed: Collection[str]) -> None:
    """input_<table>, in one pass over raw_<table>."""
    engine = engines.of(con)
    reads, values, columns = (["source_file", "source_row"] for _ in range(3))
    joins: list[str] = []
    for name, column in table.columns.items():
        columns.append(name)
        if column.type not in ("identifier", "text", "code"):
            value = _read(engine, column, f"raw.{name}", date_formats)
            reads.append(f"raw.{name} as {name}_written, {value} as {name}")
            values += [f"{name}_written", f"{_possible(column)} as {name}"]
            columns.append(f"case when {name} is null then {name}_written end as {name}_unreadable")
            continue
        values.append(name)
        if column.type == "identifier" and column.person in hashed:
            reads.append(f"p_{name}.pseudonym as {name}")
            joins.append(f"left join pseudonym_{column.person} as p_{name} on p_{name}.identifier = raw.{name}")
        elif column.type == "identifier":
            reads.append(f"{engine.hmac(_message(column.person, f'raw.{name}'))} as {name}")
        else:
            reads.append(f"raw.{name}")
    con.execute(f"""
        create table input_{table.name} as
        with read_so as (select {", ".join(reads)} from raw_{table.name} as raw cross join pads {" ".join(joins)}),
        typed as (select {", ".join(values)} from read_so)
        select {", ".join(columns)} from typed
    """)


def _read(engine: Engine, column: Column, text: str, date_formats: tuple[str, ...]) -> str:
    """SQL for the date or number that `text` is, null where it is none."""
    if column.type == "date":
        iso = not any(each.startswith(YEAR_DAY_MONTH) for each in date_formats)
        return engine.date(text, date_formats or UK_DATES, iso)
    return engine.number(text)


def _possible(column: Column) -> str:
    """SQL for a date or number as the column's type, null where it cannot be one of that column."""
    name = column.name
    if column.type == "date":
        return f"case when {name} between date '{EARLIEST}' and date '{LATEST}' then {name} end"
    if column.type == "integer":
        return f"case when {name} = floor({name}) and abs({name}) < 1e9 then cast(floor({name}) as integer) end"
    return f"case when abs({name}) < {LARGEST} then {name} end"


def _long_enough(key: str, which: str) -> bytes:
    key = key.strip()
    if len(key) < SHORTEST_KEY:
        raise InputError(
            f"{which} has {len(key)} characters; it needs {SHORTEST_KEY} or more. Make one with:\n"
            f"    python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return key.encode()


def _make_key_file(path: Path) -> None:
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
