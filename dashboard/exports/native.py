"""Charts that PowerPoint draws itself, so that whoever presents can edit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pptx.chart.data import CategoryChartData, XyChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Emu, Pt

from dashboard.charts.strip import offsets
from dashboard.exports.figure import DOUBT, MANY, Figure, Mark
from dashboard.record import INCOMPLETE
from dashboard.style.theme import LIGHT

Place = tuple[int, int, int, int]
COLOURS = {
    **dict.fromkeys(("context", "doubt"), LIGHT.muted),
    "well": LIGHT.well,
    "attention": LIGHT.attention,
    "reference": LIGHT.ink,
}
STEP = 20  # per cent between lines
ASIDE, FURTHEST = 0.085, 0.4  # rows between dots of equal value, at the most, and from their line
BAND, TICK = 279400, 0.27  # how thick a band is (EMU), how far the university's tick reaches (rows)
SCHOOLS, NAMED = "schools", "schools named"  # of dots on strips: what they stand for
# shapes of the schools named, where there are no more of them: as PowerPoint draws them and as text has them
SHAPES = (
    (XL_MARKER_STYLE.DIAMOND, "◆"),
    (XL_MARKER_STYLE.TRIANGLE, "▲"),
    (XL_MARKER_STYLE.SQUARE, "■"),
    (XL_MARKER_STYLE.CIRCLE, "●"),
)
ROOM = 0.35  # of the values' axis, for names beside it
PERCENT = '0"%"'


def add(slide: Any, figure: Figure, place: Place) -> Any:
    """Put a figure's chart on a slide; returns its frame."""
    return _strips(slide, figure, place) if figure.kind == "strips" else _bars(slide, figure, place)


def key(figure: Figure) -> str:
    """What the marks beside the names of rows mean: '◀ clearly below the university · † record looks incomplete'."""
    there = {(mark.verdict, mark.glyph) for mark in figure.marks if mark.glyph}
    told = [f"{glyph} {said}" for verdict, glyph, said in figure.legend if (verdict, glyph) in there]
    told += [f"{DOUBT} {INCOMPLETE}"] if any(mark.doubted for mark in figure.marks) else []
    told += [f"{SHAPES[nth][1]} {name}" for name, nth in _shapes(figure).items()] if figure.kind == "strips" else []
    told += [figure.bars] if figure.bars else []
    return " · ".join(told)


def _shapes(figure: Figure) -> dict[str, int]:
    """The schools named on strips, and the place of the shape of each; none where there are more than shapes."""
    names = sorted({mark.label for mark in figure.marks if mark.verdict == "own"}, key=str.casefold)
    return {name: nth for nth, name in enumerate(names)} if len(names) <= len(SHAPES) else {}


def _bars(slide: Any, figure: Figure, place: Place) -> Any:
    """One bar per row with its interval; rows without a figure say why in their label."""
    marks = _with_reference(figure)
    data = CategoryChartData(number_format=_format(figure))
    data.categories = [mark.told_in_short if len(marks) > MANY else mark.told for mark in marks]
    data.add_series(str(figure.metric["label"]), [mark.value for mark in marks])
    frame = slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *place, data)
    frame.name = f"Chart: {figure.title}"[:120]
    chart = frame.chart
    chart.has_legend = False
    chart.has_title = False
    chart.font.size = Pt(9 if len(marks) > MANY else 12)
    chart.font.color.rgb = rgb(LIGHT.ink)
    plot, series = chart.plots[0], chart.plots[0].series[0]
    plot.gap_width = 35
    for n, mark in enumerate(marks):
        fill = series.points[n].format.fill
        fill.solid()
        fill.fore_color.rgb = rgb(COLOURS[mark.verdict])
    plot.has_data_labels = True
    labels = plot.data_labels
    labels.number_format, labels.number_format_is_linked = _format(figure), False
    labels.position = XL_LABEL_POSITION.INSIDE_BASE
    labels.font.size, labels.font.bold = Pt(8 if len(marks) > MANY else 11), True
    labels.font.color.rgb = RGBColor(255, 255, 255)
    _intervals(series, marks)
    rows, values = chart.category_axis, chart.value_axis
    rows.reverse_order = True
    rows.format.line.color.rgb = rgb(LIGHT.line)
    rows.major_tick_mark = XL_TICK_MARK.NONE
    rows.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    every = parse_xml(f'<c:tickLblSkip {nsdecls("c")} val="1"/>')  # else programs leave out every other name
    rows._element.find(qn("c:noMultiLvlLbl")).addprevious(every)
    values.visible = False
    values.has_major_gridlines = False
    if figure.kind == "rows" and figure.metric["suffix"] == "%":
        values.minimum_scale, values.maximum_scale = 0, max(100, *(mark.upper or 0 for mark in marks))
    return frame


