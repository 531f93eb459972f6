"""The example's own words for things: sources.toml read backwards, from the contract to the extract."""

from __future__ import annotations

import tomllib
from pathlib import Path

TEXT = (Path(__file__).parent / "sources.toml").read_text(encoding="utf-8")
_TABLES = tomllib.loads(TEXT)["tables"]


def column(table: str, name: str) -> str:
    """What the extract of `table` calls a column of the contract; other columns keep their name."""
    return str(_TABLES[table]["columns"].get(name, name))


def code(table: str, name: str, value: str, spelling: int = 0) -> str:
    """How the extract writes a value of the contract: one of its spellings; '' where it has none."""
    codes = [own for own, ours in _TABLES[table].get("codes", {}).get(name, {}).items() if ours == value]
    return codes[spelling % len(codes)] if codes else ""
