"""A pack's numbers as an accessible workbook: one table per sheet, typed, nothing merged, nothing blank.

After the UK Government Analysis Function's guidance on releasing statistics in spreadsheets.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from dashboard.exports import inert
from dashboard.exports.story import Story
from dashboard.style import words

MOST_OF_A_PROPERTY = 255  # characters that Excel allows
WIDEST, NARROWEST, PAGE, CONTENTS = 60, 11, 100, 90  # characters of a column
LINE, FITS = 15.0, 1.0  # points of a line; how much of a column wrapped words fill
FONT = "Arial"
LINE_LENGTH = 110  # characters of what stands above a table, line by line
STATUSES = (
    "‘hidden to protect people’: there is a figure, and it is not shown. ‘no figure’: there is nobody to count, or no "
    "interval can be given. No cell is blank."
)


@dataclass(frozen=True)
class Sheet:
    """One table and what it is called."""

    name: str
    title: str
    about: str
    table: pd.DataFrame


def workbook(story: Story) -> bytes:
    """The workbook of a story."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties(
        {
            "title": f"{story.title}, {story.scope}, {story.period}",
            "author": story.university,
            "comments": story.source[:MOST_OF_A_PROPERTY],
        }
    )
    _Book(book, story).write()
    book.close()
    return held.getvalue()


def sheets(story: Story) -> Iterator[Sheet]:
    """Every table of the workbook, in reading order."""
    if len(story.headline_numbers):
        yield Sheet("Headlines", "Headline measures", story.answer, story.headline_numbers)
    findings = pd.DataFrame(
        [
            {
                "Finding": f"{f.lead}: {f.headline}",
                "What it says": f.text,
                "Keep in mind": f.caveat,
                "Figure": f"Figure {story.number(f.figure)}" if f.figure else "none",
            }
            for f in story.findings
        ]
    )
    if len(findings):
        yield Sheet("Findings", "Findings", "One row per finding, the most important first.", findings)
    for figure in story.figures:
        n = story.number(figure)
        yield Sheet(
            f"Figure {n}", f"Figure {n}: {figure.title}", f"{figure.subtitle} {figure.note}".strip(), figure.numbers
        )
    number = 0
    for section in story.sections:
        for table in section.tables:
            number += 1
            typed = table.words.assign(**{n: table.words[n].map(_typed) for n in table.numeric if n in table.words})
            held = typed if table.numbers is None else table.numbers
            yield Sheet(f"Table {number}", f"Table {number}: {table.caption}", f"{section.title}.", held)
    yield Sheet("Definitions", "What each measure means", "One row per measure.", story.definitions)
    words = pd.DataFrame(story.glossary, columns=["Word", "Meaning"])
    yield Sheet("Glossary", "Glossary", "One word for one thing.", words)


