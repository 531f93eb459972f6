"""A released pack as it lies in data/packs, without making one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

DATA = b"%PDF a pack"


def write_pack(
    data: Path, name: str = "committee", scope: str = "university", title: str = "The whole university", *,
    example: bool = False,
) -> Path:  # fmt: skip
    """Write a pack of one PDF, `name`.pdf; returns its folder."""
    folder = data / "packs" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.pdf").write_bytes(DATA)
    digest = hashlib.sha256(DATA).hexdigest()
    told = {
        "name": name,
        "title": title,
        "scope": scope,
        "within": [scope],
        "period": "2025/26",
        "release": "2026-11-30-0600-a1b2c3",
        "example": example,
        "released_by": "lead@northmere.example (University lead)",
        "released": "2026-12-01T09:00:00+00:00",
        "files": [{"name": f"{name}.pdf", "kind": "pdf", "size": len(DATA), "sha256": digest}],
    }
    (folder / "pack.json").write_text(json.dumps(told), encoding="utf-8")
    return folder
