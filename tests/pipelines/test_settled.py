"""Periods whose rows have not changed are not counted again, and nothing published depends on that."""

import shutil
from contextlib import suppress
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import pytest

from pipelines import publish, settled, warehouse
from pipelines import run as recipe
from pipelines.disclosure.ledger import Ledger
from pipelines.model import Modelled, cells, rows
from pipelines.progress import Progress
from pipelines.settings import Settings
from tests.bad_input import tiny
from tests.bad_input.tiny import tiny_university
from tests.pipelines.modelling import model
from tests.pipelines.test_model import DEFINITIONS, FEW, connect, staged
from tests.pipelines.test_unchanged import published

pytestmark = pytest.mark.slow

KEY = "a key of thirty-two characters or more"
YEARS = {"2023/24", "2024/25", "2025/26"}  # the last in progress


def marks(**changed):
    """The marks of random staged tables, of which some are changed."""
    tables = staged()
    for name, change in changed.items():
        tables[name] = change(tables[name])
    con = connect(tables)
    rows(con, DEFINITIONS, FEW)
    return settled.marks(con, FEW)


def differing(**changed):
    before, now = marks(), marks(**changed)
    assert before.keys() == now.keys()
    return {period for period in now if before[period] != now[period]}


def first_row(year, column, value):
    """A change of the first row of a year that has something else in the column."""

    def change(frame):
        at = frame.index[(frame["academic_year"] == year) & frame[column].notna() & (frame[column] != value)][0]
        out = frame.copy()
        out.loc[at, column] = value
        return out

    return change


def swapped(column):
    """Two students of a year have each other's value."""

    def change(frame):
        of_year = frame[(frame["academic_year"] == "2023/24") & frame[column].notna() & (frame["school_code"] == "A")]
        one, other = of_year.drop_duplicates(column).index[:2]
        out = frame.copy()
        out.loc[[one, other], column] = frame.loc[[other, one], column].to_numpy()
        return out

    return change


def test_the_same_rows_in_another_order_and_numbered_otherwise_have_the_same_marks():
    def shuffled(frame):
        return frame.sample(frac=1, random_state=1)

    assert {year for year, _ in marks()} == YEARS
    assert differing(enrolments=shuffled, meetings=shuffled, feedback=shuffled) == set()

    tables = staged()
    for name in ("enrolments", "meetings", "feedback"):
        tables[name]["enrolment"] += 1000
    con = connect(tables)
    rows(con, DEFINITIONS, FEW)
    assert settled.marks(con, FEW) == marks()


@pytest.mark.parametrize(
    ("changed", "years"),
    [
        ({"enrolments": first_row("2024/25", "sex", "Unknown")}, {"2024/25"}),
        ({"enrolments": swapped("tutor_id")}, {"2023/24"}),
        ({"tutors": first_row("2025/26", "fte", 0.123)}, {"2025/26"}),
        ({"schools": lambda frame: frame.assign(faculty_code=["F1", "F1", "F2"])}, YEARS),
        ({"schools": lambda frame: frame.assign(school_name=["X", "Y", "Z"])}, set()),
        ({"calendar": lambda frame: frame.assign(teaching_weeks=[31, 31, 30])}, {"2025/26"}),
        ({"feedback": lambda frame: frame.assign(trust=frame["trust"].where(frame["academic_year"] != "2024/25"))},
         {"2024/25"}),
    ],
)  # fmt: skip
def test_any_change_that_counts_changes_the_marks_of_its_year_alone(changed, years):
    assert {year for year, _ in differing(**changed)} == years


def test_what_is_settled_is_not_counted_and_the_rest_counts_as_ever():
    con = connect(staged())
    every = model(con, DEFINITIONS, FEW)
    done = frozenset({("2023/24", "year"), ("2024/25", "to_date")})
    rest = cells(con, DEFINITIONS, FEW, rows(con, DEFINITIONS, FEW), done)
    counted = every.cells[~every.cells[["academic_year", "part"]].apply(tuple, axis=1).isin(done)]
    assert 0 < len(rest.cells) < len(every.cells)
    assert rest.cells.equals(counted.reset_index(drop=True))


def test_a_period_is_settled_only_with_the_mark_it_was_published_with():
    now = {("2024/25", "year"): "same", ("2025/26", "year"): "other"}
    told = {"academic_year": ["2024/25", "2025/26"], "part": "year", "mark": ["same", "before"]}
    ledger = Ledger(pd.DataFrame(told))
    assert settled.periods(now, ledger, now) == {("2024/25", "year")}
    assert settled.periods(now, ledger, [("2025/26", "year")]) == frozenset()
    assert settled.periods({}, ledger, now) == frozenset(), "no marks on another engine"


def two_years(folder):
    """The tiny university, and the same a year before."""
    mapping = tiny_university(folder)
    for name, own in tiny.tables().items():
        if name != "schools":
            tiny.write_csv(folder / f"{name}-before.csv", [_a_year_before(row) for row in own])
    return mapping