def _with_reference(figure: Figure) -> list[Mark]:
    """The rows, and above them the value of everyone as a bar of its own."""
    marks = list(figure.marks)
    if figure.kind != "rows" or not figure.reference:
        return marks
    value, name = figure.reference
    own = Mark(name.rpartition(" ")[0], value, value, value, "reference")
    return [own, *marks]


def _intervals(series: Any, marks: Sequence[Mark]) -> None:
    """Intervals as error bars, which python-pptx has no words for."""
    _reach(series, "c:cat", "", *_beside(marks), 15875)


def _beside(marks: Sequence[Mark]) -> tuple[list[float], list[float]]:
    """How far intervals reach above and below their values."""
    above = [(m.upper or 0) - m.value if m.value is not None and m.upper is not None else 0 for m in marks]
    below = [m.value - (m.lower or 0) if m.value is not None and m.lower is not None else 0 for m in marks]
    return above, below


def _reach(series: Any, before: str, way: str, above: Sequence[float], below: Sequence[float], thick: int) -> None:
    """Lines from points to both sides; `way`: x, y, or '' of bars; `thick` in EMU."""
    direction = f'<c:errDir val="{way}"/>' if way else ""
    bars = parse_xml(
        f'<c:errBars {nsdecls("c", "a")}>{direction}<c:errBarType val="both"/><c:errValType val="cust"/>'
        f'<c:noEndCap val="1"/><c:plus>{_literal(above)}</c:plus><c:minus>{_literal(below)}</c:minus>'
        f'<c:spPr><a:ln w="{thick}" cap="flat"><a:solidFill><a:srgbClr val="{LIGHT.ink.lstrip("#")}"/>'
        "</a:solidFill></a:ln></c:spPr></c:errBars>"
    )
    series._element.find(qn(before)).addprevious(bars)


def _literal(values: Sequence[float]) -> str:
    points = "".join(f'<c:pt idx="{n}"><c:v>{value:.6g}</c:v></c:pt>' for n, value in enumerate(values))
    return f'<c:numLit><c:formatCode>General</c:formatCode><c:ptCount val="{len(values)}"/>{points}</c:numLit>'


