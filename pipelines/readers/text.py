"""Text files as they come: gzip or not, in any encoding. Every byte is looked at, so nothing is guessed."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, cast

import numpy as np

from pipelines.errors import InputError

CHUNK = 1 << 22
GZIP = b"\x1f\x8b"
OTHER_KINDS = {
    b"PK\x03\x04": "a spreadsheet or a zip archive: give it its own ending (.xlsx), or unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel file: give it its own ending (.xls), or save it as CSV",
    b"PAR1": "a Parquet file: give it the ending .parquet",
    b"%PDF": "a PDF: export the table as CSV",
}
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
UTF8 = ("utf-8", "utf-8-sig")
UNDEFINED_IN_WINDOWS_1252 = b"\x81\x8d\x8f\x90\x9d"
AS_UTF8 = rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
ASCII = bytes(range(128))


class Tally:
    """What is counted in a text while it goes by as UTF-8."""

    def __init__(self) -> None:
        self.padded = False  # tabs or no-break spaces somewhere: trimming spaces is not enough
        self.ends = {"\n": 0, "\r\n": 0, "\r": 0}
        self._records = 0
        self._quoted = self._after_return = False
        self._last = b""

    def add(self, chunk: bytes) -> None:
        """Count one more piece of the text."""
        if not chunk:
            return
        feeds = chunk.count(b"\n")
        if b"\r" in chunk or self._last == b"\r":
            pairs = chunk.count(b"\r\n") + (self._last == b"\r" and chunk.startswith(b"\n"))
            self.ends["\r\n"] += pairs
            self.ends["\r"] += chunk.count(b"\r") - pairs
            self.ends["\n"] -= pairs
        self.ends["\n"] += feeds
        self.padded = self.padded or b"\t" in chunk or (not chunk.isascii() and b"\xc2\xa0" in chunk)
        self._records += self._ends_outside_quotes(chunk) if self._quoted or b'"' in chunk else feeds
        self._last = chunk[-1:]

    def _ends_outside_quotes(self, chunk: bytes) -> int:
        values = np.frombuffer(chunk, dtype=np.uint8)
        quotes, ends = np.flatnonzero(values == ord('"')), np.flatnonzero(values == ord("\n"))
        quotes_before = np.searchsorted(quotes, ends) + self._quoted
        self._quoted = bool((len(quotes) + self._quoted) % 2)
        return int((quotes_before % 2 == 0).sum())

    @property
    def records(self) -> int:
        """Line ends outside quotation marks, and the last line where it has no end."""
        return self._records + (self._last not in (b"\n", b""))

    @property
    def mixed(self) -> bool:
        """Whether there is more than one kind of line end, or only the old Macintosh one."""
        return bool(self.ends["\r"] or (self.ends["\n"] and self.ends["\r\n"]))


@dataclass(frozen=True)
class TextFile:
    """A text file that was looked through: how to read it, and what was counted if DuckDB can do so itself."""

    path: Path
    zipped: bool
    encoding: str
    tally: Tally | None = None


def look_through(path: Path, encoding: str | None) -> TextFile:
    """Read a whole file to learn its encoding (unless given) and to count its records.

    Raises InputError where it is empty, cut off, not text, or not in the encoding given.
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == GZIP
    chunks = _bytes(path, zipped)
    first = next(chunks, b"")
    if not first.strip():
        raise InputError(f"{path.name} is empty. Export it again, with its column names.")
    for magic, what in OTHER_KINDS.items():
        if first.startswith(magic):
            raise InputError(f"{path.name} is not a CSV file but {what}.")

    marked = next((name for mark, name in MARKS.items() if first.startswith(mark)), None) or _utf16_without_mark(first)
    stated = encoding or marked
    if stated and stated not in UTF8:
        return TextFile(path, zipped, stated)

    tally, decoder, valid = Tally(), codecs.getincrementaldecoder("utf-8")(), True
    for chunk in chain([first], chunks):
        if b"\0" in chunk:
            line = sum(tally.ends.values()) + chunk[: chunk.index(b"\0")].count(b"\n") + 1
            raise InputError(_damaged(path, f"a NUL byte on line {line:,}"))
        tally.add(chunk)
        if valid and not (chunk.isascii() and decoder.getstate()[0] == b""):
            valid = _decodes(decoder, chunk)
    if valid and _decodes(decoder, b"", final=True):
        return TextFile(path, zipped, "utf-8-sig", None if tally.mixed else tally)
    if stated:
        raise InputError(_wrong_encoding(path, stated))
    return TextFile(path, zipped, _single_byte_encoding(path, zipped))