class _Book:
    """Writes one workbook."""

    def __init__(self, book: Workbook, story: Story) -> None:
        self.book, self.story = book, story
        base = {"font_name": FONT, "font_size": 11, "valign": "top"}
        self.plain: Format = book.add_format(base)
        self.text: Format = book.add_format({**base, "text_wrap": True})
        self.whole: Format = book.add_format({**base, "num_format": "#,##0"})
        self.exact: Format = book.add_format({**base, "num_format": "#,##0.0##"})
        self.right: Format = book.add_format({**base, "align": "right"})
        self.title: Format = book.add_format({**base, "font_size": 16, "bold": True})
        self.heading: Format = book.add_format({**base, "font_size": 13, "bold": True, "valign": "bottom"})
        self.head: Format = book.add_format({**base, "bold": True, "text_wrap": True, "bottom": 1})
        self.link: Format = book.add_format({**base, "font_color": "#1f4fa8", "underline": 1})

    def write(self) -> None:
        held = list(sheets(self.story))
        self._cover()
        self._contents(held)
        self._notes()
        for number, sheet in enumerate(held):
            self._sheet(sheet, number)

    def _page(self, name: str, title: str) -> Worksheet:
        page = self.book.add_worksheet(name)
        page.hide_gridlines(2)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        # The foot of a printed page takes & for a code, and no more than 255 characters.
        page.set_footer("&L&8 " + self.story.source[:110].replace("&", "&&") + "&R&8&P / &N")
        page.write_string(0, 0, str(inert.cell(title)), self.title)
        return page

    def _lines(self, page: Worksheet, lines: list[tuple[str, Format]]) -> None:
        page.set_column(0, 0, PAGE)
        for row, (text, style) in enumerate(lines, 1):
            air = LINE / 2 if style is self.heading else 0.0
            page.set_row(row, _high([(text, PAGE)]) + air)
            page.write_string(row, 0, str(inert.cell(text)), style)

    def _cover(self) -> None:
        s = self.story
        page = self._page("Cover", f"{s.title}: {s.scope}, {s.period}")
        lines = [
            *([("Example data: a fictional university", self.heading)] if s.example else []),
            (s.university, self.text),
            (s.status, self.text),
            (f"Release {s.release}, made on {s.made}. {s.data_through}.", self.text),
            (s.question, self.heading),
            (s.answer, self.text),
            (s.how_sure, self.text),
        ]
        if s.steps:
            lines += [("Where to begin", self.heading), *((text, self.text) for text in s.steps)]
        if s.commentary:
            lines += [("Commentary", self.heading), *((text, self.text) for text in s.commentary)]
        if s.actions:
            lines += [("Agreed actions", self.heading), *((text, self.text) for text in s.actions)]
        self._lines(page, lines)

    def _contents(self, held: list[Sheet]) -> None:
        page = self._page("Contents", "Contents")
        page.write_string(
            1, 0, "This worksheet lists the worksheets of this workbook; each name leads to one.", self.plain
        )
        rows = [("Notes", "How to read these tables, and what is hidden"), *((s.name, s.title) for s in held)]
        page.add_table(
            2, 0, 2 + len(rows), 1,
            {"name": "contents", "style": None, "autofilter": False, "columns": [
                {"header": "Worksheet", "header_format": self.head},
                {"header": "What it holds", "header_format": self.head},
            ]},
        )  # fmt: skip
        page.set_column(0, 0, 18)
        page.set_column(1, 1, CONTENTS)
        for row, (name, title) in enumerate(rows, 3):
            page.write_url(row, 0, f"internal:'{name}'!A1", self.link, name)
            page.write_string(row, 1, str(inert.cell(title)), self.text)
            page.set_row(row, _high([(title, CONTENTS)]))

    def _notes(self) -> None:
        page = self._page("Notes", "Notes")
        lines = [
            ("What is hidden", self.heading), *((text, self.text) for text in self.story.disclosure),
            ("How to read the tables", self.heading),
            (STATUSES, self.text),
        ]  # fmt: skip
        for heading, text in self.story.methods:
            lines += [(heading, self.heading), (text, self.text)]
        self._lines(page, lines)

    def _sheet(self, sheet: Sheet, number: int) -> None:
        page = self._page(sheet.name, sheet.title)
        # Title, what the sheet holds, source and the way back; then the table.
        above = [*textwrap.wrap(f"{sheet.about} This worksheet contains one table.", LINE_LENGTH), self.story.source]
        for row, text in enumerate(above, 1):
            page.write_string(row, 0, str(inert.cell(text)), self.plain)
        page.write_url(len(above) + 1, 0, "internal:'Contents'!A1", self.link, "Back to the contents")
        top = len(above) + 2
        frame = sheet.table.reset_index(drop=True)
        bottom, right = top + max(len(frame), 1), len(frame.columns) - 1
        columns = [{"header": str(inert.cell(str(c))), "header_format": self.head} for c in frame.columns]
        page.add_table(
            top, 0, bottom, right,
            {"name": f"table_{number + 1}", "style": "Table Style Light 1", "columns": columns},
        )  # fmt: skip
        widths = [_width(str(name), frame[name].tolist()) for name in frame.columns]
        page.set_row(top, _high(zip(frame.columns, widths, strict=True)) + LINE / 3)
        for row, values in enumerate(frame.itertuples(index=False, name=None), top + 1):
            if (high := _high(zip(values, widths, strict=True))) > LINE:
                page.set_row(row, high)
        for column, name in enumerate(frame.columns):
            values = frame[name].tolist()
            page.set_column(column, column, widths[column])
            whole = all(float(v).is_integer() for v in values if _is_number(v))
            for row, value in enumerate(values, top + 1):
                if _is_number(value):
                    page.write_number(row, column, float(value), self.whole if whole else self.exact)
                else:
                    is_figure = any(_is_number(v) for v in values)
                    said = "–" if value is None or value != value else str(value)
                    text = str(inert.cell(words.STATUS["none"] if is_figure and said == "–" else said))
                    page.write_string(row, column, text, self.right if is_figure else self.text)
        page.freeze_panes(top + 1, 0)
        page.repeat_rows(top)


def _typed(text: object) -> object:
    """'1,234' as the number it is; words stay words."""
    bare = str(text).replace(",", "")
    return int(bare) if bare.isdigit() else text


def _high(texts: Iterable[tuple[object, float]]) -> float:
    """How high a row is (points) that holds these texts, each wrapped into columns so many characters wide."""
    return LINE * max((-(-len(str(text)) // max(int(width * FITS), 1)) for text, width in texts), default=1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _width(name: str, values: list[object]) -> int:
    longest = max([len(str(v)) for v in values] + [len(name) // 2 + 3, NARROWEST], default=NARROWEST)
    return min(longest + 2, WIDEST)
