"""Every format tells the same story: the numbers of the release, hidden ones in words, and nothing that acts."""

from __future__ import annotations

import io
import re
from html import escape

import openpyxl
import pandas as pd
import pypdf
import pytest
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet
from pptx import Presentation
from pptx.util import Inches, Pt

from dashboard.exports import images
from dashboard.exports.native import MANY
from dashboard.exports.slides import MOST_OF_A_TITLE, Text, _fitting
from dashboard.style import html as markup
from dashboard.style import words
from tests.dashboard.exports.conftest import HOSTILE, Exported
from tests.dashboard.exports.held import columns_of, held, key_of

NOT_NUMBERS = set(words.STATUS.values()) | set(words.WHY.values()) | {"not published"}


@pytest.fixture(scope="module")
def pdf(exported: Exported) -> str:
    """The PDF's text without white space: lines break where they must."""
    reader = pypdf.PdfReader(io.BytesIO(exported.pdf))
    return _dense(" ".join(page.extract_text() for page in reader.pages))


@pytest.fixture(scope="module")
def book(exported: Exported) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(exported.xlsx))


def _dense(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _top(sheet: Worksheet) -> int:
    """The row of a sheet's only table's heads."""
    (table,) = sheet.tables.values()
    return int(range_boundaries(table.ref)[1])


def _sheet(book: openpyxl.Workbook, name: str) -> pd.DataFrame:
    head, *rows = [[cell.value for cell in row] for row in book[name].iter_rows(min_row=_top(book[name]))]
    return pd.DataFrame(rows, columns=head)


def test_every_number_of_the_workbook_is_the_releases(exported: Exported, book: openpyxl.Workbook) -> None:
    compared = 0
    for figure in exported.story.figures:
        sheet = _sheet(book, f"Figure {exported.story.number(figure)}")
        assert len(sheet) == len(figure.numbers)
        rows = held(exported.release, figure)
        for _, row in sheet.iterrows():
            own = rows[key_of(exported.release, row)]
            for name, column in columns_of(row).items():
                if own["status"] == "shown":
                    assert row[name] == own[column], (figure.key, name)
                else:
                    assert row[name] in NOT_NUMBERS
                compared += 1
            assert (row["Status"] == "shown") == (own["status"] == "shown")
    assert compared > 1000


def test_the_tables_in_words_say_the_numbers_of_the_workbook(exported: Exported) -> None:
    for figure in exported.story.figures:
        if figure.kind != "rows" or "School" not in figure.table or "Value" not in figure.table:
            continue
        told = figure.table[~figure.table["School"].str.startswith("All schools")]
        assert told["Value"].tolist() == [
            words.value(v, figure.metric) if isinstance(v, float) else v for v in figure.numbers["Value"]
        ]


def test_pdf_and_web_page_hold_every_table_of_every_figure(exported: Exported, pdf: str) -> None:
    page = exported.html.decode()
    for figure in exported.story.figures:
        assert markup.table(figure.table, figure.title, figure.numeric) in page
        for row in figure.table.itertuples(index=False, name=None):
            assert _dense("".join(map(str, row))) in pdf, row


def test_charts_of_the_slides_are_native_and_hold_the_numbers(exported: Exported) -> None:
    deck = Presentation(io.BytesIO(exported.pptx))
    drawn = {}
    for slide in deck.slides:
        for shape in slide.shapes:
            if shape.has_chart:
                drawn[slide.shapes.title.text] = shape
    for finding in exported.story.findings:
        if finding.figure is None:
            continue
        shape = drawn[finding.headline]
        assert shape._element.xpath(".//p:cNvPr")[0].get("descr")
        if finding.figure.kind == "strips":
            labels = {mark.label for mark in finding.figure.marks if mark.verdict != "university"}
            every = [s for plot in shape.chart.plots for s in plot.series]
            dots = [s for s in every if s.name.partition(": ")[2] in labels | {"schools", "schools named"}]
            expected = {m.value for m in finding.figure.marks if m.verdict != "university"}
            assert {v for s in dots for v in _values(s, "x")} == expected
            rows = shape.chart.value_axis
            assert all(rows.minimum_scale < v < rows.maximum_scale for s in dots for v in _values(s, "y"))
        else:
            plot = shape.chart.plots[0]
            held = dict(zip(plot.categories, plot.series[0].values, strict=True))
            first = ["University"] if finding.figure.reference and finding.figure.kind == "rows" else []
            many = len(first) + len(finding.figure.marks) > MANY
            names = [mark.told_in_short if many else mark.told for mark in finding.figure.marks]
            assert [*plot.categories] == first + names
            assert [held[name] for name in names] == [mark.value for mark in finding.figure.marks]
            hidden = [name for name, mark in zip(names, finding.figure.marks, strict=True) if mark.value is None]
            assert all(name.endswith(")") for name in hidden), "which says why"


def _values(series: object, axis: str) -> list[float]:
    return [float(v.text) for v in series._element.xpath(f"./c:{axis}Val//c:v")]  # type: ignore[attr-defined]


def test_schools_named_on_a_slide_are_told_apart_and_have_their_intervals(exported: Exported) -> None:
    finding = next(f for f in exported.story.findings if f.figure and f.figure.key == "good practice")
    assert finding.figure
    own = {mark.label: mark for mark in finding.figure.marks if mark.verdict == "own"}
    assert 1 <= len(own) <= 4
    deck = Presentation(io.BytesIO(exported.pptx))
    (slide,) = (s for s in deck.slides if s.shapes.title.text == finding.headline)
    said = " ".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)
    (chart,) = (shape.chart for shape in slide.shapes if shape.has_chart)
    shapes = {}
    for name in own:
        drawn = [s for s in chart.plots[0].series if s.name.endswith(f": {name}")]
        assert len(drawn) == len({mark.series for mark in finding.figure.marks})
        assert all(s._element.xpath("./c:errBars") for s in drawn)
        (shapes[name],) = {s.marker.style for s in drawn}
        assert name in said
    assert len(set(shapes.values())) == len(own)


