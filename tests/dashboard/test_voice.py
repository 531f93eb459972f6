"""Student voice: sentences with doubt, bars that say what is hidden, and who was not heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard import tables_voice
from dashboard.charts.answers import IN_THREE, colours, diverging
from dashboard.charts.rates import around_everyone, as_weighted
from dashboard.charts.rows import NARROW, WIDE
from dashboard.findings import voice
from dashboard.published import Release
from dashboard.style.theme import LIGHT, THEMES
from tests.dashboard.test_pages import links, text, visit

WHEN = {"academic_year": "2025/26", "part": "year"}
METRICS = pd.DataFrame(
    [
        ("trust", "I trust my tutor", "voice", "proportion", True, None),
        ("knows_me", "My tutor knows me", "voice", "proportion", True, None),
        ("response_rate", "Response rate", "voice", "proportion", True, None),
        ("any_meeting", "Met", "contact", "proportion", True, None),
    ],
    columns=["metric", "label", "theme", "kind", "available", "unavailable_because"],
).assign(suffix="%", decimals=0)
METRICS.index = METRICS["metric"].tolist()
NONE = pd.DataFrame(columns=["unit", "status"])  # no limits


def cell(metric: str, value: float, half: float = 2, unit: str = "university", **more: Any) -> dict[str, Any]:
    shown = {"base": 500, "value": value, "lower": value - half, "upper": value + half, "status": "shown"}
    return {"metric": metric, "unit": unit, "group": "all", **shown, **more}


def hidden(**more: Any) -> dict[str, Any]:
    return cell("trust", float("nan"), base=float("nan"), status="suppressed", **more)


def said(figure: go.Figure) -> str:
    return " ".join(a.text for a in figure.layout.annotations)


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows)


def split(release: Release, metric: str = "trust") -> pd.DataFrame:
    cells = release.cells(metric=metric, level="all", characteristic="all", **WHEN)
    return voice.split(cells, release.rows("answers", metric=metric, characteristic="all", **WHEN))


def test_only_statements_are_asked_about() -> None:
    assert voice.statements(METRICS).index.tolist() == ["trust", "knows_me"]
    gone = METRICS.assign(available=False, unavailable_because="there is no feedback extract")
    assert voice.statements(gone).empty
    assert voice.none_to_show(gone) == "This release cannot say: there is no feedback extract."


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([cell("trust", 60), cell("knows_me", 70)], "most agree with both statements: from 60% on ‘I trust my tutor’"),
        ([cell("trust", 40), cell("knows_me", 45)], "fewer than half agree with both statements"),
        ([cell("trust", 51), cell("knows_me", 70)], "a clear majority agrees with one of two statements"),
        ([cell("trust", 60), {**hidden(), "metric": "knows_me"}], "most agree with the statement that is shown: 60%"),
        ([hidden()], "is hidden to protect people"),
        ([], "is not on record"),
    ],
)
def test_the_answer_says_no_more_than_the_intervals_do(rows: list[dict[str, Any]], expected: str) -> None:
    cells = frame(*rows) if rows else frame(cell("trust", 1)).head(0)
    assert expected in voice.answer(cells, METRICS, "here", "2025/26")


def test_doubt_says_who_was_not_heard_and_what_weights_change() -> None:
    moved = frame(cell("trust", 60, weighted=54.0))
    told = voice.doubt(cell("response_rate", 23), moved, METRICS)
    assert told.startswith("23% of those enrolled answered, so most were not heard; weighted to everyone enrolled")
    assert "‘I trust my tutor’ is at 54% rather than 60%" in told
    assert voice.doubt(cell("response_rate", 71), moved.head(0), METRICS) == "71% of those enrolled answered."
    alike = voice.weighted_title(frame(cell("trust", 60, weighted=60.0)), METRICS)
    assert alike.endswith("every share of agreement stays the same")
    assert "too few" in voice.weighted_title(moved.assign(status="suppressed"), METRICS).lower()


def test_a_unit_is_set_beside_the_university_both_ways() -> None:
    university = frame(cell("trust", 60), cell("knows_me", 60))
    both = frame(cell("trust", 70, unit="school:A"), cell("knows_me", 50, unit="school:A"))
    both = both.assign(unit="faculty:A")
    assert voice.beside(both, university, METRICS, NONE) == (
        "Agreement is clearly higher on ‘I trust my tutor’ and lower on ‘My tutor knows me’ than across the university."
    )
    near = frame(cell("trust", 61, unit="faculty:A"))
    assert voice.beside(near, university, METRICS, NONE) == "No statement is clearly apart from the university’s."
    assert "higher on both statements" in voice.beside(both.assign(lower=65, upper=75), university, METRICS, NONE)
    assert voice.beside(frame(hidden()), university, METRICS, NONE) == ""


def test_a_school_is_set_beside_the_usual_range_as_on_every_other_page() -> None:
    university = frame(cell("trust", 60), cell("knows_me", 60))
    own = frame(cell("trust", 70, 1, unit="school:A"), cell("knows_me", 50, 1, unit="school:A"))
    at = {"unit": "school:A", "position": "within the limits", "status": "shown"}
    within = frame(*({"metric": m, **at} for m in METRICS.index))
    said = voice.beside(own, university, METRICS, within)
    assert said == "Agreement lies within the usual range for schools on both statements."
    low = within.assign(position=["below" if m == "knows_me" else "within the limits" for m in within["metric"]])
    said = voice.beside(own, university, METRICS, low)
    assert said == "Beside the usual range for schools, agreement is below on ‘My tutor knows me’."
    assert voice.beside(own, university, METRICS, NONE) == "", "without limits nothing is said"
    one = own[own["metric"] == "trust"].assign(name="Law")
    assert voice.units_title(one, cell("trust", 60), "school", within[within["metric"] == "trust"]).endswith(
        "70% agree, within the usual range around the university’s 60%"
    )


def test_titles_do_not_rank_what_cannot_be_told_apart() -> None:
    assert "No clear difference between statements" in voice.statements_title(
        frame(cell("trust", 60), cell("knows_me", 62)), METRICS
    )
    groups = frame(cell("trust", 60, group="Black"), cell("trust", 62, group="White")).assign(compared=True)
    metrics = pd.DataFrame({"material": [3.0]}, index=["trust"])
    gap = frame({"metric": "trust", "group": "Black", "reference": "White", "value": -2.0, "status": "shown"})
    none = gap.assign(evidence="no clear gap", direction="none")
    assert voice.groups_title(groups, none, metrics, "Law") == "Law: no clear gap between groups, 60% to 62% agree"
    clear = gap.assign(evidence="clear gap", direction="worse")
    assert voice.groups_title(groups, clear, metrics, "Law") == "Law: Black at 60%, White at 62% who agree"
    few = gap.assign(evidence="too few to say", direction="none")
    assert "too few to say whether groups differ" in voice.groups_title(groups, few, metrics, "Law")
    tied = frame(cell("trust", 80), cell("knows_me", 80), cell("any_meeting", 20))
    assert "most with ‘I trust my tutor’ and ‘My tutor knows me’, least with" in voice.statements_title(tied, METRICS)
    faculties = frame(cell("trust", 70, unit="a"), cell("trust", 61, unit="b"), hidden(unit="c"))
    assert voice.units_title(faculties, cell("trust", 60), "faculty", NONE) == (
        "Of two faculties, one is clearly above the university’s 60% who agree"
    )
    schools = frame(*(cell("trust", 70, unit=f"school:{u}") for u in "ab"))
    limits = frame(
        *({"unit": f"school:{u}", "position": p, "status": "shown"} for u, p in (("a", "above"), ("b", "x")))
    )
    limits.loc[1, "position"] = "within the limits"
    assert voice.units_title(schools, cell("trust", 60), "school", limits) == (
        "Of two schools, one above the usual range around the university’s 60% who agree"
    )


def test_heard_less_is_clear_material_and_never_unknown() -> None:
    everyone = cell("response_rate", 30, 0.5)
    rates = frame(
        cell("r", 20, group="Black"), cell("r", 29, 0.5, group="Asian"), cell("r", 25, 6, group="Mixed"),
        cell("r", 10, group="Unknown"), hidden(group="Other"),
    )  # fmt: skip
    less = voice.heard_less(rates, everyone, ["Black", "Asian", "Mixed", "Other"])
    assert less["group"].tolist() == ["Black"]
    assert voice.response_title(rates, less, everyone) == "Heard less than everybody (30%): Black (20%)"
    assert "No group’s" in voice.response_title(rates, less.head(0), everyone)
    assert "Too few groups" in voice.response_title(rates.tail(2), less.head(0), everyone)


def test_how_evenly_groups_answered_is_said_in_plain_words() -> None:
    characteristics = pd.DataFrame(
        {"label": ["Ethnicity", "Ethnicity (two groups)", "Sex", "Disability"], "of": [None, "ethnicity", None, None]},
        index=["ethnicity", "ethnicity_broad", "sex", "disability"],
    )
    says = [voice.UNEVEN, voice.UNEVEN, voice.UNEVEN, "not asked"]
    found = pd.DataFrame({"characteristic": characteristics.index, "says": says, "r_indicator": 0.9, "lower": 0.88})
    found = found.assign(upper=0.92, status=["shown", "shown", "shown", "none"])
    told = voice.evenness(found, "ethnicity", characteristics)
    assert told.startswith("By ethnicity, some groups are heard less than others. On a scale from 0")
    assert "0.90 (0.88 to 0.92)" in told
    assert told.endswith("Some groups are also heard less by sex.")
    assert voice.evenness(found, "disability", characteristics).startswith("By disability, the survey did not ask.")


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_bars_show_the_answers_and_say_where_there_are_none(release: Release, theme: Any) -> None:
    rows = tables_voice.unit_rows(split(release), release.units, "university")
    rows.loc[rows["unit"] == "school:ART1", "bands"] = 0
    figure = diverging(rows, voice.RATE, theme).checked()
    bars = [t for t in figure.data if t.type == "bar"]
    assert [b.name for b in bars] == list(voice.ANSWERS)
    assert {b.marker.color for b in bars} == set(colours(theme).values())
    assert all(len(b.x) == (rows["bands"] > 0).sum() for b in bars)
    widths = sum(pd.Series(b.x).to_numpy() for b in bars)
    assert ((widths > 97) & (widths < 103)).all()
    assert "agree; the other answers are hidden" in said(figure)
    assert IN_THREE in said(figure)
    first = bars[0].text[0]
    assert "95% interval" in first
    assert "out of about" in first
    table = tables_voice.divided(rows, "Place")
    assert len(table) == len(rows)
    assert "with disagree" in table.to_string()
    assert "nan" not in table.drop(columns=table.columns[0]).to_string().lower()


@pytest.mark.parametrize("column", [NARROW, WIDE])
def test_the_share_who_agree_has_its_interval_and_a_mark_only_where_clearly_apart(
    release: Release, column: int
) -> None:
    rows = tables_voice.unit_rows(split(release), release.units, "university")
    rows["side"] = ["", "above", "below", *["near"] * (len(rows) - 3)]
    drawn = diverging(rows, voice.RATE, LIGHT, column)
    ends = [a["text"] for a in drawn.layout["annotations"] if a.get("xshift") == 4]
    assert len(ends) == ((rows["bands"] > 0) & (rows["status"] == "shown")).sum()
    for end, row in zip(ends, rows[rows["bands"] > 0].to_dict("records"), strict=True):
        assert f"<b>{row['value']:.0f}%</b>" in end
        assert f"{row['lower']:.0f}–{row['upper']:.0f}" in end
        assert ("▲" in end, "▼" in end) == (row["side"] == "above", row["side"] == "below")


def test_hidden_rates_are_words(release: Release) -> None:
    rates = release.rows("response", unit="school:ENG1", level="all", characteristic="ethnicity", **WHEN)
    groups = release.groups[release.groups["characteristic"] == "ethnicity"]
    rates.loc[rates["group"] == "Black", "status"] = "suppressed"
    rows = tables_voice.group_rows(rates, groups).assign(verdict="context")
    figure = around_everyone(rows, cell("response_rate", 30), voice.RATE, LIGHT).checked()
    assert "hidden to protect people" in said(figure)
    assert "Everyone 30%" in said(figure)
    assert sum(len(t.x) for t in figure.data) == (rows["status"] == "shown").sum()
    nothing = around_everyone(rows, hidden(), voice.RATE, LIGHT).checked()
    assert "Everyone" not in said(nothing)


def test_weighted_stands_beside_unweighted(release: Release) -> None:
    found = release.rows("weighted", unit="university", level="all", **WHEN)
    statements = voice.statements(release.metrics)
    cells = pd.concat([release.everyone(m, "all", WHEN) for m in statements.index])
    rows = tables_voice.weighted_rows(found, cells[cells["unit"] == "university"], statements)
    rows.loc[0, "status"] = "suppressed"
    figure = as_weighted(rows, LIGHT).checked()
    assert [len(t.x) for t in figure.data] == [len(statements) - 1] * 2
    table = tables_voice.weighted(rows)
    assert table.loc[0, "Weighted"] == table.loc[0, "As given"] == "hidden to protect people"
    assert "nan" not in table.drop(columns=table.columns[0]).to_string().lower()


@pytest.fixture
def served(sample: Path, serve) -> None:
    serve(sample)


@pytest.mark.usefixtures("served")
def test_answers_by_group_are_shown_or_the_page_says_where() -> None:
    shown = text(visit("voice", metric="trust", characteristic="sex"))
    assert "How the five answers divide is not published" not in shown
    faculty = visit("voice", metric="trust", characteristic="sex", unit="faculty:ENG")
    assert "How the five answers divide is not published for these groups here" in text(faculty)
    onward = next(link for link in links(faculty) if link.label == "See how they divide across the university")
    assert "characteristic=sex" in onward.query_string
    assert "unit=university" in onward.query_string
    assert "4 points" not in faculty.markdown[0].value
    assert "rather than" in faculty.markdown[0].value, "weights move the answer, and the first sentences say so"


def test_an_unlinked_survey_says_so() -> None:
    unlinked = METRICS.copy()
    unlinked.loc["response_rate", ["available", "unavailable_because"]] = [
        False,
        "the feedback extract has no student_id",
    ]
    assert "not linked to students, because the feedback extract has no student_id" in voice.linked_words(unlinked)
    assert voice.linked_words(METRICS) == ""