def decoded(file: TextFile) -> Iterator[str]:
    """The text of a file, strictly decoded, with Unix line ends. Raises InputError on a byte that is wrong."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(file.encoding)(), translate=True)
    try:
        for chunk in _bytes(file.path, file.zipped):
            text = decoder.decode(cast(str, chunk))
            if "\0" in text:
                raise InputError(_damaged(file.path, "NUL characters"))
            yield text
        yield decoder.decode(cast(str, b""), final=True)
    except UnicodeError:
        raise InputError(_wrong_encoding(file.path, file.encoding)) from None


@contextmanager
def as_utf8(file: TextFile) -> Iterator[tuple[str, Tally]]:
    """A path from which to read the file as UTF-8 once, and its tally, which is complete after the block.

    What is UTF-8 already is given as it is; anything else goes through a pipe, so that no copy of
    student-level data is written to disk. Raises InputError (at the end) on a byte that is wrong.
    """
    if file.tally:
        yield str(file.path), file.tally
        return
    tally, failures = Tally(), list[InputError]()
    reading, writing = os.pipe()

    def write() -> None:
        try:
            with os.fdopen(writing, "wb") as pipe:
                for text in decoded(file):
                    tally.add(chunk := text.removeprefix("\ufeff").encode())
                    pipe.write(chunk)
        except BrokenPipeError:
            pass  # the reader stopped early and says why
        except InputError as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield f"/dev/fd/{reading}", tally
    finally:
        os.close(reading)
        writer.join()
        if failures:
            raise failures[0]


def _bytes(path: Path, zipped: bool) -> Iterator[bytes]:
    with cast(IO[bytes], gzip.open(path) if zipped else path.open("rb")) as opened:
        try:
            while chunk := opened.read(CHUNK):
                yield chunk
        except EOFError:
            raise InputError(f"{path.name} is cut off: its gzip stream ends too early. Copy it again.") from None
        except (zlib.error, gzip.BadGzipFile):
            raise InputError(f"{path.name} is damaged: its gzip stream cannot be read. Copy it again.") from None


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(start: bytes) -> str | None:
    """UTF-16 without its mark is told by every other byte at the beginning being NUL."""
    even, odd = start[:2000:2], start[1:2000:2]
    if odd.count(0) > 0.8 * len(odd) and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.8 * len(even) and not odd.count(0) else None


def _single_byte_encoding(path: Path, zipped: bool) -> str:
    """Windows-1252, the usual encoding of what is not UTF-8; InputError where it cannot be that."""
    high, like_utf8 = b"", 0
    for chunk in _bytes(path, zipped):
        found = chunk.translate(None, ASCII)
        high = bytes(set(high + found))
        # an accented capital with a symbol after it is rare in real text, and how UTF-8 looks in Windows-1252
        like_utf8 += 10 * len(b"".join(re.findall(AS_UTF8, chunk))) - len(found)
    if like_utf8 > 0:
        raise InputError(_damaged(path, "UTF-8 and bytes that are not"))
    if set(high) & set(UNDEFINED_IN_WINDOWS_1252):
        raise InputError(
            f"{path.name} is neither UTF-8 nor Windows-1252. Export it as CSV UTF-8, or name its encoding in "
            f'sources.toml (for instance encoding = "mac-roman").'
        )
    return "cp1252"


def _damaged(path: Path, found: str) -> str:
    return f"{path.name} holds {found}: the file is damaged or mixes encodings. Export it again as CSV UTF-8."


def _wrong_encoding(path: Path, encoding: str) -> str:
    return (
        f"{path.name} is not {encoding.removesuffix('-sig')} throughout. Remove `encoding` for this table from "
        f"sources.toml to have it detected, or export the file again as CSV UTF-8."
    )
