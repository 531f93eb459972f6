"""Three years together: which they are, what they add up, and that no year can be worked out from them."""

from dataclasses import replace

import pandas as pd
import pytest

from pipelines import attack, pooled
from pipelines.attack import AttackError
from pipelines.disclosure import patterns
from pipelines.disclosure.ledger import Ledger, weeks
from pipelines.measures import sets
from pipelines.model import Modelled
from pipelines.protect import protect
from pipelines.settings import Settings
from tests.pipelines.random_university import DEFINITIONS, KEY, SCHOOLS, YEARS, periods, university

LABEL = "2023/24 to 2025/26"


def labels(years, published=()):
    no_cells = Modelled(pd.DataFrame(), periods(years), SCHOOLS, None)
    return dict(pooled.of(pooled.with_periods(no_cells, published).periods))


def test_the_last_three_whole_years_are_pooled():
    assert labels(("2022/23", *YEARS)) == {LABEL: list(YEARS)}
    assert labels(YEARS[:2]) == {}


def test_pooled_periods_never_overlap():
    """A year later the published one stays; the next begins after it."""
    for more in (("2026/27",), ("2026/27", "2027/28")):
        assert labels((*YEARS, *more), [LABEL]) == {LABEL: list(YEARS)}
    later = ("2026/27", "2027/28", "2028/29")
    assert labels((*YEARS, *later), [LABEL]) == {LABEL: list(YEARS), "2026/27 to 2028/29": list(later)}
    assert list(labels(later, [LABEL])) == ["2026/27 to 2028/29"], "its years are gone"


@pytest.fixture(scope="module")
def modelled():
    return pooled.with_periods(university(seed=3), ())


@pytest.fixture(scope="module")
def decision(modelled):
    return protect(modelled, DEFINITIONS, Settings())


def test_a_pooled_cell_is_the_sum_of_its_years(decision, modelled):
    cells = decision.cells
    own = cells[cells["part"] == pooled.POOLED]
    years = cells[(cells["part"] == "year") & (cells["level"] == "all")]
    both = own.merge(years.groupby(KEY[2:])[["n", "have_some"]].sum().reset_index(), on=KEY[2:])
    assert len(both) == len(own) > 0
    assert (both["n_x"] == both["n_y"]).all()
    assert (both["have_some_x"] == both["have_some_y"]).all()
    assert set(own["level"]) == {"all"}


def test_groups_too_few_in_a_year_are_seen_in_three(decision):
    shown = decision.cells[~decision.hidden]
    in_schools = shown[sets.is_school(shown["unit"]) & (shown["characteristic"] == "ethnicity")]
    by_part = in_schools.groupby("part")["group"].nunique(), in_schools.groupby("part").size()
    assert by_part[0]["pooled"] >= by_part[0]["year"]
    years = in_schools[in_schools["part"] == "year"].drop_duplicates(["unit", "group", "metric"])
    now = in_schools[in_schools["part"] == "pooled"]
    assert (sets.find(now, years, ["unit", "group", "metric"]) < 0).any(), "seen in no single year"


@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_hidden_in_a_year_or_in_three_can_be_worked_out(seed, settings):
    modelled = pooled.with_periods(university(seed=seed, mean=25), ())
    done = attack.withstand(protect(modelled, DEFINITIONS, settings), modelled, DEFINITIONS, settings)
    assert done.attack.withstood
    assert done.mended == 0
    assert done.attack.report["hidden"].sum() > 500


def test_where_an_attack_gets_through_more_is_hidden(decision, modelled, settings):
    """Small cells without others beside them can be got by subtraction; the tables around them are hidden."""
    bare = decision.cells[["academic_year", "characteristic"]].eq(["2025/26", "sex"]).all(axis=1)
    weak = decision.why.mask(bare & (decision.why == patterns.LINKED), patterns.SHOWN)
    done = attack.withstand(replace(decision, why=weak), modelled, DEFINITIONS, settings)
    assert done.mended > 0
    assert done.attack.withstood
    assert not (done.decision.why[decision.why == patterns.SMALL] == patterns.SHOWN).any()


def test_without_a_way_out_there_is_no_release(decision, modelled, settings, monkeypatch):
    monkeypatch.setattr(attack, "_mended", lambda decision, *_: decision)
    monkeypatch.setattr(attack, "ROUNDS", 1)
    weak = replace(decision, why=decision.why.replace(patterns.LINKED, patterns.SHOWN))
    with pytest.raises(AttackError, match="Nothing was published"):
        attack.withstand(weak, modelled, DEFINITIONS, settings)


def test_a_published_period_is_not_decided_again(decision, modelled, settings):
    cells = decision.cells.merge(modelled.periods[["academic_year", "part"]].assign(week=weeks(modelled.periods)))
    published = Ledger(cells.assign(why=decision.why.to_numpy(object), terms=decision.terms))
    again = protect(modelled, DEFINITIONS, settings, published)
    assert again.kept == {*((year, "year") for year in YEARS), (LABEL, "pooled")}
    revised = protect(modelled, DEFINITIONS, settings, published, revised=["2024/25"])
    assert revised.kept == {("2023/24", "year"), ("2025/26", "year")}, "three years with one revised are made anew"
