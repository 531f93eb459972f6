"""A pack as a PDF: tagged for screen readers (PDF/UA-1), with bookmarks, embedded fonts and charts as vectors."""

from __future__ import annotations

import importlib.util
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import typst

from dashboard.exports.figure import Figure
from dashboard.exports.story import Story
from dashboard.style.theme import LIGHT

TEMPLATE = Path(__file__).with_name("document.typ")
FONTS = ("font_source_sans_pro", "font_source_serif_pro")
UNIVERSAL = "ua-1"
PREVIEW = 80  # pixels per inch
FITS, LONG = 22, 40  # characters


def make(story: Story, charts: Mapping[str, bytes] | None = None) -> bytes:
    """The PDF, with charts drawn already as SVG (key of figure → bytes); a chart that is not there is a table.

    Texts go into the template as JSON and never as markup, so that nothing in them is obeyed.
    """
    with tempfile.TemporaryDirectory() as held:
        made = _typeset(story, Path(held), charts or {}, {"format": "pdf", "pdf_standards": [UNIVERSAL]})
    assert isinstance(made, bytes)
    return made


def first_pages(story: Story, count: int = 2) -> list[bytes]:
    """The first pages as PNG, which hold no chart: the cover and the summary."""
    with tempfile.TemporaryDirectory() as held:
        made = _typeset(story, Path(held), {}, {"format": "png", "ppi": PREVIEW}, preview=True)
    return list(made)[:count] if isinstance(made, list) else [made]


def _typeset(
    story: Story, folder: Path, charts: Mapping[str, bytes], how: dict[str, Any], preview: bool = False
) -> bytes | list[bytes]:
    names = {key: f"figure-{n}.svg" for n, key in enumerate(charts, 1)}
    for key, name in names.items():
        (folder / name).write_bytes(charts[key])
    (folder / "story.json").write_text(
        json.dumps(contents(story, names) | {"preview": preview}, ensure_ascii=True), encoding="utf-8"
    )
    (folder / TEMPLATE.name).write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    found = [str(path) for path in fonts()]
    made = typst.compile(
        str(folder / TEMPLATE.name), root=str(folder), font_paths=found, ignore_system_fonts=True, **how
    )
    assert made is not None
    return made


def fonts() -> list[Path]:
    """Folders of the fonts that are embedded."""
    found = [importlib.util.find_spec(name) for name in FONTS]
    return [Path(place) / "files" for spec in found if spec for place in spec.submodule_search_locations or ()]


def contents(story: Story, charts: Mapping[str, str]) -> dict[str, Any]:
    """The whole story as the template reads it. `charts`: figure → name of its file."""
    names = ("page", "panel", "ink", "muted", "line", "accent", "attention", "well")
    return {
        "title": story.title,
        "university": story.university,
        "scope": story.scope,
        "period": story.period,
        "release": story.release,
        "made": story.made,
        "data_through": story.data_through,
        "status": story.status,
        "example": story.example,
        "source": story.source,
        "question": story.question,
        "answer": story.answer,
        "how_sure": story.how_sure,
        "headlines": [vars(h) for h in story.headlines],
        "findings": [
            {
                "lead": f.lead,
                "headline": f.headline,
                "text": f.text,
                "caveat": f.caveat,
                "verdict": f.verdict,
                "lists": [vars(n) for n in f.lists],
                "figure": _figure(story, f.figure, charts) if f.figure else None,
            }
            for f in story.findings
        ],
        "sections": [
            {
                "title": s.title,
                "text": list(s.text),
                "figures": [_figure(story, f, charts) for f in s.figures],
                "lists": [vars(n) for n in s.lists],
                "tables": [{"caption": t.caption, **_table(t.words, t.numeric)} for t in s.tables],
            }
            for s in story.sections
        ],
        "figures": [_figure(story, f, charts) for f in story.figures],
        "methods": [list(x) for x in story.methods],
        "disclosure": list(story.disclosure),
        "glossary": [list(x) for x in story.glossary],
        "definitions": _table(story.definitions, ()),
        "commentary": list(story.commentary),
        "actions": list(story.actions),
        "steps": list(story.steps),
        "colours": {name: getattr(LIGHT, name) for name in names} | {"grey": LIGHT.context},
    }


def _figure(story: Story, figure: Figure, charts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "number": story.number(figure),
        "title": figure.title,
        "subtitle": figure.subtitle,
        "alt": figure.alt,
        "note": figure.note,
        "legend": [list(x) for x in figure.legend],
        "chart": charts.get(figure.key),
        "table": _table(figure.table, figure.numeric),
    }


def _table(table: pd.DataFrame, numeric: tuple[str, ...]) -> dict[str, Any]:
    names = [str(c) for c in table.columns]
    rows = [["–" if v is None or v != v else str(v) for v in row] for row in table.itertuples(index=False, name=None)]
    longest = [max([len(n) // 2, *(len(row[i]) for row in rows)], default=1) for i, n in enumerate(names)]
    return {
        "columns": names,
        "numeric": [n in numeric for n in names],
        "rows": rows,
        # Short columns are as wide as they are; long ones share what is left and wrap.
        "widths": [0 if n <= FITS and i else min(n, LONG) for i, n in enumerate(longest)],
    }
