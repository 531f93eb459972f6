"""The funnel, the modes, the years: what is published is drawn, and what is not is said."""

from __future__ import annotations

from html import escape

import pandas as pd
import pytest

from dashboard import tables
from dashboard.charts.funnel import funnel
from dashboard.charts.modes import modes
from dashboard.charts.names import beside
from dashboard.charts.rows import WIDE
from dashboard.charts.schools import intervals
from dashboard.charts.years import by_year
from dashboard.compared import compare
from dashboard.findings import consistency, over_years, ways
from dashboard.findings.consistency import Comparison
from dashboard.published import Release
from dashboard.style.theme import LIGHT, THEMES, Theme
from tests.dashboard.test_charts import marks, said

YEAR = ("2025/26", "year")


def trust(release: Release) -> Comparison:
    return compare(release, release.metrics.loc["trust"], release.periods.loc[YEAR], "all")


def marked(c: Comparison) -> pd.DataFrame:
    return c.schools.assign(verdict=[consistency.verdict(s, c.metric["better"]) for s in c.schools["side"]])


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_funnel_marks_each_school_with_limits_once(release: Release, theme: Theme) -> None:
    c = trust(release)
    figure = funnel(marked(c), c.university, c.metric, theme, column=WIDE).checked()
    assert marks(figure) == (c.schools["side"] != "").sum() > 20
    assert f"University {c.university['value']:.0f}%" in said(figure)


def test_schools_are_told_by_the_published_words(release: Release) -> None:
    c = trust(release)
    apart = c.schools[c.schools["side"].isin(["above", "below"])]
    assert len(apart), "the sample should have schools outside the limits"
    table = tables.schools(c, set()).set_index("School")
    for school in apart.to_dict("records"):
        said = f"{consistency.MARKS[consistency.place(school, c.metric)]} {school['side']}: {school['says']}"
        assert table.loc[school["name"], "Against the usual range"] == said
    assert len(c.called(consistency.LEARN)) + len(c.called(consistency.TALK)) == len(apart)


def test_schools_in_doubt_are_hollow_and_in_no_colour_of_a_verdict(release: Release) -> None:
    c = trust(release)
    of_limits = c.schools["side"] != ""
    schools = c.schools.assign(
        verdict=["doubt" if s == c.schools[of_limits]["unit"].iloc[0] else "attention" for s in c.schools["unit"]]
    )
    for figure in (
        intervals(schools, c.university, c.metric, LIGHT),
        funnel(schools, c.university, c.metric, LIGHT),
    ):
        marks = [t["marker"] for t in figure.traces if t.get("mode") == "markers"]
        [hollow] = [m for m in marks if m["color"] == LIGHT.page]
        assert LIGHT.context in (hollow["line"]["color"], *hollow["line"]["color"])
        assert hollow["line"]["width"] == 2


def test_limits_are_drawn_behind_each_row(release: Release) -> None:
    c = trust(release)
    figure = intervals(marked(c), c.university, c.metric, LIGHT).checked()
    lines = [t for t in figure.data if t.mode == "lines"]
    assert [sum(x is not None for x in t.x) for t in lines] == [2 * (c.schools["side"] != "").sum()] * 2


def test_rows_stand_in_the_order_given(release: Release) -> None:
    c = trust(release)
    for schools in (marked(c), marked(c).sort_values("value")):
        figure = intervals(schools, c.university, c.metric, LIGHT, column=WIDE).checked()
        labels = sorted((a["y"], a["text"]) for a in figure.layout.annotations if a["xshift"])
        assert len(labels) == len(schools)
        for (_, label), name in zip(labels, schools["short_name"], strict=True):
            assert escape(name.split()[0]) in label


def test_a_funnel_of_nothing_still_draws(release: Release) -> None:
    c = trust(release)
    none = marked(c).assign(side="", status="suppressed")
    assert marks(funnel(none, c.university, c.metric, LIGHT).checked()) == 0


def test_names_never_lie_on_one_another() -> None:
    wanted = [(50.0, 50.0, "School of Long and Winding Names"), (51.0, 50.5, "Another School of Long Names")]
    labels = beside(
        [*wanted, (52.0, 50.2, "A third one")] * 3, [(x, y) for x, y, _ in wanted], (0, 100), (0, 100), 400, LIGHT
    )
    places = {(a["xanchor"], a["xshift"], a["yshift"], a["x"], a["y"]) for a in labels}
    assert 1 <= len(labels) == len(places) < 9


def test_modes_stand_beside_the_outcome_and_hidden_ones_say_so(release: Release) -> None:
    c = trust(release)
    found = release.derived("mode", academic_year="2025/26", part="year")
    places = ways.places(found, c, release.units)
    names = ways.order(found)
    assert names[0] == "in person"
    assert places[0]["kind"] == "university"
    figure = modes(places, names, c.metric, LIGHT, WIDE).checked()
    assert len(figure.data) == len(names) + 1
    assert said(figure).count("hidden to protect people") == 1
    assert marks(figure) == len(c.shown) + 1
    table = tables.modes(places, names, c.metric)
    assert (table["online"] == "hidden to protect people").sum() == 1
    assert "by school; on ‘I trust my tutor’ schools differ by more than chance" in ways.title(places, names, c)


def test_years_without_a_figure_say_why(release: Release) -> None:
    found = release.derived("consistency", metric="trust", level="all", unit="university")
    rows = over_years.consistency(found[found["academic_year"] != "2023/24"], release.periods, "year")
    assert [r["status"] for r in rows] == ["shown", "shown", "none", "shown", "shown"]
    figure = by_year(rows, release.metrics.loc["trust"], LIGHT).checked()
    assert said(figure).count("no figure") == 1
    table = tables.consistency_by_year(rows, release.metrics.loc["trust"])
    assert table["Eight in ten schools"].tolist()[2] == "no figure"
    assert over_years.consistency_title(rows, release.metrics.loc["trust"]).count("between") == 2