def _strips(slide: Any, figure: Figure, place: Place) -> Any:
    """Every school as a dot on one line per measure, the middle of schools as a thick line, the university apart."""
    names = list(dict.fromkeys(mark.series for mark in figure.marks))
    values = [mark.value for mark in figure.marks if mark.value is not None]
    low = max(0, STEP * ((min(values) - 2) // STEP))
    # To the left of the values: the measures' names.
    start = STEP * ((low - ROOM * (100 - low)) // STEP)
    data = XyChartData(number_format=_format(figure))
    looks: list[tuple[str, str]] = []
    sure: dict[int, Sequence[Mark]] = {}  # the marks of a series that has intervals
    shapes = _shapes(figure)
    lines = {name: len(names) - row for row, name in enumerate(names)}
    for name, at in lines.items():
        for verdict, look in (("context", SCHOOLS), ("own", NAMED)):
            of_line = [m for m in figure.marks if m.series == name and m.verdict == verdict and m.value is not None]
            own = sorted(of_line, key=lambda m: m.value or 0)
            if not own:
                continue
            steps = offsets([m.value for m in own if m.value is not None])
            step = min(ASIDE, FURTHEST / max(1, *map(abs, steps)))
            told_apart = verdict == "own" and bool(shapes)
            apart = [[n] for n in range(len(own))] if told_apart else [[*range(len(own))]]
            for points in apart:
                points = points * 2 if len(points) == 1 else points  # LibreOffice draws no series of a single point
                dots = data.add_series(f"{name}: {own[points[0]].label if told_apart else look}")
                for n in points:
                    dots.add_data_point(own[n].value, at + step * steps[n])
                if told_apart:
                    sure[len(looks)] = [own[n] for n in points]
                looks.append((look, str(shapes.get(own[points[0]].label, 0))))
    for name, at in lines.items():  # after the dots, and seen through: LibreOffice draws no line before them
        if name in figure.bands:
            band = data.add_series(f"{name}: the middle 80% of schools")
            for value in figure.bands[name]:
                band.add_data_point(value, at)
            looks.append(("band", ""))
    for name, at in lines.items():
        everyone = next((m.value for m in figure.marks if m.series == name and m.verdict == "university"), None)
        if everyone is not None:
            data.add_series(f"{name}: university").add_data_point(everyone, at)
            looks.append(("university", ""))
        data.add_series(f"{name}: label").add_data_point(start, at)
        looks.append(("label", f"{name}\nUniversity {everyone:.0f}%" if everyone is not None else name))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *place, data)
    frame.name = f"Chart: {figure.title}"[:120]
    chart = frame.chart
    chart.has_legend = chart.has_title = False
    chart.font.size = Pt(12)
    for nth, (series, (look, text)) in enumerate(zip(chart.plots[0].series, looks, strict=True)):
        _dress(series, look, text)
        if nth in sure:
            _reach(series, "c:xVal", "x", *_beside(sure[nth]), 15875)
    x, y = chart.category_axis, chart.value_axis
    x.minimum_scale, x.maximum_scale = start, 100
    x.major_unit = STEP
    x.has_major_gridlines = True
    x.major_gridlines.format.line.color.rgb = rgb(LIGHT.line)
    x.tick_labels.number_format, x.tick_labels.number_format_is_linked = f'[<{low}]"";0"%"', False
    x.format.line.color.rgb = rgb(LIGHT.line)
    y.minimum_scale, y.maximum_scale = 0.5, len(names) + 0.6
    y.visible = False
    y.has_major_gridlines = False
    return frame


def _dress(series: Any, look: str, text: str) -> None:
    marker = series.marker
    series.format.line.fill.background()
    if look in (SCHOOLS, NAMED):
        own = look == NAMED
        marker.style, marker.size = (SHAPES[int(text)][0], 10) if own else (XL_MARKER_STYLE.CIRCLE, 8)
        marker.format.fill.solid()
        marker.format.fill.fore_color.rgb = rgb(LIGHT.accent if own else LIGHT.context)
        marker.format.line.color.rgb = RGBColor(255, 255, 255)
        return
    marker.style = XL_MARKER_STYLE.NONE
    if look == "band":
        line = series.format.line
        line.width = Emu(BAND)
        line.color.rgb = rgb(LIGHT.context)
        line._ln.xpath(".//a:srgbClr")[0].append(parse_xml(f'<a:alpha {nsdecls("a")} val="25000"/>'))
        line._ln.set("cap", "flat")
    elif look == "university":
        _reach(series, "c:xVal", "y", [TICK], [TICK], 28575)
    else:
        label = series.points[0].data_label
        label.has_text_frame = True
        label.text_frame.text = text
        label.text_frame.paragraphs[0].runs[0].font.bold = True
        label.position = XL_LABEL_POSITION.RIGHT


def _format(figure: Figure) -> str:
    if figure.metric["suffix"] == "%":
        return PERCENT if figure.kind != "gaps" else "+0;−0;0"
    return "0." + "0" * int(figure.metric["decimals"]) if int(figure.metric["decimals"]) else "0"


def rgb(colour: str) -> RGBColor:
    """A colour of a theme, as PowerPoint has it."""
    return RGBColor.from_string(colour.lstrip("#").upper())
