"""Charts draw what they are given: nothing hidden becomes a mark, and every row is named."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard import tables
from dashboard.charts.gaps import graded_gaps, ticks
from dashboard.charts.groups import UNKNOWN_SYMBOL, appearance, side_by_side
from dashboard.charts.rows import NARROW, WIDE, Label, Rows
from dashboard.charts.schools import intervals
from dashboard.charts.strip import FEW, offsets, strips
from dashboard.compared import compare
from dashboard.findings import consistency
from dashboard.published import Release
from dashboard.style import html
from dashboard.style.theme import DARK, LIGHT, THEMES, Theme

WHEN = {"academic_year": "2025/26", "part": "year"}


def marks(figure: go.Figure) -> int:
    """How many marks with a value the figure has."""
    return sum(len(t.x) for t in figure.data if getattr(t, "mode", "") == "markers")


def said(figure: go.Figure) -> str:
    """All words in the figure."""
    texts = [a.text for a in figure.layout.annotations]
    texts += [str(x) for t in figure.data if getattr(t, "mode", "") == "text" for x in t.text]
    return " ".join(texts)


def comparison(release: Release, metric: str, level: str) -> consistency.Comparison:
    period = release.periods.loc[(WHEN["academic_year"], WHEN["part"])]
    return compare(release, release.metrics.loc[metric], period, level)


def drawn(c: consistency.Comparison, theme: Theme = LIGHT, **options: object) -> go.Figure:
    schools = c.schools.assign(verdict=[consistency.verdict(s, c.metric["better"]) for s in c.schools["side"]])
    return intervals(schools, c.university, c.metric, theme, **options).checked()


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_school_has_a_row_and_hidden_ones_say_so(release: Release, theme: Theme) -> None:
    c = comparison(release, "trust", "PGR")
    assert len(c.hidden), "the sample should hide some small schools"
    figure = drawn(c, theme)
    assert marks(figure) == len(c.shown)
    assert said(figure).count("too few to show") == len(c.hidden)
    for word in " ".join(c.schools["short_name"]).split():
        assert word.strip(",") in said(figure)


def test_highlighting_names_schools_without_dropping_others(release: Release) -> None:
    c = comparison(release, "trust", "all")
    plain, marked = drawn(c), drawn(c, highlighted={"school:SCI3"}, notes={"school:BUS3": "record looks incomplete"})
    assert marks(plain) == marks(marked)
    assert LIGHT.accent in said(marked)
    assert "record looks incomplete" in said(marked)


def test_labels_from_data_are_escaped() -> None:
    label = Label("<b>Arts</b> & Crafts", note="<i>x</i>")
    assert "<b>Arts" not in label.markup(LIGHT)
    assert "&lt;i&gt;" in label.markup(LIGHT)


def test_long_names_get_the_room_they_need() -> None:
    rows = Rows((Label("Physics"), Label("Nursing, Midwifery and Paramedic Science", note="record looks incomplete")))
    assert rows.labels[1].height > rows.labels[0].height
    assert rows.places[1] - rows.places[0] == (rows.labels[0].height + rows.labels[1].height) / 2
    assert rows.column < 190, "a phone needs the rest for the plot"


def test_strips_show_each_school_once(release: Release) -> None:
    compared = [comparison(release, m, "all") for m in ("any_meeting", "trust")]
    figure = strips(compared, DARK, ["school:SCI1"]).checked()
    assert marks(figure) == sum(len(c.shown) for c in compared)


def test_few_highlighted_schools_have_their_interval_and_name_in_rows_that_never_meet(release: Release) -> None:
    compared = [comparison(release, m, "all") for m in ("any_meeting", "trust")]
    own = compared[0].shown["unit"].tolist()[:FEW]
    figure = strips(compared, LIGHT, own, incomplete=own[:1], column=NARROW)
    lines = [t for t in figure.traces if "error_x" in t]
    for c in compared:
        for school in c.shown[c.shown["unit"].isin(own)].to_dict("records"):
            [line] = [
                t
                for t in lines
                if t["x"] == [school["value"]]
                and school["name"] in t["text"][0]
                and str(c.metric["label"]) in t["text"][0]
            ]
            assert line["error_x"]["array"] == [school["upper"] - school["value"]]
    names = [a for a in figure.layout["annotations"] if a.get("yanchor") == "middle"]
    assert len(names) == len(lines) == 2 * FEW
    places = sorted(a["y"] for a in names)
    assert min(b - a for a, b in itertools.pairwise(places)) >= 20, "a line of text fits between"
    assert [("†" in a["text"]) for a in names].count(True) == 1, "of contact alone"
    assert marks(figure.checked()) == sum(len(c.shown) for c in compared)
    many = strips(compared, LIGHT, compared[0].shown["unit"].tolist()[: FEW + 1])
    assert not [t for t in many.traces if "error_x" in t]


def test_a_name_without_room_is_cut_and_not_drawn_beyond_the_plot(release: Release) -> None:
    c = comparison(release, "any_meeting", "all")
    school = c.shown["unit"].iloc[0]
    named = c.schools["short_name"].where(c.schools["unit"] != school, "A very long name of a school " * 4)
    figure = strips([replace(c, schools=c.schools.assign(short_name=named))], LIGHT, [school], column=NARROW)
    [name] = [a for a in figure.layout["annotations"] if a.get("yanchor") == "middle"]
    assert "…" in name["text"]
    assert len(name["text"]) < 80


def test_equal_values_stand_side_by_side() -> None:
    places = offsets([50, 60, 60, 60])
    assert places[0] == 0
    assert len(set(places[1:])) == 3


def test_groups_are_told_apart_by_shape_and_unknown_stands_back(release: Release) -> None:
    groups = release.groups[release.groups["characteristic"] == "ethnicity"]
    look = appearance(groups, ordered=False, theme=LIGHT)
    shapes = [symbol for _, symbol, _ in look.values()]
    assert len(set(shapes)) == len(shapes)
    assert look["Unknown"][1] == UNKNOWN_SYMBOL
    assert look["White"][0] == LIGHT.ink


def test_hidden_groups_are_not_drawn(release: Release) -> None:
    groups = release.groups[release.groups["characteristic"] == "ethnicity"]
    schools = release.units[release.units["kind"] == "school"]
    cells = release.cells(metric="trust", characteristic="ethnicity", level="UG", **WHEN)
    look = appearance(groups, ordered=False, theme=LIGHT)
    figure = side_by_side(cells, schools, look, release.metrics.loc["trust"], LIGHT).checked()
    of_schools = cells[cells["unit"].isin(schools["unit"])]
    ends = [x for t in figure.data if t.mode == "lines" for x in t.x if x is not None]
    assert len(ends) == 2 * of_schools["lower"].notna().sum(), "each mark has its interval"
    assert marks(figure) == (of_schools["status"] == "shown").sum()
    assert (of_schools["status"] == "suppressed").any()


def test_gaps_draw_what_is_shown_and_say_what_is_not(release: Release) -> None:
    gaps = release.gaps(metric="trust", characteristic="ethnicity", group="Mixed", level="UG", **WHEN)
    rows = tables.school_gap_rows(gaps, release.units, None)
    schools = release.units.loc[release.units["kind"] == "school", "unit"]
    assert rows["unit"].tolist() == ["university", *schools], "in the order of the release, and no league table"
    figure = graded_gaps(rows, release.metrics.loc["trust"], LIGHT).checked()
    assert marks(figure) == (rows["status"] == "shown").sum()
    assert said(figure).count("hidden to protect people") == (rows["status"] == "suppressed").sum()
    assert "no gap" in said(figure)


def test_all_gaps_of_the_university_stand_under_their_characteristic(release: Release) -> None:
    gaps = release.gaps(metric="trust", unit="university", level="all", **WHEN)
    rows = tables.gap_rows(gaps, release.characteristics, release.groups)
    figure = graded_gaps(rows.assign(name="University"), release.metrics.loc["trust"], LIGHT, evidence=True).checked()
    assert marks(figure) == (gaps["status"] == "shown").sum()
    assert "clear gap" in said(figure)
    assert rows["heading"].sum() == gaps["characteristic"].nunique()


def test_charts_of_nothing_still_draw(release: Release) -> None:
    metric = release.metrics.loc["trust"]
    nothing = release.gaps(metric="trust", characteristic="ethnicity", group="nobody", level="UG", **WHEN)
    rows = tables.school_gap_rows(nothing, release.units, None)
    assert marks(graded_gaps(rows, metric, LIGHT).checked()) == 0
    empty = consistency.compare(release.cells(metric="none"), release.units, metric, "")
    assert said(drawn(empty)).count("no figure") == len(empty.schools)
    assert marks(strips([empty], LIGHT).checked()) == 0


def test_ticks_are_round_and_include_no_gap() -> None:
    assert ticks(-9, 3) == [-5.0, 0.0]
    assert ticks(0.0, 0.0) == [0.0]


def test_columns_of_tables_that_line_up_have_widths() -> None:
    frame = pd.DataFrame({"Measure": ["<Trust>"], "Value": ["7%"]})
    assert "<col" not in html.table(frame, "A table")
    wide = html.table(frame, "A table", ("Value",), {"Measure": 80, "Value": 20, "Not there": 5})
    assert re.findall(r'<col style="width: (\d+)%">', wide) == ["80", "20"]
    assert '<div class="table even">' in wide


def test_tables_say_in_words_what_charts_leave_out(release: Release) -> None:
    c = comparison(release, "trust", "PGR")
    table = tables.schools(c, {"school:BUS3"})
    assert len(table) == len(c.schools) + 1
    assert (table["Value"] == "too few to show").sum() == len(c.hidden)
    assert not table.isna().any().any()


def test_ticks_are_no_closer_than_their_words_can_tell_apart() -> None:
    assert ticks(-0.1, 0.1, finest=0.1) == [-0.1, 0.0, 0.1]
    assert ticks(-1, 1, finest=1) == [-1, 0, 1]


def test_a_place_without_students_is_not_called_hidden(release: Release) -> None:
    groups = release.groups[release.groups["characteristic"] == "sex"]
    look = appearance(groups, ordered=False, theme=LIGHT)
    places = release.units[release.units["unit"].isin(["school:ART1", "school:SCI1", "school:SCI2"])]
    cells = release.cells(metric="trust", characteristic="sex", level="UG", **WHEN)
    cells = cells[cells["unit"].isin(["school:ART1", "school:SCI1"])]
    cells["status"] = ["suppressed" if unit == "school:ART1" else "none" for unit in cells["unit"]]
    words = said(side_by_side(cells, places, look, release.metrics.loc["trust"], LIGHT).checked())
    assert words.count("hidden to protect people") == 1
    assert words.count("no figure") == 2


def test_labels_wrap_on_a_phone_only() -> None:
    name = "Philosophy, Religion and Science"
    assert len(Label(name).lines) == 2
    assert len(Label(name, column=WIDE).lines) == 1
    heading = Label("Area participation, against TUNDRA 5 (highest participation)", heading=True, column=WIDE)
    assert len(heading.lines) == 1


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_colours_can_be_told_from_pages_and_panels(theme: Theme) -> None:
    for ground in (theme.page, theme.panel):
        for text in (theme.ink, theme.muted, theme.accent, theme.attention, theme.well):
            assert contrast(text, ground) >= 4.5
        for mark in (theme.context, *theme.groups, *theme.ordered):
            assert contrast(mark, ground) >= 3, mark
