"""The dashboard stands on releases alone, and its parts on as little as they need."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
FILES = sorted(DASHBOARD.rglob("*.py"))
ALSO = ("tables.py", "tables_voice.py", "published.py", "access.py", "sight.py", "periods.py", "compared.py", "record.py", "packs.py")
PURE = ("charts", "exports", "findings", "style")


def imports(file: Path) -> set[str]:
    """The top-level packages a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(DASHBOARD)))
def test_nothing_is_imported_from_the_pipeline(file: Path) -> None:
    assert not imports(file) & {"pipelines", "great_expectations"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(DASHBOARD)))
def test_only_published_reads(file: Path) -> None:
    if file.name != "published.py":
        assert "duckdb" not in imports(file)


@pytest.mark.parametrize(
    "file",
    [f for f in FILES if f.parent.name in PURE or (f.parent == DASHBOARD and f.name in ALSO)],
    ids=lambda f: str(f.relative_to(DASHBOARD)),
)
def test_what_could_be_used_without_streamlit_is(file: Path) -> None:
    assert "streamlit" not in imports(file)