def _a_year_before(row):
    def earlier(value):
        for form in ("%d/%m/%Y", "%Y-%m-%d"):
            with suppress(ValueError):
                return (datetime.strptime(value, form) - timedelta(weeks=52)).strftime(form)
        return {"2024/25": "2023/24"}.get(value, value)

    ids = ("Meeting No", "response_id")
    return {column: f"{value}-before" if column in ids else earlier(value) for column, value in row.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data folder after a run; tests work on copies."""
    settings = Settings(data=tmp_path_factory.mktemp("made") / "data")
    two_years(settings.inbox)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APT_DATA", str(settings.data))
        patch.setenv("APT_KEY", KEY)
        run()
    return settings.data


@pytest.fixture
def published_once(made, settings, monkeypatch):
    shutil.copytree(made, settings.data, dirs_exist_ok=True)
    monkeypatch.setenv("APT_DATA", str(settings.data))
    monkeypatch.setenv("APT_KEY", KEY)
    return settings


def run(full=False, revised=()):
    settings = Settings()
    recipe.run(settings.inbox / "sources.toml", settings, Progress(), revised, full=full)


def counted():
    """The periods that the last run counted."""
    with duckdb.connect(Settings().warehouse / warehouse.NAME, read_only=True) as con:
        return {*con.execute("select counted_year, counted_part from mart_counted").fetchall()}


def test_a_run_counts_what_changed_and_publishes_what_a_full_run_would(published_once, monkeypatch, tmp_path):
    every, first = counted(), published(published_once)
    assert len({year for year, _ in every}) == 2
    run()
    assert counted() == set(), "nothing has changed"
    assert published(published_once) == first

    meetings = published_once.inbox / "meetings.csv"  # of the year in progress
    *before, last = meetings.read_text().splitlines(keepends=True)
    meetings.write_text("".join(before))
    shutil.copytree(published_once.data, tmp_path / "full")
    run()
    year = max(year for year, _ in every)
    assert counted() == {(year, "to_date")}, last
    found = published(published_once)
    assert found != first

    monkeypatch.setenv("APT_DATA", str(tmp_path / "full"))
    run(full=True)
    assert counted() == every
    assert published(Settings()) == found


def test_only_what_the_release_in_force_has_as_far_as_it_has_come_is_taken_from_it(published_once):
    with duckdb.connect(published_once.warehouse / warehouse.NAME, read_only=True) as con:
        periods = con.execute("select * from mart_period").df()
    every = set(periods[["academic_year", "part"]].itertuples(index=False, name=None))
    assert settled.in_force(published_once, periods) == every
    for file in (published_once.published / publish.current(published_once)).glob("faculty-*.duckdb"):
        file.unlink()
    assert settled.in_force(published_once, periods) == every, "its figures are there, and were seen"
    later = periods.assign(through_week=periods["through_week"] + 1)
    assert settled.in_force(published_once, later) == {period for period in every if period[1] == "year"}
    another = periods.assign(academic_year="2031/32")
    assert settled.in_force(published_once, another) == set()


@pytest.mark.parametrize(
    ("exact", "kept"), [({"odds_ratio": 1.5}, 1), ({"odds_ratio": 1.37, "p": 0.031}, 0), ({"level": "UG"}, 0)]
)
def test_what_an_earlier_version_told_exactly_of_tutors_is_not_told_again(published_once, exact, kept):
    release = published_once.published / publish.current(published_once) / "university.duckdb"
    with duckdb.connect(release) as con:
        periods = con.execute("select * from period").df().assign(in_progress=False)
        made = con.execute("select * from consistency limit 0").df()
        year = periods["academic_year"].min()
        row = {"academic_year": year, "part": "year", "level": "all", "unit": "school:X", "between": "tutors"}
        row |= {"members": 10, **exact}
        con.execute(
            f"insert into consistency ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values())
        )
    modelled = Modelled(pd.DataFrame(), periods, pd.DataFrame(), None)
    found = settled.as_published({"consistency": made}, {(year, "year")}, modelled, published_once)["consistency"]
    assert len(found) == kept


def test_a_year_revised_is_counted_and_published_as_by_a_full_run(published_once, monkeypatch, tmp_path):
    enrolments = published_once.inbox / "enrolments-before.csv"
    enrolments.write_text(enrolments.read_text().replace("Female", "Other", 3))
    shutil.copytree(published_once.data, tmp_path / "full")
    run(revised=["2023/24"])
    assert {year for year, _ in counted()} == {"2023/24"}
    found = published(published_once)
    monkeypatch.setenv("APT_DATA", str(tmp_path / "full"))
    run(full=True, revised=["2023/24"])
    assert published(Settings()) == found


def test_without_a_release_to_take_figures_from_everything_is_counted(published_once):
    every = counted()
    (published_once.published / publish.current(published_once) / "university.duckdb").unlink()
    run()
    assert counted() == every
