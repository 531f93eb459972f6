"""Released packs: files that the committee gets, never changed once released, withdrawn only with a trace.

One folder each in data/packs: the files, `pack.json` (what, by whom, when, and each file's SHA-256) and, once it is
withdrawn, `withdrawn.json` in place of the files.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.access import FACULTY_LEAD, AccessDeniedError, Ask, Viewer
from dashboard.exports import inert
from dashboard.exports.make import FORMATS, Tell, make, stem
from dashboard.exports.scope import narrowed, offered
from dashboard.exports.story import Request
from dashboard.published import current_release, is_example, open_release, published_folder
from dashboard.style import words

MANIFEST, WITHDRAWN = "pack.json", "withdrawn.json"
MOST_OF_A_REASON = 500  # characters
Record = Callable[[str, str, bytes], None]  # event, what, artefact; raises where it cannot be recorded


class DamagedPackError(Exception):
    """A released pack is no longer what was released; the message says what to do."""


@dataclass(frozen=True)
class File:
    """One file of a pack."""

    name: str
    kind: str
    size: int  # bytes
    sha256: str

    @property
    def label(self) -> str:
        """What readers call its format."""
        return FORMATS[self.kind][0]

    @property
    def mime(self) -> str:
        return FORMATS[self.kind][1]


@dataclass(frozen=True)
class Pack:
    """One released pack, and by whom and why it was withdrawn, if it was."""

    name: str
    title: str
    scope: str
    within: tuple[str, ...]  # the scope and the units it belongs to
    period: str
    release: str
    example: bool
    released_by: str
    released: datetime  # UTC
    files: tuple[File, ...]
    withdrawn_by: str = ""
    withdrawn: datetime | None = None
    why: str = ""


def listed(ask: Ask) -> list[Pack]:
    """Packs the viewer may see, the newest first. Raises AccessDeniedError for a role without packs."""
    example = is_example(current_release())
    viewer = ask(example)
    if not viewer.takes("packs"):
        raise AccessDeniedError("Packs are not part of your role.")
    found = [pack for folder in _folders() if (pack := _read(folder)) and _sees(viewer, pack, example)]
    return sorted(found, key=lambda p: (p.released, p.name), reverse=True)


def read(ask: Ask, name: str, file: str) -> bytes:
    """A file of a pack, as it was released.

    Raises AccessDeniedError for a pack that the viewer may not see or that was withdrawn, DamagedPackError where the
    file is another than the one released.
    """
    pack = next((p for p in listed(ask) if p.name == name and not p.withdrawn), None)
    held = next((f for f in pack.files if f.name == file), None) if pack else None
    if held is None:
        raise AccessDeniedError("There is no such pack.")
    try:
        data = (_folder() / name / held.name).read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != held.sha256:
        raise DamagedPackError("This file is not the one that was released. Ask the data team.")
    return data


def release(
    ask: Ask, request: Request, formats: Iterable[str], record: Record, tell: Tell = lambda _, __: None
) -> tuple[Pack, tuple[str, ...]]:
    """Make a pack and release it to the committee; also what went otherwise than asked for.

    It is recorded first, and only then there for anybody to see. Raises AccessDeniedError where the scope is not the
    viewer's.
    """
    asked = narrowed(ask, request.scope)
    viewer, now = ask(is_example(current_release())), datetime.now(UTC)
    by = signed(viewer)
    made = make(asked, replace(request, status=f"Released by {by} on {words.day(now)}"), formats, tell)
    units = open_release(ask).units  # a school's own pack may not know its faculty, a faculty lead does
    parent = str(units.loc[request.scope, "parent"] or "")
    name = f"{stem(request)}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    files = tuple(
        File(f"{name}.{kind}", kind, len(data), hashlib.sha256(data).hexdigest()) for kind, data in made.files.items()
    )
    pack = Pack(
        name=name,
        title=made.story.scope,
        scope=request.scope,
        within=tuple(unit for unit in (request.scope, parent) if unit in units.index),
        period=made.story.period,
        release=made.story.release,
        example=made.story.example,
        released_by=by,
        released=now.replace(microsecond=0),
        files=files,
    )
    draft = _folder() / f".{name}"
    draft.mkdir(mode=0o750, parents=True)
    try:
        for file in files:
            _write(draft / file.name, made.files[file.kind])
        manifest = _manifest(pack)
        _write(draft / MANIFEST, manifest)
        if request.scope not in offered(ask):
            raise AccessDeniedError("What you may see has changed. Open the page again.")
        record("release", name, manifest)
        draft.rename(_folder() / name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return pack, made.notes


def withdraw(ask: Ask, name: str, why: str, record: Record) -> None:
    """Take a pack back: its files go, who released it and who withdrew it, when and why, stay.

    Raises AccessDeniedError where the pack's scope is not the viewer's, ValueError without a reason.
    """
    reason = " ".join(inert.paragraphs(why))[:MOST_OF_A_REASON]
    if not reason:
        raise ValueError("Say why: the reason stays on the list.")
    pack = next((p for p in listed(ask) if p.name == name and not p.withdrawn), None)
    if pack is None or pack.scope not in offered(ask):
        raise AccessDeniedError("There is no such pack for you to withdraw.")
    trace = {
        "withdrawn_by": signed(ask(pack.example)),
        "withdrawn": datetime.now(UTC).isoformat(timespec="seconds"),
        "why": reason,
    }
    data = json.dumps(trace, ensure_ascii=False, indent=1).encode()
    record("withdrawal", name, data)
    _write(_folder() / name / WITHDRAWN, data)
    for file in pack.files:
        (_folder() / name / file.name).unlink(missing_ok=True)


def may_withdraw(ask: Ask) -> set[str]:
    """Scopes whose packs the viewer may take back; none for a role that makes no packs."""
    try:
        return set(offered(ask))
    except AccessDeniedError:
        return set()


def signed(viewer: Viewer) -> str:
    """Who releases, as readers see it: the example has roles instead of people."""
    return f"the {viewer.role}" if viewer.name == "example" else f"{viewer.name} ({viewer.role})"


def _sees(viewer: Viewer, pack: Pack, example: bool) -> bool:
    """Real packs are shown beside real releases only: the example lets anybody choose to be anyone."""
    return pack.example == example and (viewer.role != FACULTY_LEAD or viewer.scope in pack.within)


def _folder() -> Path:
    return published_folder().parent / "packs"


def _folders() -> list[Path]:
    if not _folder().is_dir():
        return []
    return [f for f in _folder().iterdir() if f.is_dir() and not f.is_symlink() and not f.name.startswith(".")]


def _read(folder: Path) -> Pack | None:
    """A released pack; None where the folder holds none that can be read."""
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = tuple(File(**f) for f in told.pop("files"))
        if told["name"] != folder.name or any(Path(f.name).name != f.name or f.kind not in FORMATS for f in files):
            return None
        told |= {"released": datetime.fromisoformat(told["released"]), "within": tuple(told["within"])}
        if (folder / WITHDRAWN).exists():
            told |= json.loads((folder / WITHDRAWN).read_text(encoding="utf-8"))
            told["withdrawn"] = datetime.fromisoformat(told["withdrawn"])
        return Pack(files=files, **told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _manifest(pack: Pack) -> bytes:
    told = asdict(pack) | {"released": pack.released.isoformat()}
    for name in ("withdrawn_by", "withdrawn", "why"):
        told.pop(name)
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _write(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    file.chmod(0o440)
