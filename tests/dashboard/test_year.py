"""Through the year: who has not met their tutor yet, with numbers and doubt, and weeks unlike those before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from dashboard import tables_year
from dashboard.charts.curves import Line, Panel, curves, reach
from dashboard.charts.rows import NARROW, WIDE
from dashboard.charts.weeks import contacts
from dashboard.findings import year as findings
from dashboard.findings.year import Span
from dashboard.published import Release
from dashboard.style.theme import LIGHT, THEMES
from tests.dashboard.test_charts import said
from tests.dashboard.test_pages import links, text, visit

NOW = Span("2026/27", "2025/26", 9, "2026/27 to week 9", True)
WHOLE = Span("2025/26", "2024/25", 31, "2025/26", False)


def point(value: float, half: float = 1, base: int = 37400) -> dict[str, Any]:
    limits = {"lower": value - half, "upper": value + half}
    return {"week": 9, "value": value, **limits, "base": base, "status": "shown"}


def line(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame([{**point(v, 2, 500), "week": w} for w, v in enumerate(values)])


def weeks(**more: Any) -> pd.DataFrame:
    plain = {"contacts": 100.0, "expected": 100.0, "lower": 90.0, "upper": 110.0, "signal": "", "rule": ""}
    return pd.DataFrame([{**plain, "week": w, "status": "shown", "why": "", **more} for w in range(1, 10)])


def test_who_has_not_met_their_tutor_is_said_with_numbers_and_doubt() -> None:
    told = findings.answer(point(81), point(80), "at the university", NOW)
    assert told == (
        "By week 9 of 2026/27, 19% of the students at the university had no meeting with their tutor on record "
        "(18% to 20%), about 7,100 of 37,400; not clearly different from the 20% by week 9 of 2025/26."
    )
    touching = findings.answer(point(83.5, 2), point(80, 2), "here", NOW)
    assert "clearly fewer than the 20% by" in touching, "judged by the interval of the difference, as on the Overview"
    assert "clearly fewer than the 30% by" in findings.answer(point(81), point(70), "here", NOW)
    assert "clearly more than the 10% in 2024/25" in findings.answer(point(81), point(90), "here", WHOLE)
    assert "is not shown" in findings.answer(None, None, "here", NOW)
    assert "about 0 of 500" in findings.answer(point(100, 0, 500), None, "here", NOW)


def test_a_lines_last_point_is_this_week_or_the_end_of_the_year() -> None:
    points = line([0, 40, 60, 70])
    assert findings.last_point(points, Span("a", "", 2, "a", True))["value"] == 60
    assert findings.last_point(points, WHOLE)["value"] == 70
    assert findings.last_point(points.head(0), NOW) is None


def test_titles_say_against_what_and_whether_it_is_clear() -> None:
    assert findings.units_title(point(60), point(81), None, "Law", NOW) == (
        "60% had met their tutor by week 9 of 2026/27, against 81% across the university"
    )
    assert "not clearly apart from 80% by week 9 of 2025/26" in findings.units_title(
        point(81), None, point(80), "University", NOW
    )
    assert "too few" in findings.units_title(None, None, None, "Law", NOW)


def test_groups_are_told_apart_by_the_evidence_of_their_gap() -> None:
    points = {"Black": point(83, 3), "White": point(85, 3), "Unknown": point(10)}
    gap = {"metric": "no_meeting", "group": "Black", "reference": "White", "value": 2.0, "status": "shown"}
    metrics = pd.DataFrame({"material": [3.0]}, index=["no_meeting"])

    def title(of: dict[str, Any], evidence: str) -> str:
        gaps = pd.DataFrame([gap | {"evidence": evidence, "direction": "worse" if evidence == "clear gap" else "none"}])
        return findings.groups_title(of, ["Black", "White"], gaps, metrics, NOW)

    assert title(points, "clear gap") == "Had met their tutor by week 9 of 2026/27: Black at 83%, White at 85%"
    assert title(points, "no clear gap").startswith("No clear gap between groups: by week 9 of 2026/27, 83% to 85% had")
    assert title(points, "too few to say").startswith("Too few to say whether groups differ")
    assert title({"White": point(85)}, "clear gap") == "Too few groups can be shown to set side by side"
    others = {"Asian": point(80), "White": point(85)}
    gaps = pd.DataFrame([gap | {"evidence": "clear gap", "direction": "worse"}])
    assert findings.groups_title(others, ["Asian", "White"], gaps, metrics, NOW).startswith("A clear gap is of a group")
    hidden = gaps.assign(status="suppressed")
    assert "No gap between groups can be shown" in findings.groups_title(
        points, ["Black", "White"], hidden, metrics, NOW
    )


def test_last_year_is_held_against_this_one_out_of_whoever_had_begun_by_then() -> None:
    def part(name: str, value: float, weeks: int) -> pd.DataFrame:
        shown = [{**point(value, 1), "week": w, "part": name, "status": "shown"} for w in range(weeks)]
        return pd.DataFrame(shown).assign(academic_year="2025/26", unit="university", group="all")

    curve = pd.concat([part("year", 80, 32), part("to_date", 82, 10)])
    to_date = findings.line(curve, "2025/26", "university", to_date=True)
    assert to_date["week"].tolist() == list(range(32))
    assert findings.last_point(to_date, NOW)["value"] == 82
    assert "From week 10 on, lines of 2025/26 are also out of those who began later" in findings.late([to_date], NOW)
    drawn = curves([Panel("", [Line("", to_date, LIGHT.ink)])], LIGHT, WIDE).checked().data[0]
    assert [*drawn.x][9:12] == [9, None, 10]
    whole = findings.line(curve, "2025/26", "university", to_date=False)
    assert set(whole["value"]) == {80}
    assert findings.late([whole], WHOLE) == ""
    hidden = curve.assign(status=curve["status"].mask(curve["part"] == "to_date", "suppressed"))
    alone = findings.line(hidden, "2025/26", "university", to_date=True)
    assert findings.last_point(alone, NOW) is None, "a whole year's share at that week is out of others"
    assert findings.line(curve.drop(columns="part").head(32), "2025/26", "university", True)["week"].max() == 31


def test_hidden_lines_are_named_for_both_years() -> None:
    now, before = {"Black": line([]), "White": line([1])}, {"Black": line([]), "White": line([])}
    assert findings.hidden_groups(now, before, "2025/26") == "Hidden to protect people: Black; also White in 2025/26."
    assert findings.hidden_groups({"White": line([1])}, {"White": line([1])}, "2025/26") == ""


def test_weeks_that_stand_out_are_told_with_their_rule() -> None:
    found = weeks()
    found.loc[found["week"] == 4, ["signal", "rule"]] = ["high", "outside the limits"]
    found.loc[found["week"].isin([6, 7, 8]), ["signal", "rule"]] = ["low", "seven on one side"]
    assert findings.weeks_title(found) == (
        "More contacts than earlier years lead one to expect in week 4, fewer in weeks 6 to 8"
    )
    told = findings.weeks_words(found)
    assert "Week 4 is outside the limits; weeks 6 to 8 are part of seven weeks or more on one side" in told
    assert "not a verdict" in told
    assert tables_year.contacts(found)["Stands out"].tolist()[3] == "above: outside the limits"


@pytest.mark.parametrize(
    ("found", "title", "reason"),
    [
        (weeks(), "No week stood out", ""),
        (
            weeks(expected=None, lower=None, upper=None, rule="no earlier year"),
            "nothing yet to compare",
            "no earlier year",
        ),
        (weeks(lower=None, upper=None, rule="too few to say"), "Too few alike weeks", "Too few weeks"),
        (weeks(contacts=None, expected=None, lower=None, upper=None, status="suppressed"), "hidden to protect", ""),
    ],
)
def test_weeks_without_signals_or_limits_say_why(found: pd.DataFrame, title: str, reason: str) -> None:
    assert title in findings.weeks_title(found)
    assert reason in findings.weeks_words(found)
    assert "nan" not in tables_year.contacts(found).to_string().lower()
    assert len(contacts(found, LIGHT).checked().data)


@pytest.mark.parametrize("column", [NARROW, WIDE])
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_panels_hold_their_lines_and_say_what_is_hidden(theme: Any, column: int) -> None:
    shown = [Line("this year", line([0, 50, 60]), theme.ink, band=True), Line("last", line([0, 40]), theme.ink, "dot")]
    figure = curves([Panel("A < B", shown), *[Panel("C", [], "hidden to protect people")] * 4], theme, column).checked()
    assert len([t for t in figure.data if t.name]) == 2
    assert "A &lt; B" in said(figure)
    assert said(figure).count("hidden to protect people") == 4
    assert "by week 2: 60% had met their tutor<br>95% interval 58% to 62%, out of about 500" in figure.data[1].text[2]
    domains = [figure.layout[f"yaxis{i}"].domain for i in ("", 2, 3, 4, 5)]
    assert all(0 <= low < high <= 1 for low, high in domains)


@pytest.mark.parametrize("column", [NARROW, WIDE])
def test_a_hidden_group_is_said_to_be_within_its_axis_and_shows_nobody_elses_line(column: int) -> None:
    def panel(now: list[float], last: list[float], said: str = "") -> Panel:
        own = [Line("last year", from_week_1(last), LIGHT.accent), Line("this year", from_week_1(now), LIGHT.accent)]
        return Panel("", own, said, Line("Everyone", from_week_1([40, 70]), LIGHT.context))

    def from_week_1(values: list[float]) -> pd.DataFrame:
        points = line(values)
        return points.assign(week=points["week"] + 1) if len(points) else points

    hidden = "hidden to protect people"
    panels = [panel([50, 60], [50, 60]), panel([], [50, 60], hidden), panel([], [], hidden)]
    figure = curves(panels, LIGHT, column).checked()
    drawn = [(t.name, t.xaxis) for t in figure.data if t.name]
    assert [axis for name, axis in drawn if name == "Everyone"] == ["x"]
    assert [axis for name, axis in drawn if name == "last year"] == ["x", "x2"]
    notes = [a for a in figure.layout.annotations if hidden in a.text]
    assert len(notes) == 2
    for note, axis in zip(notes, (figure.layout.xaxis2, figure.layout.xaxis3), strict=True):
        assert axis.range[0] > 0, "Plotly drops a note at a week before that"
        if note.xref == "paper":
            assert axis.domain[0] <= note.x < axis.domain[1]
        else:
            assert axis.range[0] <= note.x < axis.range[1]


def test_no_everyone_counts_for_the_axis_where_it_is_not_drawn() -> None:
    everyone = Line("Everyone", line([10, 90]), LIGHT.context)
    own = Line("", line([61, 74]), LIGHT.ink)
    assert reach([Panel("", [own]), Panel("", [Line("", line([]), LIGHT.ink)], "hidden", everyone)]) == (50, 80)
    assert reach([Panel("", [own], beside=everyone)]) == (0, 100)


def test_the_axis_lies_between_round_shares_around_all_lines() -> None:
    assert reach([Panel("", [Line("", line([61, 74]), LIGHT.ink)]), Panel("", [])]) == (50, 80)
    assert reach([Panel("", [Line("", line([0, 100]), LIGHT.ink)])]) == (0, 100)
    assert reach([Panel("", [])]) == (0, 100)


def test_names_at_the_ends_of_lines_never_meet() -> None:
    lines = [Line(name, line([0, value]), LIGHT.ink, end=name) for name, value in (("A", 80), ("B", 81), ("C", 81))]
    figure = curves([Panel("", lines)], LIGHT, WIDE, (0, 100))
    places = {a["text"]: a["y"] for a in figure.layout["annotations"] if a.get("xshift") == 8}
    assert places["A"] < places["B"] < places["C"]
    pixels = 360 / 100
    assert min(places["B"] - places["A"], places["C"] - places["B"]) * pixels >= 16
    assert figure.layout["margin"]["r"] >= 8


def test_on_a_phone_long_names_wrap_and_have_their_room() -> None:
    names = ("Not a commuter 83%", "TUNDRA 3–5 (higher participation) 80%")
    lines = [Line(name, line([0, value]), LIGHT.ink, end=name) for name, value in zip(names, (81.0, 80.0), strict=True)]
    figure = curves([Panel("", lines)], LIGHT, NARROW, last=3)
    first, second = (a for a in figure.layout["annotations"] if a.get("xshift") == 8)
    assert first["text"] == "TUNDRA 3–5 (higher<br>participation) 80%"
    assert second["text"] == "Not a commuter 83%"
    assert (second["y"] - first["y"]) * 360 / 100 >= 1.5 * 16, "two lines stand below one"
    beyond = figure.layout["margin"]["r"]
    low, high = figure.layout["xaxis"]["range"]
    free = (high - 1) / (high - low) * (390 - 32 - 46 - beyond)
    assert free + beyond >= 8 + 18 * 6.6
    shared = [Panel("TUNDRA 1 (lowest participation) 81%", lines[:1])] * 2
    assert "TUNDRA 1 (lowest<br>participation) 81%" in said(curves(shared, LIGHT, NARROW).checked())


def test_the_page_begins_with_a_characteristic_of_which_two_groups_are_shown() -> None:
    characteristics = pd.DataFrame(
        {"available": True, "of": [None, None, "ethnicity"], "label": ["Sex", "Ethnicity", "Ethnicity (two groups)"]},
        index=pd.Index(["sex", "ethnicity", "ethnicity_broad"], name="characteristic"),
    )
    metrics = pd.DataFrame({"material": [3.0]}, index=["no_meeting"])
    pairs = [
        (c, g)
        for c, of in {
            "sex": ("Female", "Male", "Unknown"),
            "ethnicity": ("Black", "White", "Unknown"),
            "ethnicity_broad": ("Minority ethnic groups", "White", "Unknown"),
        }.items()
        for g in of
    ]
    groups = pd.DataFrame(pairs, columns=["characteristic", "group"]).assign(compared=lambda g: g["group"] != "Unknown")
    gap = {"metric": "no_meeting", "reference": "White", "status": "shown", "evidence": "clear gap"}
    gaps = pd.DataFrame(
        [
            {**gap, "characteristic": "ethnicity", "group": "Black", "value": 9.0, "direction": "worse"},
            {**gap, "characteristic": "ethnicity_broad", "group": "Minority", "value": 5.0, "direction": "worse"},
        ]
    )

    def first(hidden: set[tuple[str, str]], gaps: pd.DataFrame) -> str:
        curve = groups[["characteristic", "group"]].assign(
            status=["suppressed" if pair in hidden else "shown" for pair in pairs], week=9
        )
        return findings.first_characteristic(curve, gaps, metrics, characteristics, groups)

    none = gaps.assign(evidence="no clear gap")
    black, white, female = ("ethnicity", "Black"), ("ethnicity_broad", "White"), ("sex", "Female")
    assert first(set(), gaps) == "ethnicity", "the widest clear gap"
    assert first({black}, gaps) == "ethnicity_broad", "the finer one has but one group, and Unknown"
    assert first({black, white}, gaps) == "sex"
    assert first(set(), none) == "sex"
    assert first({female}, none) == first({female}, gaps.head(0)) == "ethnicity"
    assert first(set(pairs), gaps) == "ethnicity", "nothing is shown of any: as before"
    assert first(set(pairs), none) == ""


@pytest.mark.usefixtures("served")
def test_few_groups_share_a_panel_and_more_have_one_each_in_one_colour() -> None:
    def drawn(characteristic: str) -> dict[str, Any]:
        charts = visit("year", characteristic=characteristic).get("plotly_chart")
        return next(json.loads(c.proto.spec) for c in charts if "group curves" in c.proto.id)

    few, many = drawn("disability"), drawn("ethnicity")
    assert "yaxis2" not in few["layout"]
    ends = [a["text"] for a in few["layout"]["annotations"] if a.get("xshift") == 8]
    assert any(text.startswith("Disabled ") for text in ends)
    assert few["layout"]["xaxis"]["range"][1] == pytest.approx(9 + 2 + 0.8), "two weeks for names"
    assert max(max(t["x"]) for t in few["data"]) == 9
    assert "yaxis5" in many["layout"]
    assert {t["line"]["color"] for t in many["data"] if t.get("name")} == {LIGHT.accent, LIGHT.context}


def test_no_band_is_drawn_over_weeks_without_limits() -> None:
    found = weeks()
    found.loc[found["week"] == 5, ["lower", "upper"]] = None
    figure = contacts(found, LIGHT).checked()
    bands = [t for t in figure.data if t.fill == "toself"]
    assert [set(b.x) for b in bands] == [{1, 2, 3, 4}, {6, 7, 8, 9}]


@pytest.fixture
def served(sample: Path, serve) -> None:
    serve(sample)


@pytest.mark.usefixtures("served")
def test_the_years_page_follows_its_address(release: Release) -> None:
    app = visit("year", unit="school:ENG3", period="2025-26", characteristic="ethnicity")
    assert not app.exception
    assert app.markdown[0].value.startswith("In 2025/26, ")
    assert "across the university" in text(app)
    assert app.selectbox(key="characteristic").value == "ethnicity"
    assert "2025/26 to week 9" not in app.selectbox(key="period").options, "curves are of whole years"
    onward = next(link for link in links(app) if link.label == "See these gaps with their evidence")
    assert "metric=no_meeting" in onward.query_string
    alone = text(visit("year", unit="school:ENG3", level="UG", characteristic="ethnicity"))
    assert "Groups of faculties and schools are published for all levels together only." in alone


def test_the_years_page_opens_on_groups_that_are_shown_unless_asked_for_others(
    sample: Path, tmp_path: Path, serve
) -> None:
    serve(sample)
    widest = visit("year").selectbox(key="characteristic").value
    shutil.copytree(sample, tmp_path, dirs_exist_ok=True)
    with duckdb.connect(str(next(tmp_path.rglob("university.duckdb")))) as connection:
        connection.execute(
            "update curve set status = 'suppressed', value = null, lower = null, upper = null where characteristic = ?",
            [widest],
        )
    serve(tmp_path)
    app = visit("year")
    other = app.selectbox(key="characteristic").value
    assert other != widest
    assert "Too few groups can be shown" not in text(app)
    assert visit("year", characteristic=widest).selectbox(key="characteristic").value == widest


def test_a_release_without_these_tables_says_so(sample: Path, tmp_path: Path, serve) -> None:
    shutil.copytree(sample, tmp_path, dirs_exist_ok=True)
    with duckdb.connect(str(next(tmp_path.rglob("university.duckdb")))) as connection:
        for table in ("curve", "week", "answers", "response", "representativeness", "weighted"):
            connection.execute(f"drop table {table}")
    serve(tmp_path)
    year, voice = visit("year"), visit("voice")
    assert not year.exception
    assert "does not say by when" in year.markdown[0].value
    assert not voice.exception
    assert "This release does not say who answered." in text(voice)
    assert "agree; the other answers are hidden" in str([c.proto.spec for c in voice.get("plotly_chart")])
