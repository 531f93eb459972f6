"""All schools on all headline measures: the table says what the release says, and leads on to one measure."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import record
from dashboard.compared import compare
from dashboard.findings import every, standing
from dashboard.findings.consistency import Comparison
from dashboard.periods import periods_with
from dashboard.published import Release
from dashboard.style import html, words
from dashboard.tables_headline import gaps as gap_matrix
from dashboard.tables_headline import matrix
from tests.dashboard.test_pages import visit


@pytest.fixture
def served(sample: Path, serve) -> None:
    serve(sample)


@pytest.fixture
def compared(release: Release) -> list[Comparison]:
    headline = release.metrics[release.metrics["headline"].astype(bool) & release.metrics["available"].astype(bool)]
    return [
        compare(release, metric, periods_with(release, name, "all").iloc[0], "all")
        for name, metric in headline.iterrows()
    ]


def table(app: AppTest) -> str:
    """The markup of the table."""
    return next(e.proto.body for e in app.get("html") if 'class="matrix"' in e.proto.body)


def test_each_figure_is_marked_by_its_side_of_the_limits_and_a_doubtful_record_is_not_judged(
    release: Release, compared: list[Comparison]
) -> None:
    incomplete = record.incomplete(release, "all")
    frame = matrix(compared, incomplete)
    assert frame["School"].tolist() == ["University", *compared[0].schools["name"]]
    for c in compared:
        for school, figure in zip(c.schools.to_dict("records"), frame[c.metric["label"]].iloc[1:], strict=True):
            assert figure.value == words.shown(school, c.metric)
            assert figure.glyph == {"above": "▲", "below": "▼"}.get(school["side"], "")
            in_doubt = school["unit"] in incomplete and c.metric["theme"] == "contact"
            assert bool(figure.doubt) == in_doubt
            assert not in_doubt or figure.verdict == "context"
    assert incomplete
    assert any(f.verdict == "attention" for label in frame.columns[1:] for f in frame[label])


def test_a_mark_is_said_in_words_and_a_hidden_figure_in_its_own() -> None:
    figure = html.Figure("45%", "42% to 48%", "▼", "below the limits", "context", "record looks incomplete")
    assert str(figure) == "45% ▼ below the limits †"
    assert '<span class="unseen">below the limits</span>' in figure.markup
    assert '<span class="unseen">record looks incomplete</span>' in figure.markup
    hidden = html.Figure("too few to show", is_figure=False)
    assert str(hidden) == "too few to show"
    assert 'class="sure"' not in hidden.markup


@pytest.mark.usefixtures("served")
def test_the_first_view_holds_every_school_and_a_measures_name_opens_it(release: Release) -> None:
    app = visit("schools", level="UG")
    assert app.get("button_group")[0].value == "all"
    assert "drawn" not in app.query_params
    said = table(app)
    names = [re.sub("<.*?>", "", row) for row in re.findall(r'<th scope="row">.*?</th>', said)]
    schools = release.units[release.units["kind"] == "school"]["short_name"]
    assert names == ["University", *sorted(schools, key=str.casefold)]
    headline = release.metrics["headline"].astype(bool) & release.metrics["available"].astype(bool)
    asked = links_of(said)
    assert [one["metric"] for one in asked] == release.metrics.index[headline].tolist()
    opened = visit("schools", **asked[-1])
    assert opened.get("button_group")[0].value == "rows"
    assert opened.selectbox(key="metric").value == asked[-1]["metric"]
    assert opened.selectbox(key="level").value == "UG"


@pytest.mark.usefixtures("served")
def test_an_address_with_a_measure_opens_it_and_the_switch_leads_back() -> None:
    app = visit("schools", metric="trust")
    assert app.get("button_group")[0].value == "rows"
    app.get("button_group")[0].set_value("all").run()
    assert app.query_params["drawn"] == "all"
    assert table(app)
    app.get("button_group")[0].set_value("rows").run()
    assert app.selectbox(key="metric").value == "trust"
    assert "drawn" not in app.query_params


@pytest.mark.usefixtures("served")
def test_a_measure_without_figures_in_the_year_in_progress_stands_with_its_period() -> None:
    assert "<span>2025/26</span>" in table(visit("schools")), "the survey has not run yet"


def test_schools_are_counted_by_the_way_they_stand_apart() -> None:
    def comparison(theme: str, *sides: str) -> Comparison:
        schools = pd.DataFrame({"unit": ["a", "b", "c", "d"], "side": sides, "status": "shown"})
        return Comparison({"theme": theme, "better": "higher"}, "", {}, schools)

    contact = comparison("contact", "above", "below", "below", "near")
    voice = comparison("voice", "above", "near", "below", "near")
    assert every.answer([contact, voice], {}) == (
        "Three of four schools stand apart on at least one of two headline measures: one on the good side and two "
        "on the other. Five of eight figures lie outside the usual range; hardly "
        "one would in any case."
    )
    assert (
        every.answer([contact, voice], {"b": 30.0, "c": 30.0})
        .partition(" Five of ")[0]
        .endswith(
            "one on the good side, one on the other and one whose record looks incomplete (†), which is to be checked "
            "first."
        )
    )
    calm = comparison("voice", "near", "near", "near", "near")
    hidden = comparison("voice", "near", "near", "", "near")
    assert every.answer([hidden], {}).startswith("None of three schools"), "nothing is said of a hidden figure"
    assert every.answer([replace(calm, partial=True)], {}) == (
        "None of your four schools stands apart on the headline measure: all lie within the usual range."
    )
    assert "too few figures" in every.answer([comparison("voice", "", "", "", "")], {})


@pytest.mark.usefixtures("served")
def test_gaps_on_every_measure_say_what_the_release_says(release: Release) -> None:
    app = visit("equity", view="measures", level="all")
    assert not app.exception
    said = table(app)
    names = [re.sub("<.*?>", "", row) for row in re.findall(r'<th scope="row">.*?</th>', said)]
    assert names[0] == "Everyone"
    assert len(set(names)) == len(names) > 5
    headline = release.metrics[release.metrics["headline"].astype(bool) & release.metrics["available"].astype(bool)]
    periods = {name: periods_with(release, str(name), "all").iloc[0] for name in headline.index}
    found = {
        name: release.gaps(
            metric=name, unit="university", level="all", academic_year=p["academic_year"], part=p["part"]
        )
        for name, p in periods.items()
    }
    metrics = [metric for _, metric in headline.iterrows()]
    everyone = {name: standing.figure(release.everyone(name, "all", p), "university") for name, p in periods.items()}
    frame = gap_matrix(metrics, everyone, found, release.characteristics, release.groups).set_index("Group")
    assert [*frame.index] == names
    marks = {("clear gap", True): "◀", ("clear gap", False): "▶"}
    marks |= {("possible gap", True): "◁", ("possible gap", False): "▷"}
    seen = set()
    for name, metric in headline.iterrows():
        for gap in found[name].to_dict("records"):
            label = f"{release.characteristics.loc[gap['characteristic'], 'label']}: {gap['group']}"
            figure = frame.loc[label, metric["label"]]
            seen.add(gap["evidence"])
            if gap["status"] != "shown" or gap["evidence"] == "too few to say":
                assert not figure.is_figure
                continue
            assert figure.value == words.signed(gap["value"], metric)
            assert figure.glyph == marks.get((gap["evidence"], gap["value"] < 0), "")
            assert (figure.verdict == "attention") == (gap["direction"] == "worse" and bool(figure.glyph))
    assert {"clear gap", "no clear gap"} <= seen
    opened = visit("equity", **links_of(said)[-1])
    assert opened.get("button_group")[0].value == "who"
    assert opened.selectbox(key="metric").value == headline.index[-1]


def links_of(said: str) -> list[dict[str, str]]:
    """The addresses that the names of measures lead to."""
    links = re.findall(r'<th scope="col"><a href="([^"]+)">', said)
    return [{k: v[0] for k, v in parse_qs(urlsplit(link.replace("&amp;", "&")).query).items()} for link in links]


def test_the_title_names_who_is_worse_off_on_the_most_measures() -> None:
    metrics = pd.DataFrame({"metric": ["a", "b"], "material": [5.0, 5.0]}).set_index("metric", drop=False)
    about = pd.DataFrame({"characteristic": ["sex"], "of": [""], "people": [{}]}).set_index(
        "characteristic", drop=False
    )
    gap = {"characteristic": "sex", "group": "F", "reference": "M", "status": "shown", "value": -9.0}
    gap |= {"evidence": "clear gap", "direction": "worse"}
    both = pd.DataFrame([{**gap, "metric": "a"}, {**gap, "metric": "b"}])
    assert every.gaps_title(both, metrics, about) == "F are clearly worse off on all of two headline measures"
    one = both.assign(evidence=["clear gap", "no clear gap"], direction=["worse", "none"])
    assert every.gaps_title(one, metrics, about) == "One of two comparisons shows a clear gap"
    hidden = both.assign(status="suppressed", evidence="", direction="none")
    assert every.gaps_title(hidden, metrics, about) == "No comparison to show here"
    broad = pd.concat([both, both.assign(characteristic="broad", group="women")])
    both_kinds = pd.concat(
        [about, about.assign(characteristic="broad", of="sex").set_index("characteristic", drop=False)]
    )
    assert every.gaps_title(broad, metrics, both_kinds).startswith("F are clearly"), "broad groups say nothing more"
