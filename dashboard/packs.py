"""The committee's packs: files released into data/packs, listed and read for viewers whose role has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dashboard.access import AccessDeniedError, Ask
from dashboard.published import current_release, is_example, published_folder

KINDS = {
    ".pdf": ("PDF", "application/pdf"),
    ".pptx": ("Slides", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ".xlsx": ("Workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".docx": ("Document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}


@dataclass(frozen=True)
class Pack:
    """One released file."""

    name: str
    kind: str
    mime: str
    size: int  # bytes
    released: datetime  # UTC


def listed(ask: Ask) -> list[Pack]:
    """Packs, the newest first. Raises AccessDeniedError for a role without packs."""
    _allow(ask)
    if not _folder().is_dir():
        return []
    found = []
    for file in _folder().iterdir():
        if _is_pack(file):
            kind, mime = KINDS[file.suffix.lower()]
            status = file.stat()
            found.append(Pack(file.name, kind, mime, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)))
    return sorted(found, key=lambda p: (p.released, p.name), reverse=True)


def read(ask: Ask, name: str) -> bytes:
    """A pack's bytes. Raises AccessDeniedError for a role without packs, or a name that is none of them."""
    if name not in {pack.name for pack in listed(ask)}:
        raise AccessDeniedError("There is no such pack.")
    return (_folder() / name).read_bytes()


def _folder() -> Path:
    return published_folder().parent / "packs"


def _is_pack(file: Path) -> bool:
    hidden = file.name.startswith((".", "~"))
    return file.suffix.lower() in KINDS and not hidden and not file.is_symlink() and file.is_file()


def _allow(ask: Ask) -> None:
    if not ask(is_example(current_release())).takes("packs"):
        raise AccessDeniedError("Packs are not part of your role.")
