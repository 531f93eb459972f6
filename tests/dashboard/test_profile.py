"""One school on one page: where it stands in words and marks, with doubt, and no other school named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dashboard import record
from dashboard.charts import profile as charts
from dashboard.findings import consistency, profile
from dashboard.findings.profile import Measure
from dashboard.published import Release
from dashboard.style.theme import LIGHT
from tests.dashboard.test_pages import links, text, visit

METRIC = pd.Series(
    {"metric": "trust", "label": "I trust my tutor", "theme": "voice", "suffix": "%", "gap_suffix": " points",
     "decimals": 0, "better": "higher", "material": 3.0}
)  # fmt: skip
LOGGED = pd.Series({**METRIC, "metric": "recorded_of_recalled", "theme": "record", "better": "neither"})
MET = pd.Series({**METRIC, "metric": "any_meeting", "label": "Met their tutor", "theme": "contact"})


def cell(value: float | None, half: float = 4, status: str = "shown") -> dict[str, object]:
    if value is None:
        return {"base": None, "value": None, "lower": None, "upper": None, "status": status, "why": ""}
    return {"base": 200, "value": value, "lower": value - half, "upper": value + half, "status": status, "why": ""}


def limits(position: str, says: str) -> dict[str, object]:
    return {"lower": 60.0, "upper": 80.0, "target": 70.0, "position": position, "says": says}


def measure(value: float | None = 70, at: tuple[str, str] | None = ("within the limits",) * 2, **more) -> Measure:
    found = Measure(
        METRIC, "2026/27 to week 9", ("2026/27", "to_date"),
        cell(value, status="shown" if value else "suppressed"), cell(69), cell(70),
        limits(*at) if at else None, "2025/26 to week 9", cell(60),
    )  # fmt: skip
    return replace(found, **more)


WELL = measure(95, ("above", "worth learning from"))
GOOD = measure(85, ("above", "may be worth learning from"))
LOW = measure(50, ("below", "worth a conversation"))


@pytest.mark.parametrize(
    ("given", "place", "verdict", "says"),
    [
        (WELL, "learn", "well", "worth learning from: higher than usual"),
        (GOOD, "better", "well", "may be worth learning from: higher than usual"),
        (LOW, "conversation", "attention", "worth a conversation: lower than usual"),
        (replace(LOW, metric=LOGGED), "apart", "context", "worth a conversation: lower than usual"),
        (
            measure(85, ("above", "worth a conversation")),
            "better",
            "well",
            "may be worth learning from: higher than usual",
        ),
        (measure(), "within", "context", "within the usual range for schools"),
        (measure(at=None), "", "context", "no limits to compare with"),
        (measure(None), "", "context", "hidden to protect people"),
    ],
)
def test_each_place_has_a_mark_and_words(given: Measure, place: str, verdict: str, says: str) -> None:
    assert (given.place, given.verdict, given.says) == (place, verdict, says)
    assert given.glyph


def test_every_place_looks_different_without_colour() -> None:
    assert len(set(consistency.MARKS.values())) == len(consistency.MARKS) == len(set(charts.SYMBOLS.values()))


def test_what_goes_well_is_said_as_plainly_as_what_does_not() -> None:
    said = profile.answer("School of Law", [WELL, GOOD, LOW, measure()])
    assert said.startswith(
        "Of four measures, the School of Law is worth learning from on two and worth a conversation on one"
    )
    assert "record" not in said
    well, others = profile.lists([LOW, GOOD, WELL])
    assert [name[0] for name in well.names] == ["★", "☆"]
    assert [name[0] for name in others.names] == ["◆"]
    assert "on all of two measures" in profile.answer("School of Law", [measure(), measure()]).lower()
    assert "too few figures" in profile.answer("School of Law", [measure(None)])


def test_contact_is_not_judged_before_an_incomplete_record_is_checked() -> None:
    check = measure(40, metric=LOGGED)
    given = [replace(LOW, metric=MET), replace(WELL, metric=MET), measure(metric=MET), measure(None, metric=MET)]
    found = profile.in_doubt([*given, LOW, measure()], check)
    assert [(m.glyph, m.verdict, m.says) for m in found] == [
        ("○", "doubt", "check the record first: lower than usual"),
        ("○", "doubt", "check the record first: higher than usual"),
        ("○", "doubt", "check the record first: within the usual range for schools"),
        ("○", "context", "hidden to protect people"),
        ("◆", "attention", "worth a conversation: lower than usual"),
        ("●", "context", "within the usual range for schools"),
    ]
    well, others, first = profile.lists(found)
    assert (well.names, len(others.names)) == ([], 1)
    assert (first.heading, first.verdict) == (record.FIRST, "doubt")
    assert first.names == [
        "○ Met their tutor: 50% (46% to 54%), lower than usual",
        "○ Met their tutor: 95% (91% to 99%), higher than usual",
    ]
    assert profile.answer("School of Law", found) == (
        "Of two measures that can be judged, the School of Law is worth a conversation on one, and lies within the "
        "usual range for schools on the rest. Its record of meetings looks incomplete: contact cannot be judged before "
        "it is checked."
    )
    assert "of two measures, " in profile.by_chance(found)
    assert profile.chart_title(found) == (
        "Outside the usual range on ‘I trust my tutor’; on contact check the record first"
    )
    assert profile.chart_title(found[:3]) == "Check the record first"
    assert profile.answer("School of Law", found[:3]).startswith("There are too few figures")
    for sound in (None, measure(97, metric=LOGGED)):
        assert profile.in_doubt(given, sound) == given


def test_figures_in_doubt_are_drawn_hollow_and_in_no_colour_of_a_verdict() -> None:
    contact = [replace(LOW, metric=MET), replace(WELL, metric=MET)]
    figure = charts.profile([*profile.in_doubt(contact, measure(40, metric=LOGGED)), measure()], LIGHT).checked()
    marks = {len(t.x): t.marker for t in figure.data if t.text is not None and len(t.x)}
    assert (marks[2].color, marks[2].line.color, set(marks[2].symbol)) == (LIGHT.page, LIGHT.context, {"circle"})
    assert marks[1].color == LIGHT.accent


def test_the_table_sets_a_value_beside_others_and_a_year_before() -> None:
    rows = profile.table([measure(), measure(None)])
    assert rows["Value"].tolist() == ["70% (66% to 74%)", "hidden to protect people"]
    assert rows["Since the year before"].tolist() == ["up 10 points (+4 to +16)", "no figure to compare with"]
    assert rows["Faculty"].tolist() == ["69%", "69%"]


def test_the_title_counts_the_measures_it_is_given() -> None:
    assert profile.chart_title([WELL, measure()]) == "Outside the usual range on ‘I trust my tutor’"
    assert profile.chart_title([measure()] * 2) == "Within the usual range for schools on all two percentages"
    assert profile.chart_title([measure()]) == "Within the usual range for schools on the one percentage"
    assert profile.chart_title([LOW] * 3 + [measure()]) == "Outside the usual range on three of four percentages"


def test_the_chart_draws_marks_limits_and_words() -> None:
    figure = charts.profile([WELL, measure(), measure(None)], LIGHT).checked()
    drawn = [t for t in figure.data if t.text is not None and len(t.x)]
    assert sum(len(t.x) for t in drawn) == 2
    assert {s for t in drawn for s in t.marker.symbol} == {"star", "circle"}
    assert any("hidden to protect people" in a.text for a in figure.layout.annotations)
    assert sum(1 for t in figure.data if t.mode == "lines") == 2


def test_gaps_come_clearest_first_with_the_doubt_of_other_schools(release: Release) -> None:
    about = {"reference": "White", "base": 50, "reference_base": 500, "status": "shown", "direction": "worse"}
    black = {"characteristic": "ethnicity", "group": "Black"}
    limits_of = ["metric", "value", "lower", "upper"]
    rows = pd.DataFrame(
        [("trust", -9.0, -17.0, -1.0), ("any_meeting", -8.0, -11.0, -5.0), ("no_meeting", 8.0, 5.0, 11.0)],
        columns=limits_of,
    ).assign(**about, **black, evidence=["clear gap", "clear gap", "possible gap"])
    drawn = pd.DataFrame([("trust", -2.0, -6.0, 2.0), ("any_meeting", -6.0, -9.0, -3.0)], columns=limits_of).assign(
        **black
    )
    found = profile.clearest(rows, release.metrics, release.characteristics, drawn)
    assert found["metric"].tolist() == ["any_meeting", "trust"], "one for each characteristic and theme"
    told = [
        profile.gap_sentence(g, release.metrics.loc[g["metric"]], release.characteristics.loc["ethnicity"])
        for g in found.to_dict("records")
    ]
    leads, said = zip(*told, strict=True)
    unsure = "Clear gap by ethnicity taken by itself, unsure beside other schools"
    assert leads == ("Clear gap by ethnicity", unsure), "what stands under a heading does not take it back"
    assert said[0].endswith("Beside other schools’ gaps it is likelier about 6 points (3 to 9 points).")
    assert said[1].endswith("Beside other schools’ gaps it may be none at all.")
    without = profile.clearest(rows, release.metrics, release.characteristics, pd.DataFrame())
    assert len(without) == 2


def test_who_is_heard_less_is_said_with_its_interval(release: Release) -> None:
    shared = {"base": 300, "status": "shown"}
    response = pd.DataFrame(
        [
            {**shared, "characteristic": "all", "group": "all", "value": 40.0, "lower": 38.0, "upper": 42.0},
            {**shared, "characteristic": "sex", "group": "Male", "value": 30.0, "lower": 26.0, "upper": 34.0},
            {**shared, "characteristic": "sex", "group": "Female", "value": 48.0, "lower": 44.0, "upper": 52.0},
        ]
    )
    uneven = pd.DataFrame([{"characteristic": "sex", "says": "some are heard less"}])
    said = profile.voice(response, uneven, release.characteristics)
    assert said == [
        "40% (38% to 42%) answered the survey, out of about 300 students.",
        "Some are heard less, by sex. Least: Male 30% (26% to 34%).",
    ]
    assert "not shown" in profile.voice(pd.DataFrame(), pd.DataFrame(), release.characteristics)[0]


def test_the_record_is_judged_by_its_interval() -> None:
    logged = measure(94, metric=LOGGED)
    assert "about 6 in 100 fewer than students recall" in profile.record(logged)
    assert "about 40 in 100 more than" in profile.record(replace(logged, own=cell(140)))
    for sound in (cell(97), cell(97, 1), cell(110, 12)):
        assert profile.record(replace(logged, own=sound)).endswith("at its word.")
    assert "may be incomplete" in profile.record(replace(logged, own=cell(72)))
    assert "matter of logging" in profile.record(replace(logged, own=cell(40)))
    assert "not shown" in profile.record(None)


def test_the_page_tells_all_about_one_school(sample: Path, serve) -> None:
    serve(sample)
    app = visit("profile", unit="school:SCI3")
    assert not app.exception
    said = text(app)
    assert app.title[0].value == "How is tutoring in the School of Mathematics and Statistics?"
    assert "☆" in said or "★" in said
    title = next(h.value for h in app.header if "the usual range" in h.value)
    assert "of 14 percentages" in title, "they alone are drawn"
    assert app.markdown[0].value.startswith("Of 16 measures"), app.markdown[0].value
    for part in (
        "Worth learning from",
        "Worth a conversation",
        "Contact",
        "Student voice",
        "Record check",
        "hidden to protect",
    ):
        assert part in said
    assert "nan" not in said.lower().replace("finance", "").split()
    gaps = [link for link in links(app) if "gap by" in link.label]
    assert gaps
    assert all("unit=school%3ASCI3" in link.query_string for link in gaps)


def test_a_school_that_does_not_log_is_not_blamed_for_contact(sample: Path, release: Release, serve) -> None:
    serve(sample)
    [law] = release.units.index[release.units["name"] == "School of Law and Criminology"]
    app = visit("profile", unit=law)
    assert not app.exception
    lists = dict(re.findall(r"<h2>(.*?)</h2>(.*?)</section>", text(app)))
    contact = release.metrics.loc[release.metrics["theme"] == "contact", "label"]
    assert any(label in lists[record.FIRST] for label in contact)
    assert not any(f" {label}:" in lists["Worth a conversation"] for label in contact)
    assert "contact cannot be judged before it is checked" in app.markdown[0].value
    assert "record looks incomplete: check it first" in text(app)


def test_a_faculty_asked_for_opens_its_first_school(sample: Path, serve) -> None:
    serve(sample)
    assert visit("profile", unit="faculty:ENG").selectbox(key="unit").value == "school:ENG1"
    app = visit("profile", viewer="faculty:ENG", unit="school:BUS1")
    assert not app.exception
