"""The audit log: who saw or took what, never a value, in a file that shows when it has been tampered with.

One line of JSON per record. Each holds its own hash and that of the record before it; `head.json` beside the log
says how many records there are and how the last one ends, so that a shortened log is found as well. Whoever can
write both files can still forge both: keep an anchor (`verify` prints it) somewhere else.

The dashboard writes it, the pipelines' command line verifies it; it knows neither.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock

LOG, HEAD, LOCK = "audit.jsonl", "head.json", ".lock"
NOTHING = "0" * 64  # what the first record follows
EVENTS = ("sign-in", "view", "download", "refusal", "release", "withdrawal")
PATIENCE = 10  # seconds to wait for another writer
MOST_PROBLEMS = 20  # told one by one


class AuditError(Exception):
    """The log cannot be written or read; the message says why."""


@dataclass(frozen=True)
class Head:
    """How the log ends: records written, hash of the last, bytes of the log, and the record now being written."""

    count: int = 0
    last: str = NOTHING
    size: int = 0
    pending: str = ""

    @property
    def anchor(self) -> str:
        """What to keep elsewhere: 'count:hash'."""
        return f"{self.count}:{self.last}"


def record(
    folder: Path,
    event: str,
    *,
    viewer: str,
    role: str = "",
    scope: str = "",
    release: str = "",
    what: str = "",
    artefact: str = "",
) -> None:
    """Append one record and wait until it is on disk.

    event: one of EVENTS; what: the page with its filters, or the artefact's name; artefact: SHA-256 of its bytes.
    Raises AuditError where it cannot be written: then nothing may be shown.
    """
    if event not in EVENTS:
        raise ValueError(f"{event!r} is none of {EVENTS}")
    with _locked(folder):
        head = _finished(folder, _head(folder))
        line = _line(
            {
                "n": head.count + 1,
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "event": event,
                "viewer": viewer,
                "role": role,
                "scope": scope,
                "release": release,
                "what": what,
                "artefact": artefact,
                "previous": head.last,
            }
        )
        # What is about to be written is noted first: a crash in between is mended, and not taken for a forgery.
        head = Head(head.count, head.last, _size(folder), line)
        _write_head(folder, head)
        _append(folder, line)
        _write_head(folder, _after(folder, head))


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """The records in order, as they stand in the log: `verify` says whether they are to be believed."""
    for line in _lines(folder):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def verify(folder: Path, anchor: str = "") -> tuple[Head, list[str]]:
    """How the log ends, and what is wrong with it, in words: nothing where it is whole.

    anchor: 'count:hash' as an earlier verification printed it, from where no writer of the log could change it.
    Raises AuditError where the log cannot be read, or the anchor is none.
    """
    kept = _parsed_anchor(anchor)
    with _locked(folder):
        try:
            head = _finished(folder, _head(folder))
        except AuditError as error:
            return Head(), [str(error)]
        problems: list[str] = []
        last, expected = NOTHING, 1
        for number, line in enumerate(_lines(folder), 1):
            found = _checked(line)
            if found is None:
                problems.append(f"Line {number} was edited: it does not match its own hash.")
                found = _believed(line, expected)
            elif found["n"] == expected and found["previous"] != last and number > 1:
                problems.append(f"Line {number} does not follow the line before it: one of the two was replaced.")
            elif found["n"] == expected and found["previous"] != last:
                problems.append("Line 1 follows a line that is not there.")
            if found["n"] > expected:
                gone = f"record {expected}" if found["n"] == expected + 1 else f"records {expected} to {found['n'] - 1}"
                problems.append(f"Before line {number}, {gone} should stand: removed or moved.")
            elif found["n"] < expected:
                problems.append(f"Line {number} holds record {found['n']} again or out of order.")
            if kept and found["n"] == kept[0] and found["hash"] != kept[1]:
                problems.append(f"Record {kept[0]} (line {number}) is not the one the anchor was taken from.")
            last, expected = found["hash"], found["n"] + 1
        problems += _ending(head, expected - 1, last, kept)
        return head, problems


def _ending(head: Head, count: int, last: str, kept: tuple[int, str] | None) -> list[str]:
    """What is wrong with the end of a log whose last record is number `count`."""
    problems = []
    if count < head.count:
        gone = f"record {head.count}" if count + 1 == head.count else f"records {count + 1} to {head.count}"
        problems.append(f"The end is missing: {gone}.")
    elif count > head.count:
        extra = f"Record {count}" if count == head.count + 1 else f"Records {head.count + 1} to {count}"
        problems.append(f"{extra} at the end were not written by the dashboard.")
    elif last != head.last:
        problems.append(f"Record {count}, the last, is not the one that was written.")
    if kept and kept[0] > count:
        problems.append(f"The anchor is of record {kept[0]}, and the log ends at {count}.")
    return problems


def _parsed_anchor(anchor: str) -> tuple[int, str] | None:
    if not anchor:
        return None
    found = re.fullmatch(r"([0-9]+):([0-9a-f]{64})", anchor.strip())
    if not found:
        raise AuditError(
            f"{anchor!r} is no anchor. Give the whole of what an earlier --verify printed: a number, a colon and 64 "
            f"hexadecimal digits, such as 1234:ab12…"
        )
    return int(found[1]), found[2]


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields | {"hash": _hash(fields)}, ensure_ascii=True)


def _hash(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, ensure_ascii=True).encode()).hexdigest()


def _checked(line: str) -> dict[str, Any] | None:
    """A record that is exactly as it was written, or None."""
    try:
        fields = json.loads(line)
        stated = fields.pop("hash")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    is_whole = isinstance(fields.get("n"), int) and "previous" in fields and _line(fields) == line
    return fields | {"hash": stated} if is_whole and stated == _hash(fields) else None


def _believed(line: str, expected: int) -> dict[str, Any]:
    """Where an edited line says it stands, so that what follows it is judged by itself."""
    try:
        fields = json.loads(line)
    except ValueError:
        fields = {}
    fields = fields if isinstance(fields, dict) else {}
    return {"n": expected, "hash": str(fields.get("hash"))}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:  # as it comes from a checkout
            folder.chmod(0o700)
        with filelock.FileLock(folder / LOCK, timeout=PATIENCE, mode=0o600):
            yield
    except filelock.Timeout as error:
        raise AuditError(f"The audit log in {folder} is in use by another process.") from error
    except OSError as error:
        raise AuditError(f"The audit log in {folder} cannot be used: {error.strerror or error}.") from error


def _head(folder: Path) -> Head:
    try:
        return Head(**json.loads((folder / HEAD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Head()
    except (ValueError, TypeError) as error:
        raise AuditError(f"{HEAD}, which says how the audit log ends, was edited or is damaged.") from error


def _finished(folder: Path, head: Head) -> Head:
    """The head once a record that a crash cut off is completed."""
    if not head.pending:
        return head
    with _opened(folder) as file:
        file.seek(head.size)
        written = file.read()
        whole = (head.pending + "\n").encode()
        if written != whole and whole.startswith(written):
            file.truncate(head.size)
            file.seek(head.size)
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
    head = _after(folder, head)
    _write_head(folder, head)
    return head


def _after(folder: Path, head: Head) -> Head:
    return Head(head.count + 1, json.loads(head.pending)["hash"], _size(folder))


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    descriptor = os.open(folder / LOG, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        yield file


def _append(folder: Path, line: str) -> None:
    with _opened(folder) as file:
        file.seek(0, os.SEEK_END)
        file.write((line + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def _size(folder: Path) -> int:
    try:
        return (folder / LOG).stat().st_size
    except FileNotFoundError:
        return 0


def _write_head(folder: Path, head: Head) -> None:
    draft = folder / f"{HEAD}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(head), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, folder / HEAD)


def _lines(folder: Path) -> Iterator[str]:
    """Lines as bytes stand: only a line feed ends one, and a last line without it is not whole."""
    try:
        with (folder / LOG).open("rb") as file:
            for line in file:
                text = line.decode("utf-8", "replace")
                yield text.removesuffix("\n") if text.endswith("\n") else f"{text}…"
    except FileNotFoundError:
        return
