"""Byte scan: whether secrets stand anywhere in a file, whatever its format.

It looks at bytes and at nothing else, so a row that was deleted, a value in a statistic and a word in the slack of
a block are found like any other. What a file holds compressed is not found: write it uncompressed first (`unpacked`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.readers.mapping import literal

CHUNK = 1 << 20  # bytes read at a time: what is made of them stays in the processor's cache
UUID_BYTES, UUID_TEXT = 16, 36
WORD = 8  # bytes compared at once
LEAST_BITS, MOST_BITS = 16, 27  # of the table that sorts out nearly every window before it is compared in full
ODD = np.uint64(0x9E3779B97F4A7C15)  # multiplicative hashing (Knuth 1973)
HEX = np.zeros(256, bool)
HEX[list(b"0123456789abcdefABCDEF-")] = True
HEX_RUN = re.compile(rb"[0-9A-Fa-f-]{32,}")


@dataclass(frozen=True)
class Hits:
    """How many secrets stand in a file, and the byte where the first does; never which."""

    file: Path
    number: int
    first: int


class Secrets:
    """What a scan looks for.

    pseudonyms: UUIDs as rows of 16 bytes, first byte first. They are found in that order, as DuckDB stores them in a
    column and in a statistic, and as hexadecimal text with and without dashes. texts: found whatever the case of
    their letters from A to Z.
    """

    def __init__(self, pseudonyms: np.ndarray | None = None, texts: Iterable[str] = ()) -> None:
        rows = np.empty((0, UUID_BYTES), np.uint8) if pseudonyms is None else np.ascontiguousarray(pseudonyms)
        self.binary = _Tokens([np.concatenate([rows, as_stored(rows)]), in_statistic(rows)])
        self.hexadecimal = _Tokens([rows])
        by_length: dict[int, set[bytes]] = {}
        for text in texts:
            token = text.encode().upper()
            by_length.setdefault(len(token), set()).add(token)
        if 0 in by_length:
            raise ValueError("an empty text stands everywhere")
        by_head: dict[int, list[np.ndarray]] = {}
        for length, tokens in by_length.items():
            rows = np.frombuffer(b"".join(tokens), np.uint8).reshape(-1, length)
            by_head.setdefault(min(length, WORD), []).append(rows)
        self.texts = [_Tokens(of_length) for of_length in by_head.values()]
        self.longest = max([UUID_TEXT, *by_length])

    def places(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where in `data` a secret stands: its first byte, and the one after its last."""
        yield from self.binary.places(data)
        yield from self._in_hexadecimal(data)
        upper = data.upper() if self.texts else b""
        for tokens in self.texts:
            yield from tokens.places(upper)

    def _in_hexadecimal(self, data: bytes) -> Iterator[tuple[int, int]]:
        is_hex = HEX[np.frombuffer(data, np.uint8)]
        whole = is_hex[: len(data) // 16 * 16].reshape(-1, 16).all(axis=1)
        if not whole.any():  # any 32 in a row fill one aligned 16
            return
        for run in HEX_RUN.finditer(data):
            characters = run[0].replace(b"-", b"")
            at = [run.start() + n for n, c in enumerate(run[0]) if c != ord("-")]
            for skip in (0, 1):  # a byte may begin at either
                even = characters[skip : len(characters) - (len(characters) - skip) % 2]
                for start, end in self.hexadecimal.places(bytes.fromhex(even.decode())):
                    yield at[skip + 2 * start], at[skip + 2 * end - 1] + 1


class _Tokens:
    """Byte strings, looked for at every byte of some data: first their heads in a table of hashes, then in full.

    tokens: arrays of one row per string, each of one length; all are of 8 bytes or more, or all of one length.
    """

    def __init__(self, tokens: list[np.ndarray]) -> None:
        self.of_length = {
            each.shape[1]: np.unique(np.ascontiguousarray(each).reshape(-1).view(f"S{each.shape[1]}"))
            for each in tokens
            if len(each)
        }
        head = min([WORD, *self.of_length])
        self.mask = np.uint64(2 ** (8 * head) - 1)
        number = sum(map(len, self.of_length.values()))
        bits = min(max((16 * number).bit_length(), LEAST_BITS), MOST_BITS)
        self.shift = np.uint64(64 - bits)
        self.taken = np.zeros(1 << bits, bool)
        for each in tokens:
            heads = np.zeros((len(each), WORD), np.uint8)
            heads[:, :head] = each[:, :head]
            self.taken[self._slots(heads.reshape(-1).view("<u8"))] = True

    def _slots(self, words: np.ndarray) -> np.ndarray:
        return ((words & self.mask) * ODD) >> self.shift

    def places(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where one of the strings stands in `data`: its first byte, and the one after its last."""
        if not self.of_length:
            return
        padded = data + bytes(WORD - 1)
        possible = []
        for offset in range(WORD):
            words = np.frombuffer(padded, "<u8", (len(padded) - offset) // WORD, offset)
            possible.append(np.flatnonzero(self.taken[self._slots(words)]) * WORD + offset)
        starts = np.concatenate(possible)
        for length, tokens in self.of_length.items():
            inside = starts[starts <= len(data) - length]
            if not len(inside):
                continue
            windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), length)[inside]
            found = np.ascontiguousarray(windows).reshape(-1).view(f"S{length}")
            nearest = np.minimum(np.searchsorted(tokens, found), len(tokens) - 1)
            for start in inside[tokens[nearest] == found].tolist():
                yield start, start + length


def scan(files: Iterable[Path], secrets: Secrets) -> list[Hits]:
    """The files in which a secret stands."""
    return [hits for file in files if (hits := _scan(file, secrets))]


def _scan(path: Path, secrets: Secrets) -> Hits | None:
    number, first, begins, before = 0, -1, 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            data = before + chunk
            # what ends within `before` was found with the chunk before
            starts = [start for start, end in secrets.places(data) if end > len(before)]
            if starts and not number:
                first = begins + min(starts)
            number += len(starts)
            before = data[-(secrets.longest - 1) :]
            begins += len(data) - len(before)
    return Hits(path, number, first) if number else None


def as_stored(pseudonyms: np.ndarray) -> np.ndarray:
    """UUIDs in the order in which DuckDB stores them: last byte first, the highest bit turned round."""
    stored = pseudonyms[:, ::-1].copy()
    stored[:, -1] ^= 0x80
    return stored


def in_statistic(pseudonyms: np.ndarray) -> np.ndarray:
    """How UUIDs begin in DuckDB's statistics, which are all that is stored of a column with one value: eight bytes.

    That is the lower half as LEB128, seven bits a byte, the lowest first. One in 2**15 is shorter there, and left out.
    """
    lower = pseudonyms[:, WORD:].copy().reshape(-1).view(">u8").astype(np.uint64)
    lower = lower[lower >> np.uint64(49) > 0][:, np.newaxis]
    shifts = np.arange(0, 7 * WORD, 7, dtype=np.uint64)
    follows = lower >> (shifts + np.uint64(7)) > 0
    return ((lower >> shifts & np.uint64(0x7F)) | np.where(follows, np.uint64(0x80), np.uint64(0))).astype(np.uint8)


def pseudonyms(con: duckdb.DuckDBPyConnection, query: str) -> np.ndarray:
    """The UUIDs that `query` gives in its only column, as rows of 16 bytes, first byte first."""
    found = con.sql(
        f"select unhex(replace(cast(pseudonym as varchar), '-', '')) as pseudonym from ({query}) as found (pseudonym)"
    ).to_arrow_table()
    chunks = found["pseudonym"].cast(pa.binary(UUID_BYTES)).chunks
    flat = [np.frombuffer(c.buffers()[1], np.uint8)[c.offset * UUID_BYTES :][: len(c) * UUID_BYTES] for c in chunks]
    return np.concatenate([np.empty(0, np.uint8), *flat]).reshape(-1, UUID_BYTES)


def uuid_columns(con: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    """The tables and columns of a database that hold pseudonyms."""
    return con.execute(
        "select table_name, column_name from duckdb_columns() where database_name = ? and data_type = 'UUID' "
        "order by table_name, column_index",
        [database],
    ).fetchall()


def unpacked(database: Path, copy: Path) -> Path:
    """A DuckDB file's rows in a new file, every value a line of plain text and nothing compressed, to be scanned."""
    with duckdb.connect(copy) as con:
        con.execute("set force_compression = 'uncompressed'")
        con.execute(f"attach {literal(str(database))} as packed (read_only)")
        names = con.execute("select table_name from duckdb_tables() where database_name = 'packed'").fetchall()
        for (name,) in names:
            # each value ends its line: run together, the figures of many rows can read like somebody's number
            con.execute(f'create table "{name}" as select cast(columns(*) as varchar) || chr(10) from packed."{name}"')
        con.execute("detach packed")
    return copy
