"""Whether a gap is real, where, and since when: the published words, and charts of what is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashboard import gap_tables, tables
from dashboard.charts.gaps import graded_gaps
from dashboard.charts.parts import beside_raw, parts
from dashboard.charts.scatter import average_and_spread
from dashboard.charts.tiles import tiles
from dashboard.charts.years import by_year
from dashboard.findings import over_years, unequal, why
from dashboard.published import Release
from dashboard.style.theme import LIGHT, THEMES, Theme
from pipelines.measures.over_time import CROSSED, LEFT, NARROWING, WIDENING
from tests.dashboard.test_charts import WHEN, marks, said
from tests.dashboard.test_findings import PERCENT
from tests.dashboard.test_pages import visit

OF = {**WHEN, "metric": "trust", "level": "all"}


def gap(**more: Any) -> dict[str, Any]:
    row = {
        "unit": "school:A", "characteristic": "ethnicity", "group": "Black", "reference": "White", "value": -9.0,
        "lower": -12.0, "upper": -6.0, "evidence": "clear gap", "direction": "worse", "status": "shown",
        "like_for_like": -8.0, "like_for_like_lower": -11.0, "like_for_like_upper": -5.0,
        "like_for_like_says": "remains",
    }  # fmt: skip
    return row | more


@pytest.mark.parametrize("says", [*why.BESIDE_RAW, "", "something new"])
def test_like_for_like_is_told_in_the_published_words(says: str) -> None:
    told = why.like_words(gap(like_for_like_says=says), PERCENT)
    left = "8 points lower (5 to 11 points)."
    assert told == (f"{why.ALIKE} {why.BESIDE_RAW[says]}: {left}" if says in why.BESIDE_RAW else "")
    turned = {"worse_off": "White", "value": 9.0, "like_for_like": 1.0, "like_for_like_lower": -2.0}
    other_side = why.like_words(gap(**turned, like_for_like_upper=3.0, like_for_like_says=says), PERCENT)
    assert not told or other_side.endswith(": 1 point lower (3 lower to 2 points higher)."), "as the raw gap is told"
    assert "(" not in why.like_words(gap(like_for_like=np.nan, like_for_like_says="too few to say"), PERCENT)


@pytest.mark.parametrize(
    ("left", "furthest", "said"),
    [
        (-8.0, -8.5, "it remains: "),
        (-5.0, -7.0, "it remains: "),
        (-4.0, -7.0, "part of it remains: "),
        (-4.0, -11.0, "it remains: "),  # perhaps all of it
    ],
)
def test_of_a_gap_of_which_clearly_less_remains_only_part_is_said_to(left: float, furthest: float, said: str) -> None:
    row = gap(like_for_like=left, like_for_like_lower=furthest, like_for_like_upper=-1.0)
    assert why.like_words(row, PERCENT).startswith(f"{why.ALIKE} {said}")


def test_a_pooled_gap_says_whether_it_is_the_same_everywhere() -> None:
    row = {
        "schools": 12, "value": -4.0, "lower": -6.0, "upper": -2.0, "likely_lower": -10.0, "likely_upper": 1.0,
        "says": "differs between schools",
    }  # fmt: skip
    told = why.pooled_words(pd.DataFrame([row]), PERCENT)
    assert "4 points lower (2 to 6 points), and it differs between schools. In another such school it" in told
    assert told.endswith("would likely be 10 lower to 1 point higher.")
    few = why.pooled_words(pd.DataFrame([{**row, "likely_lower": np.nan, "likely_upper": np.nan}]), PERCENT)
    assert "another such school" not in few
    assert why.likely(pd.DataFrame([row])) == (-10.0, 1.0)
    assert why.pooled_words(pd.DataFrame(), PERCENT) == ""


def test_a_tile_is_the_gap_with_the_best_evidence() -> None:
    rows = [
        gap(group="Asian", value=-20.0, evidence="too few to say"),
        gap(group="Black"),
        gap(group="Mixed", value=-5.0),
        gap(group="Other", status="suppressed", value=np.nan),
        gap(unit="school:B", status="suppressed", value=np.nan),
    ]
    schools = pd.DataFrame({"unit": ["school:A", "school:B", "school:C"], "name": ["A", "B", "C"]})
    about = pd.DataFrame({"label": ["Ethnicity"]}, index=["ethnicity"])
    found = unequal.strongest(pd.DataFrame(rows), schools, about)
    assert [(c["group"], c["status"]) for c in found] == [("Black", "shown"), ("Black", "suppressed"), ("", "none")]
    assert unequal.tiles_title(found) == (
        "One school with a clear gap by at least one characteristic, one of 3 tiles hidden to protect people"
    )


def test_a_tile_has_no_clear_gap_only_where_every_group_shown_can_say() -> None:
    none, few = gap(evidence="no clear gap", value=-9.0), gap(group="Asian", evidence="too few to say", value=-1.0)
    school = pd.DataFrame({"unit": ["school:A"], "name": ["A"]})
    about = pd.DataFrame({"label": ["Ethnicity"]}, index=["ethnicity"])

    def tile(*rows: dict[str, object]) -> str:
        return str(unequal.strongest(pd.DataFrame(rows), school, about)[0]["evidence"])

    assert tile(none, few) == tile(few, none) == "too few to say"
    assert tile(few, none, gap(group="Mixed", evidence="possible gap")) == "possible gap"
    assert tile(none, none) == "no clear gap"


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_tiles_carry_where_they_lead_and_say_what_is_hidden(release: Release, theme: Theme) -> None:
    schools = release.units[release.units["kind"] == "school"]
    about = release.characteristics[release.characteristics["of"].isna()]
    found = unequal.strongest(release.gaps(**OF), schools, about)
    places, columns = schools.to_dict("records"), list(about["label"].items())
    figure = tiles(found, places, columns, release.metrics.loc["trust"], theme).checked()
    assert len(figure.data[0].customdata) == len(schools) * len(about)
    assert tuple(figure.data[0].customdata[0][:2]) == (schools["unit"].iloc[0], columns[0][0])
    table = gap_tables.tiles(found, places, columns, release.metrics.loc["trust"])
    assert table.shape == (len(schools), len(about) + 1)
    assert not (table == "").any().any()


def test_the_forest_has_the_pooled_gap_and_draws_schools_towards_it(release: Release) -> None:
    of = {**OF, "characteristic": "ethnicity", "group": "Black"}
    rows = tables.school_gap_rows(release.gaps(**of), release.units, None)
    pooled = release.derived("pooled_gap", **of, unit="university")
    drawn = release.derived("pooled_gap_school", **of, unit="university")
    whole = gap_tables.pooled_rows(rows, pooled, drawn)
    assert whole["kind"].tolist()[:2] == ["university", "pooled"]
    figure = graded_gaps(whole, release.metrics.loc["trust"], LIGHT, likely=why.likely(pooled)).checked()
    assert "All schools, pooled" in said(figure)
    assert marks(figure) == (whole["status"] == "shown").sum() + whole["drawn"].notna().sum()
    assert len(tables.gaps(whole, release.metrics.loc["trust"], "name")) == len(rows) + 1
    assert gap_tables.pooled_rows(rows, pooled.head(0), drawn.head(0)) is rows
    of_faculty = gap_tables.pooled_rows(rows, pooled, drawn, "Arts")
    assert of_faculty["name"].tolist()[1] == "Arts: schools pooled"


def test_a_gap_and_what_it_is_made_of(release: Release) -> None:
    metric = release.metrics.loc["trust"]
    labels = release.characteristics["label"].to_dict()
    beside = why.beside_rows(release.gaps(**OF, unit="university"), labels, "University")
    assert beside
    assert {r["evidence"] for r in beside} <= {"clear gap", "possible gap"}
    assert marks(beside_raw(beside, metric, LIGHT).checked()) == 2 * len(beside)
    assert len(gap_tables.beside_raw(beside, metric)) == len(beside)
    key = {**OF, "unit": "university", "characteristic": "ethnicity", "group": "Black"}
    whole = release.derived("decomposition", **key).iloc[0].to_dict()
    schools = release.derived("decomposition_school", **key)
    rows = why.part_rows(whole, schools, release.units, "University")
    assert [len(r["bars"]) for r in rows][:4] == [1, 1, 1, 0]
    assert len(rows) == 4 + why.MOST_SCHOOLS
    assert sum(len(t.x) for t in parts(rows, metric, LIGHT).checked().data) == 3 + 2 * why.MOST_SCHOOLS
    assert len(gap_tables.parts(whole, schools, release.units, metric)) == 3 + len(schools)
    title = why.part_title(whole, "Black", release.characteristics.loc["ethnicity"], metric)
    assert "points lower for Black students than for White students: " in title


def test_average_and_spread_names_only_where_groups_differ(release: Release) -> None:
    metric = release.metrics.loc["trust"]
    found = release.derived("inequality", **OF, characteristic="ethnicity")
    rows = unequal.spread_rows(found, release.everyone("trust", "all", WHEN), release.units)
    schools = [r for r in rows if r["kind"] == "school"]
    university = next(r for r in rows if r["kind"] == "university")
    figure = average_and_spread(schools, university, metric, LIGHT).checked()
    assert marks(figure) == len(schools)
    apart = [r["short_name"] for r in schools if r["says"] == "groups differ"]
    named = {a.text for a in figure.layout.annotations} - {"University"}
    assert named <= set(apart)
    assert len(gap_tables.spread(rows, metric)) == len(rows)
    assert unequal.spread_title(schools, "Ethnicity").startswith("Groups by ethnicity differ in")
    assert "not published" in unequal.spread_title([], "Ethnicity")


def test_a_range_of_ordered_groups_needs_both_ends_and_says_which_way_it_goes(release: Release) -> None:
    groups = pd.DataFrame({"group": ["1", "2", "5", "Unknown"], "compared": [True, True, True, False],
                           "ordering": [1, 2, 3, 4]})  # fmt: skip
    cells = pd.DataFrame(
        [("school:A", "1", "shown"), ("school:A", "5", "shown"), ("school:B", "1", "suppressed"),
         ("school:B", "2", "shown"), ("school:B", "5", "shown")], columns=["unit", "group", "status"]
    )  # fmt: skip
    ends = unequal.with_both_ends(cells, groups)
    assert ends == {"school:A": True, "school:B": False}
    row = {"name": "A", "average": 70.0, "spread": 2.0, "range": -4.0, "groups": 3, "says": "groups differ"}
    table = gap_tables.spread([row, {**row, "range": None}], PERCENT, ordered=True)
    assert table["Most to least disadvantaged"].tolist() == ["−4", "–"]
    assert gap_tables.spread([row], PERCENT)["Lowest to highest"].tolist() == ["4 points"]
    found = release.derived("inequality", **OF, characteristic="imd_quintile")
    assert len(found)
    everyone = release.everyone("trust", "all", WHEN)
    assert all(r["range"] is None for r in unequal.spread_rows(found, everyone, release.units, {}))


def test_how_a_value_changes_along_ordered_groups_is_told_where_both_ends_are_shown() -> None:
    groups = pd.DataFrame({"group": ["IMD 1", "IMD 2", "IMD 5", "Unknown"], "compared": [True, True, True, False],
                           "ordering": [0, 1, 2, 3]})  # fmt: skip
    cells = pd.DataFrame({"unit": "university", "group": ["IMD 1", "IMD 2", "IMD 5"], "status": "shown"})
    slope = pd.DataFrame({"slope": [3.0], "slope_lower": [1.0], "slope_upper": [5.0]})
    said = "Along the whole order, from IMD 1 to IMD 5: 3 points higher (1 to 5 points)."
    assert unequal.slope_words(slope, cells, groups, PERCENT) == said
    level = slope.assign(slope_lower=-1.0)
    assert unequal.slope_words(level, cells, groups, PERCENT).endswith(
        ": 3 points higher (1 lower to 5 points higher)."
    )
    hidden = cells.assign(status=["suppressed", "shown", "shown"])
    assert unequal.slope_words(slope, hidden, groups, PERCENT) == ""
    assert unequal.slope_words(slope.assign(slope=np.nan), cells, groups, PERCENT) == ""
    assert unequal.slope_words(slope[:0], cells, groups, PERCENT) == ""


def test_the_page_tells_the_slope_of_ordered_groups_only(sample: Path, serve: Callable[[Path], None]) -> None:
    serve(sample)
    told = {name: " ".join(m.value for m in visit("equity", view="where", characteristic=name, metric="trust").markdown)
            for name in ("imd_quintile", "ethnicity")}  # fmt: skip
    assert "Along the whole order, from IMD 1 (most deprived) to IMD 5 (least deprived): " in told["imd_quintile"]
    assert "Along the whole order" not in told["ethnicity"]


def test_a_trend_is_told_in_the_published_words(release: Release) -> None:
    key = {"metric": "trust", "level": "all", "unit": "university", "characteristic": "ethnicity", "group": "Black"}
    rows = over_years.gap(release.gaps(**key), release.periods)
    metric = release.metrics.loc["trust"]
    assert [r["label"] for r in rows] == sorted(r["label"] for r in rows)
    figure = by_year(rows, metric, LIGHT, gap=True).checked()
    assert said(figure).count("no figure") == sum(r["status"] == "none" for r in rows) > 0
    assert len(gap_tables.years(rows, metric)) == len(rows)
    row = release.derived("trend", **key)
    assert over_years.gap_title(row, "Black", "White", metric).startswith(
        "Black and White: no clear change in the gap from 2021/22 to 2025/26 (along a line through all years Black "
        "moved +1 points beside White, 95% interval "
    )
    assert {NARROWING, WIDENING, CROSSED, LEFT} <= over_years.IN_WORDS.keys()
    for says in over_years.IN_WORDS:
        assert over_years.IN_WORDS[says] in over_years.gap_title(row.assign(says=says), "Black", "White", metric)
    assert "too few years" in over_years.gap_title(row.head(0), "Black", "White", metric)
