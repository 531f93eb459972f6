"""Each page runs, answers its question first, and copes with what a release may lack or a URL may carry."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import duckdb
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard.access import ROLES
from dashboard.layout import JOINER, plain
from dashboard.published import Release
from dashboard.style.theme import DARK, LIGHT
from dashboard.told import parted
from pipelines.definitions import Characteristic, Metric, load
from tests.dashboard.sample_release import Sample, write_release
from tests.dashboard.signing_in import PEOPLE, sign_in, write_access
from tests.dashboard.visiting import VIEWS

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = {
    "overview": "Is tutoring consistent this year?",
    "schools": "Which schools stand apart from the rest?",
    "equity": "Who is missing out, where, and is it real?",
    "voice": "Do students know, trust and feel supported by their tutor?",
    "year": "Who has not met their tutor yet?",
    "quality": "Can I trust these figures?",
}


def visit(page: str = "overview", person: str = "", **query: str) -> AppTest:
    """Open a page with filters in its URL, signed in as `person` if there is one."""
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
    if person:
        sign_in(app, person)
    for name, value in query.items():
        app.query_params[name] = value
    if page != "overview":
        app._page_hash = calc_hash(page)  # AppTest switches between files only; our pages are functions
    return app.run()


def text(app: AppTest) -> str:
    """All words on the page, whatever element carries them."""
    shown = [e.value for kind in ("title", "header", "markdown") for e in app.get(kind)]
    shown += [e.proto.body for e in app.get("html")]
    return "\n".join(str(s) for s in shown)


def links(app: AppTest) -> list[Any]:
    return [e.proto for e in app.get("page_link")]


@pytest.fixture
def served(sample: Path, serve) -> None:
    serve(sample)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("page", QUESTIONS)
def test_each_page_asks_its_question_and_answers_it(page: str) -> None:
    app = visit(page)
    assert not app.exception
    assert app.title[0].value == QUESTIONS[page]
    assert app.markdown[0].value.strip()
    assert "Example data: choose whose view to see" in text(app)
    assert "internal" in text(app)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("page", QUESTIONS)
def test_forged_filters_fall_back_without_error(page: str) -> None:
    forged = {
        "metric": "drop table",
        "level": "<script>",
        "period": "1999-00",
        "characteristic": "x",
        "group": "''",
        "faculty": "school:ART1",
    }
    app, plain = visit(page, **forged), visit(page)
    assert not app.exception
    assert app.markdown[0].value == plain.markdown[0].value
    assert "<script>" not in text(app)


@pytest.mark.usefixtures("served")
def test_filters_come_from_the_url_and_go_to_it() -> None:
    app = visit("schools", metric="trust", level="UG")
    assert app.selectbox(key="metric").value == "trust"
    assert app.selectbox(key="level").value == "UG"
    assert "I trust my tutor" in text(app)
    app.selectbox(key="level").select("PGT").run()
    assert app.query_params["level"] == "PGT"
    assert app.query_params["metric"] == "trust"
    app.selectbox(key="level").select("all").run()
    assert "level" not in app.query_params, "defaults leave the URL"


@pytest.mark.usefixtures("served")
def test_this_years_measures_are_compared_with_the_same_week_of_last_year() -> None:
    said = text(visit())
    assert "2026/27 to week 9" in said
    assert "on 2025/26 to week 9" in said
    assert "on 2024/25" in said, "the survey has not run yet: last year's answers against those before"


@pytest.mark.usefixtures("served")
def test_a_card_says_its_interval_and_its_period_only_where_the_page_is_of_another(release: Release) -> None:
    cards = re.findall(r'<li><span class="label">.*?</li>', text(visit(unit="faculty:ENG")))
    under = [re.sub("<.*?>", "", re.findall(r'<span class="under">.*?</span>', card)[0]) for card in cards]
    assert re.fullmatch(r"95% interval \d+% to \d+%", under[0])
    assert re.fullmatch(r"2025/26 · 95% interval \d+% to \d+%", under[-1]), "the survey has not run yet"
    assert all(re.search("University \\d+%: (clearly|not clearly)", card) for card in cards)
    assert all(card.index("University") < card.index("95%") < card.index("Out of") for card in cards)


@pytest.mark.usefixtures("served")
def test_findings_link_to_their_evidence() -> None:
    gaps = [link for link in links(visit()) if link.page == "equity" and link.query_string]
    assert gaps
    for link in gaps:
        query = {k: v[0] for k, v in parse_qs(link.query_string).items()}
        app = visit("equity", **query)
        assert app.get("button_group")[0].value == query.pop("view")
        assert {f.key: f.value for f in app.selectbox if f.key in query} == query


@pytest.mark.usefixtures("served")
def test_what_stands_out_comes_as_sentences_in_their_order(release: Release) -> None:
    found = release.findings("university")
    found = found[found["kind"] != "consistency"]  # the answer says it
    said = [link.label for link in links(visit()) if link.label.startswith("**")]
    assert len(said) == len(found) > 3
    for label, sentence in zip(said, found["sentence"], strict=True):
        short, rest = parted(sentence, release.units["name"])
        assert label.endswith(f"{plain(short)}** {plain(rest)}".rstrip())
        told = re.findall(r"\w+", f"{short} {rest}".lower())
        assert not set(re.findall(r"\w+", sentence.lower())) - set(told), "nothing is left out"
    assert "The clearest gaps between groups" not in text(visit())
    assert "The clearest gaps between groups" in text(visit(level="UG")), "findings are about all levels"


def test_a_release_without_findings_shows_its_clearest_gaps(tmp_path: Path, serve) -> None:
    name = write_release(tmp_path / "published")
    with duckdb.connect(str(tmp_path / "published" / name / "university.duckdb")) as connection:
        connection.execute("drop table finding")
    serve(tmp_path)
    app = visit()
    assert not app.exception
    assert "What stands out" not in text(app)
    assert "The clearest gaps between groups" in text(app)


@pytest.mark.usefixtures("served")
def test_one_range_of_schools_is_given_everywhere(release: Release) -> None:
    period = release.periods[release.periods["is_current"].astype(bool)].iloc[0]
    row = release.consistency("any_meeting", "all", period).iloc[0]
    said = f"n ‘Met their tutor’ about eight in ten schools lie between {row['low']:.0f}% and {row['high']:.0f}%"
    assert said in text(visit("schools", metric="any_meeting"))
    assert "on all four headline measures, schools differ" in visit().markdown[0].value.lower()


@pytest.mark.usefixtures("served")
def test_headline_measures_say_what_they_are_out_of(release: Release) -> None:
    metrics = release.metrics
    for out_of in metrics.loc[metrics["headline"].astype(bool), "out_of"]:
        assert f"Out of {out_of}" in text(visit())


@pytest.mark.usefixtures("served")
def test_schools_that_do_not_log_are_said_to_not_to_be_judged() -> None:
    contact, voice = text(visit("schools", metric="any_meeting")), text(visit("schools", metric="trust"))
    assert "School of Law and Criminology" in contact
    assert "record looks incomplete" in contact
    assert "record looks incomplete" not in voice
    assert "Check the record first" in contact
    lists = dict(re.findall(r"<h2>(.*?)</h2>(.*?)</section>", contact))
    assert "School of Law and Criminology" in lists["Check the record first"]
    assert all("School of Law and Criminology" not in names for h, names in lists.items() if not h.startswith("Check"))
    assert "○ School of Law and Criminology" in lists["Check the record first"]
    assert "◆" not in lists["Check the record first"]


@pytest.mark.usefixtures("served")
def test_dots_of_schools_that_do_not_log_are_said_to_lie_too_far_left(release: Release) -> None:
    said = "the record looks incomplete: their dots of contact may lie too far left."
    assert f"Of three schools {said}" in text(visit())
    [law] = release.units.index[release.units["name"] == "School of Law and Criminology"]
    assert f"† record looks incomplete. Of two other schools {said}" in text(visit(unit=law))


@pytest.mark.usefixtures("served")
def test_a_unit_whose_record_looks_incomplete_is_not_blamed_first(release: Release) -> None:
    [law] = release.units.index[release.units["name"] == "School of Law and Criminology"]
    faculty = str(release.units.loc[law, "parent"])
    other = next(f for f in release.units.index[release.units["kind"] == "faculty"] if f != faculty)
    assert "a matter of logging: its record looks incomplete." in visit(unit=law).markdown[0].value
    assert "a matter of logging: in one school the record looks incomplete." in visit(unit=faculty).markdown[0].value
    assert "logging" not in visit(unit=other).markdown[0].value


@pytest.mark.usefixtures("served")
def test_whether_to_trust_figures_begins_with_the_record_and_for_stewards_with_the_rows() -> None:
    lead, steward = visit("quality"), visit("quality", viewer="steward")
    assert "School of Law and Criminology" in lead.markdown[0].value
    assert lead.get("button_group")[0].value == "record"
    assert "School of Law" not in text(steward)
    assert steward.markdown[0].value.startswith("Yes")
    assert steward.get("button_group")[0].value == "rows"
    for app in (lead, steward):
        assert "Warning, " in text(app)


@pytest.mark.usefixtures("served")
def test_the_two_ways_a_school_differs_are_named_by_what_is_good() -> None:
    assert "Worth learning from" in text(visit("schools", metric="no_meeting"))
    neither = text(visit("schools", metric="recorded_of_recalled"))
    assert "Worth learning from" not in neither
    assert "Above the usual range" in neither


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("page", "asked", "said"),
    [
        (
            "equity",
            {"unit": "school:ENG3", "metric": "trust"},
            "Northmere University · School of Computer Science and Informatics · 20",
        ),
        ("voice", {"unit": "school:ENG3"}, "Northmere University · School of Computer Science and Informatics · 20"),
        (
            "year",
            {"unit": "faculty:ENG"},
            "Northmere University · Faculty of Engineering and the Built Environment · 20",
        ),
        ("schools", {"metric": "any_meeting"}, "Northmere University · 2026/27 to week 9"),
    ],
)
def test_every_page_says_whose_figures_and_of_when_above_its_question(page: str, asked: dict, said: str) -> None:
    assert said in text(visit(page, **asked))


@pytest.mark.usefixtures("served")
def test_every_chart_has_words_and_a_table() -> None:
    for page, query in VIEWS:
        app = visit(page, **query)
        assert not app.exception, (page, query)
        charts = app.get("plotly_chart")
        assert charts, (page, query)
        assert all(len(chart.proto.alt) > 20 for chart in charts)
        assert len([e for e in app.expander if e.label == "The figures behind this chart"]) == len(charts)
        assert "nan" not in text(app).lower().replace("finance", "").split()


@pytest.mark.usefixtures("served")
def test_a_view_is_in_the_address_and_a_switch_opens_it() -> None:
    app = visit("equity", metric="trust", view="years")
    assert app.get("button_group")[0].value == "years"
    app.get("button_group")[0].set_value("why").run()
    assert app.query_params["view"] == "why"
    app.get("button_group")[0].set_value("who").run()
    assert "view" not in app.query_params, "the first view is the default"


@pytest.mark.usefixtures("served")
def test_schools_stand_from_a_to_z_and_by_value_only_when_asked(release: Release) -> None:
    schools = release.units[release.units["kind"] == "school"]

    def drawn(**query: str) -> list[str]:
        chart = visit("schools", metric="trust", **query).get("plotly_chart")[0]
        labels = [a for a in json.loads(chart.proto.spec)["layout"]["annotations"] if a.get("xshift")]
        return [re.sub("<.*?>", " ", a["text"]).split()[0] for a in sorted(labels, key=lambda a: a["y"])]

    by_name, by_value = drawn(), drawn(order="value")
    assert by_name == sorted(name.split()[0] for name in schools["short_name"])
    assert sorted(by_value) == by_name != by_value


@pytest.mark.usefixtures("served")
def test_a_tile_leads_to_its_school_and_group() -> None:
    chart = next(e for e in visit("equity", metric="trust", view="map").get("plotly_chart"))
    tiles = json.loads(chart.proto.spec)["data"][0]["customdata"]
    unit, characteristic, group = next(t for t in tiles if t[0] == "school:ENG3" and t[2])
    app = visit("equity", metric="trust", view="where", unit=unit, characteristic=characteristic, group=group)
    assert {key: app.selectbox(key=key).value for key in ("unit", "characteristic", "group")} == {
        "unit": unit, "characteristic": characteristic, "group": group,
    }  # fmt: skip


@pytest.mark.usefixtures("served")
def test_a_release_says_whether_it_was_attacked(tmp_path: Path, serve, sample: Path) -> None:
    assert "Nobody tried whether hidden figures" in text(visit("quality", view="hidden"))
    shutil.copytree(sample / "published", tmp_path / "published")
    file = next((tmp_path / "published").glob("*/university.duckdb"))
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "insert into \"check\" by name select 'release' table_name, 'attack_alone' expectation, "
            "'No hidden figure can be worked out from this release.' rule, 'critical' severity, true passed"
        )
    serve(tmp_path)
    said = text(visit("quality", view="hidden"))
    assert "Before it was published, this release was tested by an attack: none worked out a hidden figure" in said
    assert "No hidden figure can be worked out from this release." in said


@pytest.mark.usefixtures("served")
def test_what_a_release_does_not_hold_is_said_in_words(tmp_path: Path, serve, sample: Path) -> None:
    shutil.copytree(sample / "published", tmp_path / "published")
    file = next((tmp_path / "published").glob("*/university.duckdb"))
    with duckdb.connect(str(file)) as connection:
        for table in ("consistency", "funnel", "mode", "decomposition", "pooled_gap", "inequality", "trend", "band"):
            connection.execute(f"drop table {table}")
    serve(tmp_path)
    for page, query in VIEWS:
        assert not visit(page, **query).exception, (page, query)
    assert "not published" in text(visit("schools", drawn="modes"))
    assert "not published" in text(visit("schools", drawn="years"))
    assert "not published" in text(visit("equity", view="why"))
    assert visit().markdown[0].value == "There are too few figures to say."
    assert "too few figures" in visit("schools").markdown[0].value
    assert "Too few schools" in visit("schools", metric="trust").markdown[0].value


@pytest.mark.usefixtures("served")
def test_every_row_of_every_file_is_accounted_for_on_the_page() -> None:
    said = "".join(text(visit("quality", view=view)) for view in ("rows", "aside"))
    for words in (
        "SITS enrolments 2026.csv",
        "931,204",
        "Every meeting is with an enrolled student.",
        "Care experience",
    ):
        assert words in said


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("page", QUESTIONS)
def test_no_page_knows_what_it_could_not_show(page: str) -> None:
    assert "nan" not in text(visit(page)).lower().replace("finance", "").split()


def test_before_the_first_release_the_page_says_what_to_run(tmp_path: Path, serve) -> None:
    serve(tmp_path)
    app = visit()
    assert not app.exception
    assert "make dashboard" in text(app)


@pytest.fixture(scope="module")
def without_feedback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("without_feedback")
    write_release(data / "published", Sample(feedback=False, year_in_progress=False, source="real"))
    return data


@pytest.mark.parametrize("page", [*QUESTIONS, "profile"])
def test_a_release_without_feedback_says_so(without_feedback: Path, serve, page: str, tmp_path, monkeypatch) -> None:
    serve(without_feedback)
    monkeypatch.setenv("APT_ACCESS", str(write_access(tmp_path)))
    app = visit(page, PEOPLE["university lead"], metric="trust")
    assert not app.exception
    assert "Example data" not in text(app)
    if page in ("overview", "quality"):
        assert "because there is no feedback extract" in text(app)
    if page == "voice":
        assert "cannot say: there is no feedback extract" in app.markdown[0].value
    if page in ("schools", "equity"):
        assert "I trust my tutor" not in app.selectbox(key="metric").options


@pytest.fixture(scope="module")
def without_meetings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("without_meetings")
    write_release(data / "published", Sample(meetings=False))
    return data


@pytest.mark.parametrize("page", [*QUESTIONS, "profile"])
def test_a_release_without_any_meeting_says_so(without_meetings: Path, serve, page: str) -> None:
    serve(without_meetings)
    app = visit(page)
    assert not app.exception
    assert "no meetings on record" in text(app)
    if page == "quality":
        assert "No meeting was read;" in text(app)


@pytest.mark.parametrize("viewer", ["university lead", "faculty:ENG", "school:ENG3", "steward"])
def test_much_that_was_set_aside_is_said_to_whoever_reads_of_quality(
    sample_with_faculties: Path, tmp_path: Path, serve, viewer: str
) -> None:
    shutil.copytree(sample_with_faculties / "published", tmp_path / "published")
    for file in tmp_path.glob("published/*/*.duckdb"):
        with duckdb.connect(str(file)) as con:
            con.execute("update \"check\" set rows_failing = 90000 where rule like 'Every meeting is with%'")
    serve(tmp_path)
    query = {"viewer": viewer} if viewer != "university lead" else {}
    said = visit("quality", **query).markdown[0].value.replace("\\", "")
    assert said == (
        "Not yet: 8.4% of meetings were set aside, most often for breaking the rule ‘Every meeting is with an enrolled "
        "student’, so contact figures may be too low."
    )
    if viewer != "steward":
        badge = "not to be trusted yet: 8.4% of meetings were set aside, so contact figures may be too low"
        assert any(badge in link.label.replace("\\", "") for link in links(visit(**query)))


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("page", QUESTIONS)
def test_the_foot_of_each_page_leads_to_the_others(page: str) -> None:
    others = ROLES["university lead"].pages
    onward = [link.page for link in links(visit(page))][1 - len(others) :]
    assert {"overview" if p == "" else p for p in onward} == set(others) - {page}


def test_markdown_shows_names_as_they_are() -> None:
    for name in (":material/home: http://x.example", "www.x.example", "tutor@x.example", "1 & 2 &lt; :smile:"):
        said = plain(name)
        assert said.replace("\\", "").replace(JOINER, "") == name
        shown = said.replace("\\", "")  # where icons, e-mail addresses and bare links are looked for
        assert not re.search(r":[a-z/_]+:|://|www\.|@\w", shown)


def test_a_new_metric_and_characteristic_appear_by_themselves(tmp_path: Path, serve) -> None:
    definitions = load()
    metric = Metric(
        "careers_talk", "Talked about careers", "contact", "Students who talked about it.", "all students enrolled",
        "enrolment", "proportion", "1", "higher", headline=True,
    )  # fmt: skip
    talks = replace(metric, name="careers_talks", label="Talks about careers", kind="mean")
    hall = Characteristic("hall", "Hall of residence", ("In hall", "Private"), "Private")
    more = replace(
        definitions,
        metrics=definitions.metrics | {metric.name: metric, talks.name: talks},
        characteristics={hall.name: hall, **definitions.characteristics},
    )
    write_release(tmp_path / "published", Sample(definitions=more))
    serve(tmp_path)
    overview = visit()
    assert "Talked about careers" in text(overview)
    assert len(overview.get("plotly_chart")) == 2, "averages do not share an axis with percentages"
    app = visit("equity", metric="careers_talk", characteristic="hall", view="where")
    assert app.selectbox(key="metric").value == "careers_talk"
    assert app.selectbox(key="characteristic").value == "hall"
    assert "In hall" in text(app)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_pages_and_charts_have_the_same_colours(theme) -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][theme.name]
    assert config["backgroundColor"] == theme.page
    assert config["textColor"] == theme.ink
    assert config["primaryColor"] == theme.accent
