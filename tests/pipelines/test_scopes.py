"""A faculty's file holds its own units beside the university and an unnamed band, and nobody else's rows."""

import numpy as np
import pandas as pd
import pytest

from pipelines import scopes
from pipelines.measures import sets

SCHOOLS = [f"school:{c}" for c in "ABCDEFGHIJ"]  # A to E are faculty F's, the others G's
UNITS = pd.DataFrame(
    {
        "unit": ["university", "faculty:F", "faculty:G", *SCHOOLS],
        "kind": ["university", "faculty", "faculty", *["school"] * 10],
        "parent": [None, "university", "university", *["faculty:F"] * 5, *["faculty:G"] * 5],
    }
)


def cells(values, status="shown"):
    frame = pd.DataFrame({"unit": SCHOOLS, "value": values, "status": status})
    fixed = {"academic_year": "2024/25", "part": "year", "level": "all", "metric": "trust"}
    return frame.assign(**fixed, characteristic="all", group="all")


def release(**more):
    parts = pd.DataFrame(
        {"unit": ["university", "faculty:F", "faculty:G"], "school": ["school:A", "school:B", "school:F"]}
    )
    quality = pd.DataFrame({"file": ["arts.csv"], "rule": ["a date"]})
    finding = pd.DataFrame({"unit": UNITS["unit"], "sentence": "…"})
    return {
        "unit": UNITS, "cell": cells(np.arange(10.0)), "pooled_gap_school": parts, "quarantine": quality,
        "finding": finding, "metric": pd.DataFrame({"metric": ["trust"]}), **more,
    }  # fmt: skip


def coded(table):
    """The table with its text as categories, as it is published from."""
    return sets.coded(table, [c for c in table if isinstance(table[c].dtype, pd.StringDtype)])


@pytest.mark.parametrize("of_table", [lambda table: table, coded], ids=["text", "categories"])
def test_a_faculty_file_names_no_other_faculty(of_table):
    files = dict(scopes.files({name: of_table(table) for name, table in release().items()}))
    assert set(files) == {"university.duckdb", "faculty-F.duckdb", "faculty-G.duckdb"}
    own = files["faculty-F.duckdb"]
    others = {"faculty:G", *SCHOOLS[5:]}
    for name, table in own.items():
        assert not table.isin(others).any(axis=None), name
        for column in table.select_dtypes("category"):
            assert others.isdisjoint(table[column].cat.categories), (name, column)
    assert list(own["cell"]["unit"]) == SCHOOLS[:5]
    assert list(own["pooled_gap_school"]["school"]) == ["school:A", "school:B"]
    assert set(own["finding"]["unit"]) == {"faculty:F", *SCHOOLS[:5]}
    assert list(own["quarantine"]["file"]) == [""]
    assert list(own["metric"]["metric"]) == ["trust"]


def test_a_table_that_is_not_known_is_not_in_a_faculty_file():
    files = dict(scopes.files(release(secret=pd.DataFrame({"anything": [1]}))))
    assert "secret" in files["university.duckdb"]
    assert "secret" not in files["faculty-F.duckdb"]


def test_the_band_is_where_shown_schools_lie():
    band = scopes.band(cells([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]))
    assert band[["lowest", "low", "middle", "high", "highest"]].to_numpy().tolist() == [[10, 19, 55, 91, 100]]
    status = ["shown"] * 7 + ["suppressed"] * 3
    assert scopes.band(cells([10, 20, 30, 40, 50, 60, 70, np.nan, np.nan, np.nan], status)).empty
