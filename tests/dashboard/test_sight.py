"""What a school lead sees of their faculty never tells another school's figure."""

from __future__ import annotations

import duckdb
import pytest

from dashboard.access import SCHOOL_LEAD, Viewer
from dashboard.sight import sight_of

SCHOOLS = ("school:A", "school:B", "school:C")
CELLS = """
    create table cell as
    select '2025/26' as academic_year, 'year' as part, unit, metric, 'all' as level, characteristic, "group", status
    from (values
        ('faculty:F', 'met', 'all', 'all', 'shown'), ('school:A', 'met', 'all', 'all', 'shown'),
        ('school:B', 'met', 'all', 'all', 'suppressed'), ('school:C', 'met', 'all', 'all', 'shown'),
        ('faculty:F', 'standard', 'all', 'all', 'shown'), ('school:A', 'standard', 'all', 'all', 'shown'),
        ('school:B', 'standard', 'all', 'all', 'shown'), ('school:C', 'standard', 'all', 'all', 'none'),
        ('university', 'standard', 'all', 'all', 'shown'),
        ('faculty:F', 'met', 'sex', 'Other', 'shown'), ('school:B', 'met', 'sex', 'Other', 'shown')
    ) as t(unit, metric, characteristic, "group", status);
    create table inequality as
    select academic_year, part, unit, metric, level, 'sex' as characteristic, status from cell where "group" = 'all'
"""


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute(CELLS)
    return made


def seen(con: duckdb.DuckDBPyConnection, schools: tuple[str, ...]) -> set[tuple[str, str]]:
    sql, values = sight_of(Viewer(SCHOOL_LEAD, "school:A"), "faculty:F", schools).select("cell")
    rows = con.execute(sql, list(values)).df()
    return {(str(r["unit"]), f"{r['metric']} {r['group']}") for r in rows.to_dict("records")}


def test_a_faculty_is_seen_where_three_schools_have_the_figure(con: duckdb.DuckDBPyConnection) -> None:
    cells = seen(con, SCHOOLS)
    assert ("faculty:F", "met all") in cells
    assert ("faculty:F", "standard all") not in cells  # of two schools: the lead's own and one more
    assert ("faculty:F", "met Other") not in cells  # of one school
    assert {("school:A", "met all"), ("school:A", "standard all"), ("university", "standard all")} <= cells
    assert {unit for unit, _ in cells} == {"school:A", "faculty:F", "university"}


def test_what_is_made_of_such_figures_is_cut_alike(con: duckdb.DuckDBPyConnection) -> None:
    sql, values = sight_of(Viewer(SCHOOL_LEAD, "school:A"), "faculty:F", SCHOOLS).select("inequality")
    found = con.execute(f"select unit, metric from ({sql})", list(values)).fetchall()
    assert ("faculty:F", "met") in found
    assert ("faculty:F", "standard") not in found


def test_a_faculty_of_two_schools_is_not_seen(con: duckdb.DuckDBPyConnection) -> None:
    assert {unit for unit, _ in seen(con, SCHOOLS[:2])} == {"school:A", "university"}
