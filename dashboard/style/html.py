"""Small pieces of accessible HTML: tables, cards, keys. Text in, markup out; everything is escaped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

DOUBT = "†"  # of a figure that is to be read with care


def paragraph(kind: str, text: str) -> str:
    """A paragraph in one of the style sheet's kinds: eyebrow, subtitle, note, banner or foot."""
    return f'<p class="{kind}">{escape(text)}</p>'


def listed(texts: Sequence[str]) -> str:
    """Quiet paragraphs, one below the other."""
    return "".join(paragraph("note", text) for text in texts)


def table(
    frame: pd.DataFrame, caption: str, numeric: Collection[str] = (), widths: Mapping[str, int] | None = None
) -> str:
    """A static table with a caption and row headings; `numeric` columns are set right. `widths`: of columns, in per
    cent, so that tables one above the other line up.

    On narrow screens each row becomes a small block, so every cell carries its column's name; the roles keep
    it a table for screen readers there.
    """
    columns = [str(c) for c in frame.columns]
    heads = "".join(f'<th scope="col" role="columnheader"{_right(c, numeric)}>{escape(c)}</th>' for c in columns)
    body = "".join(_row(columns, values, numeric) for values in frame.itertuples(index=False, name=None))
    kind, wide = "table", ""
    if widths:
        kind, wide = "table even", "".join(f'<col style="width: {widths[c]}%">' for c in columns)
    return (
        f'<div class="{kind}"><table role="table"><caption class="unseen">{escape(caption)}</caption>{wide}'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead><tbody role="rowgroup">{body}</tbody></table></div>'
    )


@dataclass(frozen=True)
class Mark:
    """A cell of a table that says where something stands: a mark and words, in the colour of its verdict."""

    glyph: str
    text: str
    verdict: str  # well, attention or context

    def __str__(self) -> str:
        return f"{self.glyph} {self.text}"


@dataclass(frozen=True)
class Figure:
    """A figure in a table of many: a mark where it stands out, and † where it is in doubt, both said in words too."""

    value: str
    interval: str = ""
    glyph: str = ""
    said: str = ""
    verdict: str = "context"  # well, attention or context
    doubt: str = ""
    is_figure: bool = True  # else a word for why there is none

    def __str__(self) -> str:
        return " ".join(part for part in (self.value, self.glyph, self.said, DOUBT if self.doubt else "") if part)

    @property
    def markup(self) -> str:
        """The figure as a table cell shows it."""
        if not self.is_figure:
            return f'<span class="none">{escape(self.value)}</span>'
        marks = [(self.glyph, self.said, self.verdict), (DOUBT if self.doubt else "", self.doubt, "context")]
        marked = "".join(
            f' <span class="mark {kind}" aria-hidden="true">{escape(glyph)}</span>'
            f'<span class="unseen">{escape(said)}</span>'
            for glyph, said, kind in marks
            if glyph
        )
        return f'<b>{escape(self.value)}</b>{marked} <span class="sure">{escape(self.interval)}</span>'