def test_text_of_a_slide_is_larger_where_there_is_room() -> None:
    short, wide, high = [Text("A gap is a difference.", 12)], Inches(4), Inches(5)
    assert [t.size for t in _fitting(short, wide, high)] == [18]
    long = [Text("A gap is a difference. " * 60, 12)]
    assert _fitting(long, wide, high) == long


def test_each_finding_has_a_slide_with_its_caveat_in_the_notes(exported: Exported) -> None:
    deck = Presentation(io.BytesIO(exported.pptx))
    notes = {s.shapes.title.text: s.notes_slide.notes_text_frame.text for s in deck.slides}
    for finding in exported.story.findings:
        assert finding.caveat in notes[finding.headline]
    for slide in deck.slides:
        assert slide.shapes.title.text


def test_schools_stand_from_a_to_z_in_packs_and_on_slides(exported: Exported) -> None:
    named = exported.release.units[exported.release.units["kind"] == "school"]["short_name"]
    drawn = [f for f in exported.story.figures if f.key.startswith("schools ")]
    assert len(drawn) > 2
    for figure in drawn:
        assert [mark.label for mark in figure.marks] == sorted(named, key=str.casefold)


def test_a_long_title_of_a_slide_is_smaller_and_a_caution_is_said_once(exported: Exported) -> None:
    deck = Presentation(io.BytesIO(exported.pptx))
    findings = {f.headline for f in exported.story.findings}
    titles = [s.shapes.title for s in deck.slides if s.shapes.title.text in findings]
    sizes = {(len(t.text) > MOST_OF_A_TITLE, t.text_frame.paragraphs[0].runs[0].font.size) for t in titles}
    assert sizes == {(True, Pt(21)), (False, None)}
    record = next(f for f in exported.story.findings if f.lead == "Record")
    (slide,) = (s for s in deck.slides if s.shapes.title.text == record.headline)
    said = " ".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)
    assert said.count("Read with care") == 1


