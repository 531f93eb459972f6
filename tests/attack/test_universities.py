"""Of random universities with sparse groups nothing hidden is worked out, from one release or from two."""

import pandas as pd
import pytest

from pipelines.protect import small_cells
from pipelines.settings import Settings
from tests.attack.universities import DEFINITIONS, Found, released_twice

# `python -m tests.attack.universities` tries twenty, and says what came out


@pytest.fixture(scope="module", params=[0, 4, 9])
def found(request: pytest.FixtureRequest) -> Found:
    return released_twice(request.param, Settings())


def test_no_release_can_be_broken(found: Found) -> None:
    assert found.of_first.withstood, found.of_first.broken
    assert found.of_second.withstood, found.of_second.broken
    for attack in (found.of_first, found.of_second):
        assert attack.report["hidden"].sum() > 100


def test_most_of_what_rests_on_many_stays(found: Found) -> None:
    many = found.first.listed & (found.first.cells["n"] >= 200)
    assert many.sum() > 100
    assert (~found.first.hidden[many]).mean() > 0.6


def test_no_small_cell_outside_the_closed_list_is_given_away(found: Found) -> None:
    assert found.unlisted.empty, found.unlisted


def test_what_was_published_stays_whatever_is_corrected(found: Found) -> None:
    assert found.second.kept == {("2023/24", "year")}
    assert found.second.differing.total() > 0, "rows were corrected late"


def test_a_year_that_is_revised_hides_what_it_hid(found: Found) -> None:
    """What was hidden is not shown beside other counts, and hardly anything that was shown is hidden to no end."""
    key = ["level", "unit", "metric", "characteristic", "group"]
    first, revised = (
        d.cells.assign(hidden=d.hidden)[d.listed].set_index(key)["hidden"] for d in (found.first, found.revised)
    )
    both = pd.concat([first.rename("before"), revised.rename("now")], axis=1, join="inner").astype(bool)
    assert both.loc[both["before"], "now"].all()
    small = small_cells(found.revised.cells, DEFINITIONS, Settings())[found.revised.listed]
    small.index = revised.index
    gone = ~both["before"] & both["now"] & ~small.reindex(both.index)
    assert gone.mean() < 0.02


def test_with_less_care_it_would_be_broken(found: Found) -> None:
    """The attack bites: on the primary rules alone, and on a release that does not know what was published."""
    assert len(found.careless.broken)
    assert not found.forgetful.withstood