def matrix(
    frame: pd.DataFrame, caption: str, links: Mapping[str, str], notes: Mapping[str, str], own: Collection[str] = ()
) -> str:
    """A table of `Figure` that scrolls sideways in itself, its row headings staying in sight.

    links, notes: where a column's name leads, and what is said under it; `own`: names of rows to highlight.
    """
    first, *columns = (str(c) for c in frame.columns)
    own_row = ' class="own"'
    heads = "".join(
        f'<th scope="col"><a href="{escape(links[c])}">{escape(c)}</a>'
        f"{f'<span>{escape(notes[c])}</span>' if notes.get(c) else ''}</th>"
        for c in columns
    )
    body = "".join(
        f'<tr{own_row if name in own else ""}><th scope="row">{escape(str(name))}</th>'
        f"{''.join(f'<td>{figure.markup}</td>' for figure in figures)}</tr>"
        for name, *figures in frame.itertuples(index=False, name=None)
    )
    return (
        f'<div class="matrix" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f'<caption class="unseen">{escape(caption)}</caption>'
        f'<thead><tr><th scope="col">{escape(first)}</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(columns: Sequence[str], values: Sequence[object], numeric: Collection[str]) -> str:
    first, *rest = (_cell(v) for v in values)
    cells = "".join(
        f'<td role="cell" data-label="{escape(c)}"{_right(c, numeric, v)}>{v}</td>'
        for c, v in zip(columns[1:], rest, strict=True)
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{first}</th>{cells}</tr>'


def _cell(value: object) -> str:
    if isinstance(value, Mark):
        glyph = f'<span aria-hidden="true">{escape(value.glyph)}</span>'
        return f'<span class="mark {value.verdict}">{glyph} {escape(value.text)}</span>'
    return escape(str(value))


def _right(column: str, numeric: Collection[str], value: str = "") -> str:
    """Numbers are set right; figures stay on one line, words in their place wrap."""
    kind = "number figure" if any(c.isdigit() for c in value) else "number"
    return f' class="{kind}"' if column in numeric else ""


@dataclass(frozen=True)
class Card:
    """One headline measure."""

    label: str
    value: str
    under: str
    change: str
    verdict: str  # well, attention or context
    out_of: str = ""
    is_figure: bool = True  # a value in words is set smaller
    beside: str = ""  # what it is compared with


def cards(items: Sequence[Card]) -> str:
    """Headline measures side by side, wrapping on narrow screens; their lines stand level."""
    kind = "cards beside" if any(c.beside for c in items) else "cards"
    return (
        f'<ul class="{kind}">'
        + "".join(
            f'<li><span class="label">{escape(c.label)}</span>'
            f'<span class="value{_in_words(c)}">{escape(c.value)}</span>'
            f'{_beside(c)}<span class="under">{escape(c.under)}</span>'
            f'<span class="change {c.verdict}">{escape(c.change)}</span>'
            f'<span class="out-of">{escape(c.out_of)}</span></li>'
            for c in items
        )
        + "</ul>"
    )


def _beside(card: Card) -> str:
    return f'<span class="beside">{escape(card.beside)}</span>' if card.beside else ""


def _in_words(card: Card) -> str:
    return "" if card.is_figure else " words"


Key = tuple[str, str, str]  # what a mark means: colour, glyph, words


def key(items: Sequence[Key]) -> str:
    """What marks mean."""
    return (
        '<ul class="key">'
        + "".join(
            f'<li><span aria-hidden="true" style="color:{escape(colour)}">{escape(glyph)}</span> {escape(text)}</li>'
            for colour, glyph, text in items
        )
        + "</ul>"
    )


MOST_NAMES = 6


@dataclass(frozen=True)
class Named:
    """Names under a heading in the colour of their verdict."""

    heading: str
    explanation: str
    names: Sequence[str]
    verdict: str  # well, attention, context or doubt


def pair(lists: Sequence[Named], most: int = MOST_NAMES) -> str:
    """Lists of names side by side, one above the other on narrow screens; beyond `most`, names are folded away."""
    return (
        '<div class="pair">'
        + "".join(
            f'<section class="named {one.verdict}"><h2>{escape(one.heading)}</h2><p>{escape(one.explanation)}</p>'
            f"{_folded(one.names, most)}</section>"
            for one in lists
        )
        + "</div>"
    )


def _folded(names: Sequence[str], most: int) -> str:
    """The first names, and the rest behind a fold."""
    first, rest = names[:most], names[most:]
    if len(rest) == 1:
        first, rest = names, []
    fold = f"<details><summary>and {len(rest)} more</summary>{_list(rest)}</details>" if rest else ""
    return (_list(first) if first else '<p class="nobody">none</p>') + fold


def _list(names: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(name)}</li>" for name in names) + "</ul>"