def test_headlines_and_findings_are_the_same_words_everywhere(exported: Exported, pdf: str) -> None:
    page, book = exported.html.decode(), openpyxl.load_workbook(io.BytesIO(exported.xlsx))
    deck = Presentation(io.BytesIO(exported.pptx))
    slides = _dense(" ".join(s.text_frame.text for d in deck.slides for s in d.shapes if s.has_text_frame))
    cells = _dense(" ".join(str(c.value) for sheet in book for row in sheet.iter_rows() for c in row))
    said = [exported.story.answer, exported.story.how_sure, exported.story.disclosure[-1]]
    said += [f.headline for f in exported.story.findings] + [h.change for h in exported.story.headlines]
    assert exported.story.steps
    said += exported.story.steps
    for text in said:
        assert escape(text) in page
        for file in (pdf, slides, cells):
            assert _dense(text) in file, text


def test_every_format_says_where_it_comes_from(exported: Exported, pdf: str) -> None:
    page = exported.html.decode()
    deck = Presentation(io.BytesIO(exported.pptx))
    for text in (exported.story.release, exported.story.status, "Example data", "2025/26"):
        assert _dense(text) in pdf
        assert text in page
        for slide in deck.slides:
            assert any(text in s.text_frame.text for s in slide.shapes if s.has_text_frame), text
        for sheet in openpyxl.load_workbook(io.BytesIO(exported.xlsx)):
            if sheet.title.startswith(("Figure", "Table")):
                assert text in sheet.cell(_top(sheet) - 2, 1).value


def test_no_cell_is_blank_or_merged_and_numbers_are_numbers(exported: Exported, book: openpyxl.Workbook) -> None:
    for sheet in book:
        assert not sheet.merged_cells.ranges
        if not sheet.title.startswith(("Figure", "Table")):
            continue
        assert len(sheet.tables) == 1
        rows = list(sheet.iter_rows(min_row=_top(sheet)))
        assert all(cell.value not in (None, "") for row in rows for cell in row), sheet.title
        assert not any(str(cell.value).lower() == "nan" for row in rows for cell in row)
    sheet = book["Figure 2"]
    values = [cell for row in sheet.iter_rows(min_row=_top(sheet) + 1, min_col=6, max_col=6) for cell in row]
    assert {cell.data_type for cell in values} <= {"n", "s"}


def test_nothing_shown_is_not_a_number(exported: Exported, pdf: str) -> None:
    assert "nan%" not in pdf.lower()
    assert "NaN" not in re.sub(r"<script>.*?</script>", "", exported.html.decode(), flags=re.S)


def test_words_that_try_to_be_more_stay_words(exported: Exported, pdf: str, book: openpyxl.Workbook) -> None:
    page = exported.html.decode()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("<script>") == 2  # the library and the page's own
    assert escape(HOSTILE[1]) in page
    for text in HOSTILE[:3]:
        assert _dense(text).lstrip("-") in pdf
    assert not any(c in page + pdf for c in ("\x00", "\x1b", "\u202e"))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if isinstance(cell.value, str):
                    assert not cell.value.startswith(("=", "+", "-", "@", "\t", "\r"))
    deck = Presentation(io.BytesIO(exported.pptx))
    told = [p.text for d in deck.slides for s in d.shapes if s.has_text_frame for p in s.text_frame.paragraphs]
    assert HOSTILE[1] in told


def test_the_pdf_is_tagged_for_screen_readers_and_prints_with_its_own_fonts(exported: Exported) -> None:
    reader = pypdf.PdfReader(io.BytesIO(exported.pdf))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "pdfuaid:part>1" in reader.xmp_metadata.stream.get_data().decode()
    assert len(reader.outline) > len(exported.story.findings)
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            held = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & held.keys()


def test_the_summary_is_the_second_page_and_fits(exported: Exported) -> None:
    reader = pypdf.PdfReader(io.BytesIO(exported.pdf))
    summary = _dense(reader.pages[1].extract_text())
    assert _dense(exported.story.question) in summary
    assert _dense(exported.story.how_sure) in summary


def test_the_web_page_fetches_nothing(exported: Exported) -> None:
    page = re.sub(r"<script>.*?</script>", "", exported.html.decode(), flags=re.S)
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page


def test_a_chart_alone_takes_its_source_along(exported: Exported) -> None:
    figure = exported.story.figures[1]
    told = images.numbers(exported.story, figure).decode("utf-8-sig")
    assert exported.story.release in told
    assert len(told.splitlines()) == len(figure.numbers) + 1
