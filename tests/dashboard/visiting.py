"""Opening pages as somebody, and reading everything that reaches their browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from tests.dashboard.sample_university import FACULTIES, SCHOOLS
from tests.dashboard.signing_in import sign_in

ROOT = Path(__file__).resolve().parents[2]
NAMES = {f"school:{f}{i}": name for f, names in SCHOOLS.items() for i, name in enumerate(names, 1)}
NAMES |= {f"faculty:{code}": name for code, (name, _) in FACULTIES.items()}
SEEN = {
    "university lead": set(NAMES),
    "faculty lead": {"faculty:ENG", *(f"school:ENG{i}" for i in range(1, 6))},
    "school lead": {"faculty:ENG", "school:ENG3"},
    "committee member": set(),
    "data steward": set(),
}

VIEWS: list[tuple[str, dict[str, str]]] = [
    ("overview", {}),
    *(("schools", {"metric": "trust", "drawn": drawn}) for drawn in ("rows", "funnel", "tutors", "modes", "years")),
    ("schools", {"metric": "trust", "order": "value"}),
    *(("equity", {"metric": "trust", "view": view}) for view in ("who", "where", "map", "why", "years", "spread")),
    ("quality", {"view": "record"}),
]


def visit(
    page: str, email: str | None, query: dict[str, str] | None = None, signs_in: bool = True, **more: Any
) -> AppTest:
    """Open a page as somebody (or nobody) with filters in its URL; without `signs_in`, sign-in is not configured."""
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
    if signs_in:
        sign_in(app, email, **more)
    for name, value in (query or {}).items():
        app.query_params[name] = value
    app._page_hash = "" if page == "overview" else calc_hash(page)
    return app.run()


def nodes(block: Any) -> Iterator[Any]:
    for child in getattr(block, "children", {}).values():
        yield child
        yield from nodes(child)


def everything(app: AppTest) -> str:
    """Whatever reaches the browser: every element as it is sent."""
    sent = [str(getattr(node, "proto", "")) for node in nodes(app._tree)]
    return "\n".join(sent)


def names_told(text: str) -> set[str]:
    """Units whose name or code is in the text."""
    return {unit for unit, name in NAMES.items() if name in text or f'"{unit}"' in text}
