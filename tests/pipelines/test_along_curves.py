"""The curve of a whole year that was published passes through the share to date: known, whatever this week hides."""

from dataclasses import replace

import pytest

from pipelines import attack
from pipelines.disclosure import patterns
from pipelines.disclosure.ledger import CURVE, NOTHING, TO_DATE, Ledger
from pipelines.measures import sets
from pipelines.protect import MET, protect, told
from pipelines.settings import Settings
from tests.pipelines.random_university import DEFINITIONS, KEY, university


@pytest.fixture(scope="module")
def modelled():
    """A year to date."""
    year = university(seed=3, years=("2025/26",))
    return replace(year, cells=year.cells.assign(part=TO_DATE), periods=year.periods.assign(part=TO_DATE))


@pytest.fixture(scope="module")
def decision(modelled):
    return protect(modelled, DEFINITIONS, Settings())


@pytest.fixture(scope="module")
def on_curves(decision):
    """Some of the shares who met their tutor that are hidden for others' sake."""
    linked = decision.cells[(decision.why == patterns.LINKED) & (decision.cells["metric"] == MET)]
    assert len(linked) > 10
    return linked.iloc[::2]


@pytest.fixture(scope="module")
def published(on_curves):
    """Nothing was published of the year to date, but of whole years their curves were."""
    return Ledger(NOTHING.cells, curves=on_curves[CURVE])


def test_a_curve_tells_the_counts_to_date_of_its_place_alone(modelled, on_curves, published):
    known = told(published, modelled.cells, modelled.periods)
    assert known[KEY].to_records(index=False).tolist() == on_curves[KEY].to_records(index=False).tolist()
    assert (known["have_some"].to_numpy() == on_curves["have_some"].to_numpy()).all()
    assert told(NOTHING, modelled.cells, modelled.periods).empty


def test_what_is_known_by_a_curve_is_not_counted_on_to_hide_another(modelled, decision, on_curves, published):
    again = protect(modelled, DEFINITIONS, Settings(), published)
    assert (again.cells[KEY] == decision.cells[KEY]).all(axis=None)
    before, now = (found.hidden[on_curves.index].sum() for found in (decision, again))
    assert now < before / 2


def test_the_attacker_knows_it_and_more_is_hidden_until_that_tells_nothing_else(
    modelled, decision, on_curves, published
):
    assert attack.withstand(decision, modelled, DEFINITIONS, Settings()).mended == 0
    done = attack.withstand(decision, modelled, DEFINITIONS, Settings(), published)
    assert done.mended > 0
    assert sets.find(done.attack.broken, on_curves, KEY).min() >= 0, "but for what the curves told"
