"""Pages about gaps open on the measure and characteristic with the widest clear gap, unless something else is asked."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dashboard import clearest
from dashboard.published import Release
from tests.dashboard.sample_release import write_release
from tests.dashboard.test_pages import visit

WIDEST = """
select metric, characteristic, "group" from gap join characteristic c using (characteristic)
where unit = ? and level = 'all' and against = 'reference' and academic_year = '2025/26' and part = 'year'
and metric in ('trust', 'supported') and status = 'shown' and evidence = 'clear gap' and direction <> 'none'
and c."of" is null order by abs(value) desc limit 1
"""


@pytest.fixture
def served(tmp_path: Path, serve) -> Path:
    """A release in which one gap is by far the widest: of a measure and a characteristic that do not come first."""
    name = write_release(tmp_path / "published")
    file = tmp_path / "published" / name / "university.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "update gap set value = -60, lower = -65, upper = -55, evidence = 'clear gap', direction = 'worse', "
            "status = 'shown' where metric = 'supported' and characteristic = 'disability' and \"group\" = 'Disabled' "
            "and unit = 'university' and level = 'all' and against = 'reference' and academic_year = '2025/26'"
        )
    serve(tmp_path)
    return file


@pytest.mark.usefixtures("served")
def test_equity_gaps_and_student_voice_open_on_the_widest_clear_gap() -> None:
    for page in ("equity", "voice"):
        app = visit(page)
        assert app.query_params["metric"] == "supported", page
    assert app.query_params["characteristic"] == "disability"
    assert visit("equity", view="where").query_params["characteristic"] == "disability"


@pytest.mark.usefixtures("served")
def test_what_is_asked_for_wins_and_stays() -> None:
    assert visit("equity", metric="any_meeting").query_params["metric"] == "any_meeting"
    app = visit("voice", metric="trust", characteristic="sex")
    assert (app.query_params["metric"], app.query_params["characteristic"]) == ("trust", "sex")
    app = visit("equity")
    app.selectbox(key="level").select("UG").run()
    assert app.query_params["metric"] == "supported", "a measure that is on the page does not change by itself"


def test_a_measure_asked_for_has_its_own_first_characteristic(served: Path, release: Release) -> None:
    with duckdb.connect(str(served), read_only=True) as connection:
        [(_, characteristic, _)] = connection.execute(WIDEST.replace("'supported'", "''"), ["university"]).fetchall()
    assert visit("voice", metric="trust").query_params["characteristic"] == characteristic


def test_without_a_clear_gap_pages_open_as_they_list_measures(served: Path) -> None:
    with duckdb.connect(str(served)) as connection:
        connection.execute("update gap set evidence = 'no clear gap'")
    assert visit("equity").query_params["metric"] == "any_meeting"
    assert visit("voice").query_params["metric"] == "trust"


def test_a_period_asked_for_is_the_one_looked_at(release: Release) -> None:
    def found(period: str) -> tuple[str, str]:
        return clearest.gap(release, "university", ["any_meeting"], "", period)

    assert found("nonsense") == found("")
    assert all(found("2025-26"))
