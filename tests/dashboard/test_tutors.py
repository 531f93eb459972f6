"""Between tutors: how far it depends on the tutor, as published, in words that go no further; never which tutor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard import between
from dashboard.charts.rows import WIDE
from dashboard.charts.tutors import spreads
from dashboard.exports import tutors as packed
from dashboard.exports.reading import Reading
from dashboard.findings import tutors
from dashboard.published import Release
from dashboard.style.theme import LIGHT
from tests.dashboard.test_pages import links, text, visit

PERCENT = {"metric": "trust", "label": "I trust my tutor", "suffix": "%", "decimals": 0, "theme": "voice"}
UNITS = pd.DataFrame(
    [
        ("university", "university", "Northmere", "Northmere"),
        ("faculty:ART", "faculty", "Faculty of Arts", "Arts"),
        ("school:B", "school", "School of Botany", "Botany"),
        ("school:A", "school", "School of Art", "Art"),
        ("school:C", "school", "School of Chemistry", "Chemistry"),
    ],
    columns=["unit", "kind", "name", "short_name"],
).assign(parent=[None, "university", *["faculty:ART"] * 3])
DIFFER, MAY, ALIKE, FEW = "differs beyond chance", "may differ", "no more than chance", "too few to say"


def spread(unit: str, says: str, odds: tuple[float, float] = (1.5, 1.9), **more: Any) -> dict[str, Any]:
    ratio = dict(zip(("odds_ratio", "odds_ratio_upper"), odds, strict=True))
    shown = {"members": 40, "value": 70.0, "low": 58.0, "high": 80.0, "status": "shown", "metric": "trust"}
    return {"unit": unit, "says": says, **shown, **ratio, **more}


def hidden(unit: str) -> dict[str, Any]:
    return {"unit": unit, "says": FEW, "status": "suppressed", "metric": "trust"}


def rows(*found: dict[str, Any], home: str = "university") -> pd.DataFrame:
    return tutors.rows(pd.DataFrame(found), UNITS, home)


WHOLE = rows(spread("university", DIFFER), spread("school:A", DIFFER), spread("school:B", ALIKE), hidden("school:C"))


def test_a_typical_school_comes_first_then_schools_from_a_to_z() -> None:
    assert WHOLE["short_name"].tolist() == ["A typical school", "Art", "Botany", "Chemistry"]
    of_faculty = rows(spread("university", DIFFER), spread("faculty:ART", ALIKE), home="faculty:ART")
    assert of_faculty["short_name"].tolist()[:2] == [
        "A typical school of the Faculty of Arts",
        "A typical school of all",
    ]
    own = UNITS[UNITS["unit"].isin(["university", "faculty:ART", "school:B"])]
    of_school = tutors.rows(pd.DataFrame([spread(u, DIFFER) for u in own["unit"]]), own, "school:B")
    assert of_school["unit"].tolist() == ["school:B", "faculty:ART", "university"]
    assert tutors.title(of_school, PERCENT).startswith("In the School of Botany about eight in ten")
    without = rows(spread("school:A", DIFFER))
    assert without["short_name"].tolist() == ["Art", "Botany", "Chemistry"], "no typical school is published"


def test_how_far_apart_tutors_could_be_is_at_the_limit_of_the_odds_ratio() -> None:
    first = WHOLE.iloc[0]
    assert first["could_low"] < first["low"] < first["value"] < first["high"] < first["could_high"]
    exact = rows(spread("school:A", ALIKE, (1.0, 1.0), low=70.0, high=70.0)).iloc[0]
    assert (exact["could_low"], exact["could_high"]) == pytest.approx((70, 70))
    assert tutors.table(pd.DataFrame([exact]), PERCENT)["Eight in ten tutors"].tolist() == ["–"]


def test_beyond_what_is_told_anything_is_possible() -> None:
    open_ended = rows(spread("school:A", FEW, (1.8, 5.0)))
    assert (open_ended["could_low"].iloc[0], open_ended["could_high"].iloc[0]) == (0, 100)
    told = tutors.table(open_ended, PERCENT).iloc[0]
    assert told["Could be as far apart as"] == "anything"
    assert told["Median odds ratio"] == "1.8"


def test_where_no_difference_is_seen_it_is_said_how_far_apart_tutors_could_be() -> None:
    alike = rows(
        spread("university", ALIKE, (1.1, 1.3), low=68.0, high=72.0),
        spread("school:A", ALIKE),
        spread("school:B", FEW),
    )
    assert tutors.more(alike, PERCENT).startswith(
        "They could lie as far apart as 62% and 77%. Taken by itself, none of"
    )


def test_the_title_says_what_is_published_and_no_more() -> None:
    label = "on ‘I trust my tutor’"
    said = {
        DIFFER: f"In a typical school about eight in ten tutors lie between 58% and 80% {label}",
        MAY: f"In a typical school tutors may differ {label}: about eight in ten between 58% and 80%",
        ALIKE: f"In a typical school no difference between tutors beyond chance can be seen {label}",
        FEW: f"In a typical school too few students have been counted to say whether tutors differ {label}",
    }
    for says, title in said.items():
        assert tutors.title(rows(spread("university", says), spread("school:A", DIFFER)), PERCENT) == title
    some = rows(spread("school:A", DIFFER), spread("school:B", FEW))
    assert tutors.title(some, PERCENT) == f"Tutors are seen to differ beyond chance {label} in one of two schools"
    none = rows(spread("school:A", ALIKE), spread("school:B", FEW))
    assert tutors.title(none, PERCENT) == f"Tutors are seen to differ beyond chance {label} in none of two schools"
    one = rows(spread("school:A", DIFFER))
    assert (
        tutors.title(one, PERCENT) == f"In the School of Art about eight in ten tutors lie between 58% and 80% {label}"
    )
    unseen = tutors.title(rows(hidden("school:A")), PERCENT)
    assert unseen == f"How far tutors differ {label} is hidden to protect people"
    assert "too few of them have enough students" in tutors.title(rows(hidden("faculty:ART")), PERCENT)
    near = spread("university", DIFFER, (1.1, 1.2), value=99.0, low=99.0, high=99.0)
    assert tutors.title(rows(near), PERCENT) == f"In a typical school tutors differ beyond chance {label}"
    far = spread("university", MAY, (5.0, 5.0), low=23.0, high=95.0)
    assert tutors.title(rows(far), PERCENT) == f"In a typical school tutors may differ {label}", "at least as far"
    business = UNITS.assign(name=UNITS["name"].replace("Faculty of Arts", "Arts Business School"))
    of = tutors.rows(pd.DataFrame([spread("faculty:ART", DIFFER)]), business, "faculty:ART")
    assert tutors.title(of, PERCENT).startswith("In a typical school of the Arts Business School about eight in ten")


def test_schools_are_named_where_their_tutors_differ_beyond_chance() -> None:
    said = tutors.more(WHOLE, PERCENT)
    assert said == (
        "They could lie as far apart as 50% and 85%. "
        "Taken by itself, one of two schools has tutors seen to differ beyond chance: School of Art (58% to 80%)."
    )
    several = rows(*(spread(f"school:{s}", DIFFER) for s in "AB"), spread("school:C", FEW))
    said = tutors.more(several, PERCENT)
    assert said.startswith("Taken by themselves, two of three schools have tutors seen to differ beyond chance")
    assert said.endswith("; in one there are too few students to say.")
    may = rows(spread("school:A", MAY), spread("school:B", ALIKE))
    assert tutors.more(may, PERCENT) == (
        "Taken by itself, none of two schools has tutors seen to differ beyond chance; in one they may."
    )
    far = rows(*(spread(f"school:{s}", DIFFER, (5.0, 5.0), low=23.0, high=95.0) for s in "AB"))
    assert tutors.more(far, PERCENT).endswith("beyond chance: School of Art and School of Botany.")
    assert tutors.more(rows(spread("school:A", DIFFER)), PERCENT).startswith("They could lie as far apart as 50%")
    assert "logs fewer" in tutors.caution(is_contact=True)
    assert "logs" not in tutors.caution(is_contact=False)
    assert "typical" not in tutors.caution(is_contact=True, is_typical=False)


def test_a_school_reads_measure_by_measure() -> None:
    metrics = [PERCENT, {**PERCENT, "metric": "supported", "label": "I feel supported"}]
    found = pd.DataFrame([spread("school:A", DIFFER), spread("school:A", FEW, metric="supported")])
    told = tutors.of_school(found, metrics)
    assert told["Measure"].tolist() == ["I trust my tutor", "I feel supported"]
    assert told["Says"].tolist() == ["differ beyond chance", "too few students to say"]
    assert tutors.school_title(told) == "Tutors differ beyond chance on ‘I trust my tutor’"
    alike = tutors.of_school(found.assign(says=[ALIKE, FEW]), metrics)
    none = "No difference between tutors beyond chance can be seen on one of"
    assert tutors.school_title(alike) == f"{none} two measures; too few to say on one"
    unseen = tutors.of_school(pd.DataFrame([hidden("school:A")]), metrics)
    assert tutors.school_title(pd.concat([alike, unseen, unseen])) == (
        f"{none} four measures; too few to say on one and hidden on two"
    )
    assert tutors.school_title(alike.iloc[:1]) == f"{none} one measure"
    may = tutors.of_school(found.assign(says=[ALIKE, MAY]), metrics)
    assert tutors.school_title(may) == "Tutors may differ on ‘I feel supported’"
    assert tutors.school_title(alike.iloc[1:]) == "Too few students to say whether tutors differ"
    assert tutors.school_title(unseen) == "How far tutors differ is hidden to protect people"
    assert tutors.of_school(found.head(0), metrics).empty


def test_what_is_published_is_drawn_and_what_is_not_is_said(release: Release) -> None:
    metric = release.metrics.loc["trust"]
    found = between.tutors(release, release.periods.loc["2025/26", "year"], metric="trust")
    of = tutors.rows(found, release.units)
    figure = spreads(of, metric, LIGHT, WIDE).checked()
    shown = of[of["status"] == "shown"]
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert sum(len(trace.x) for trace in marks) == len(shown)
    assert len(shown) > 10
    notes = " ".join(a.text for a in figure.layout.annotations)
    assert notes.count("hidden to protect people") == 1
    assert notes.count("too few tutors to say") == int((of["status"] == "none").sum()) > 0
    drawn = {tuple(trace.marker.symbol) if isinstance(trace.marker.symbol, tuple) else trace.marker.symbol
             for trace in marks}  # fmt: skip
    assert drawn == {"diamond", "circle"}, "colour alone tells nothing"
    spreads(of.head(0), metric, LIGHT, WIDE).checked()


def test_the_view_is_offered_where_the_release_tells_of_it(sample: Path, serve, release: Release) -> None:
    serve(sample)
    app = visit("schools", metric="trust", drawn="tutors")
    assert not app.exception
    assert any("eight in ten tutors lie between" in h.value for h in app.header)
    assert "No tutor’s own figure is shown" in text(app)
    offered = app.segmented_control(key="drawn").options
    assert "Between tutors" in offered
    mean = visit("schools", metric="meetings_per_student", drawn="tutors")
    assert not mean.exception
    assert "Between tutors" not in mean.segmented_control(key="drawn").options


def test_what_is_told_of_whole_years_is_shown_for_the_year_in_progress_too(
    sample: Path, serve, release: Release
) -> None:
    now = release.periods[release.periods["is_current"].astype(bool)].iloc[-1]
    assert now["part"] == "to_date"
    year = between.year_told(release, "trust", now)
    assert (year["academic_year"], year["part"]) == ("2025/26", "year")
    assert between.year_told(release, "trust", release.periods.loc["2023/24", "year"])["academic_year"] == "2023/24"
    pooled = {"academic_year": "2023/24 to 2025/26", "part": "pooled"}
    assert between.year_told(release, "trust", pooled)["academic_year"] == "2025/26"
    serve(sample)
    app = visit("schools", metric="trust", drawn="tutors")
    assert any("2025/26, all levels" in body for body in (e.proto.body for e in app.get("html")))


def test_a_profile_says_whether_it_depends_on_the_tutor(sample: Path, serve, release: Release) -> None:
    found = between.tutors(release)
    found = found[found["academic_year"] == found["academic_year"].max()]
    found = found[(found["status"] == "shown") & found["unit"].str.startswith("school:")]
    unit = found.loc[found["says"] == DIFFER, "unit"].iloc[0]
    serve(sample)
    app = visit("profile", unit=unit)
    assert not app.exception
    assert any(h.value.startswith("Tutors differ beyond chance on ‘") for h in app.header)
    assert "Could be as far apart as" in text(app)


def test_a_finding_leads_to_the_view_that_shows_it(sample: Path, serve, release: Release) -> None:
    told = release.findings("university")
    assert "tutors" in set(told["kind"])
    serve(sample)
    led = [link.query_string for link in links(visit()) if "Between tutors" in link.label]
    assert len(led) == 1
    assert "drawn=tutors" in led[0]


def test_a_pack_shows_the_headline_measure_of_which_it_is_surest(release: Release) -> None:
    reading = Reading(release, "university", "2025/26")
    found = packed.clearest(reading)
    assert found is not None
    metric, of, year = found
    assert metric["headline"]
    assert year == "2025/26"
    figure = packed.figure(reading, metric, of, year)
    assert len(figure.marks) == len(of) == len(figure.numbers) == len(figure.table)
    for mark, row in zip(figure.marks, of.to_dict("records"), strict=True):
        if row["status"] != "shown":
            assert mark.value is None
            assert mark.why
            continue
        seen = (row["low"], row["high"]) if row["low"] < row["high"] else (None, None)
        assert (mark.value, mark.lower, mark.upper) == (row["value"], *seen)
        assert mark.glyph == {DIFFER: "◆", MAY: "◇"}.get(row["says"], "")
    assert "eight in ten tutors" in figure.bars


def test_a_pack_of_a_release_without_typical_schools_shows_schools(release: Release) -> None:
    """As of a faculty of two schools, or before typical schools were told of."""

    class Older:
        """A release whose rows between tutors are of schools alone."""

        def __getattr__(self, name: str) -> Any:
            return getattr(release, name)

        def derived(self, table: str, **keys: str) -> pd.DataFrame:
            found = release.derived(table, **keys)
            return found[found["unit"].str.startswith("school:")] if table == "consistency" else found

    reading = Reading(Older(), "university", "2025/26")  # type: ignore[arg-type]
    found = packed.clearest(reading)
    assert found is not None
    figure = packed.figure(reading, *found)
    assert figure.title.startswith("Tutors are seen to differ beyond chance on")
    assert not any("typical" in mark.label for mark in figure.marks)


def test_a_release_that_tells_of_the_year_in_progress_too_is_read_for_whole_years(release: Release) -> None:
    """As releases did before tutors were told of whole years alone."""

    class Older:
        """A release with a row of the year to date, and one of a level."""

        periods = release.periods

        def derived(self, table: str, **keys: str) -> pd.DataFrame:
            found = release.derived(table, metric="trust")
            row = found[found["between"] == "tutors"].iloc[0]
            more = [{**row, "academic_year": "2026/27", "part": "to_date"}, {**row, "level": "UG"}]
            every = pd.concat([found, pd.DataFrame(more)])
            for name, value in keys.items():
                every = every[every[name] == value]
            return every

    older: Any = Older()
    assert set(between.tutors(older, metric="trust")["level"]) == {"all"}
    now = {"academic_year": "2026/27", "part": "to_date"}
    assert between.year_told(older, "trust", now)["academic_year"] == "2025/26"
