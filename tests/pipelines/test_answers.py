"""The five answers to each statement agree with plain pandas; five bands, three, or none."""

import numpy as np
import pandas as pd
import pytest

from pipelines import definitions as definition_files
from pipelines.answers import FIVE, KEY, answers, count
from pipelines.disclosure import patterns
from pipelines.protect import Decision
from tests.pipelines.modelling import model
from tests.pipelines.test_model import FEW, connect, staged
from tests.pipelines.test_through_the_year import OPEN

DEFINITIONS = definition_files.load()
STATEMENTS = ["knows_me", "trust", "supported", "part_of_journey", "belonging"]
GRAINS = {m.name: m.grain for m in DEFINITIONS.metrics.values()}


@pytest.fixture(scope="module")
def modelled():
    tables = staged()
    con = connect(tables)
    return con, model(con, DEFINITIONS, FEW), tables["feedback"]


def made(modelled, settings, hidden=None, rules=None):
    """The table where all cells are shown but for the `hidden` ones."""
    con, found, _ = modelled
    why = pd.Series(patterns.SHOWN, index=found.cells.index).mask(
        pd.Series(False, index=found.cells.index) if hidden is None else found.cells.eval(hidden), "small"
    )
    settings = settings.model_copy(update={"rules": rules}) if rules else settings
    decision = Decision(found.cells, why, GRAINS)
    return answers(
        count(con, DEFINITIONS, ["sex", "ethnicity"], STATEMENTS), DEFINITIONS, found.schools, decision, settings
    )


def test_shares_of_answers_are_those_of_the_responses(modelled, settings):
    table = made(modelled, settings, rules=OPEN)
    assert (table["status"] == "shown").all()
    assert not table.duplicated(KEY).any()
    feedback = modelled[2].query("academic_year == '2023/24' and sex == 'Female'")
    row = table.query("academic_year == '2023/24' and unit == 'university' and metric == 'trust' and group == 'Female'")
    assert row["base"].tolist() == [len(feedback)]
    expected = [np.floor(100 * (feedback["trust"] == i).mean() + 0.5) for i in range(1, 6)]
    assert row[FIVE].iloc[0].tolist() == expected
    groups_in_schools = table[table["unit"].str.startswith("school:") & (table["characteristic"] != "all")]
    assert groups_in_schools.empty


def test_agreeing_is_what_the_metric_of_the_statement_counts(modelled, settings):
    table = made(modelled, settings, rules=OPEN)
    both = table.merge(modelled[1].cells, on=KEY)
    assert len(both) == len(table)
    assert both["base"].tolist() == both["n"].tolist()
    assert ((both["agree"] + both["strongly_agree"] - 100 * both["sx"] / both["n"]).abs() <= 1 + 1e-9).all()


def test_whole_years_and_the_year_in_progress_alone(modelled, settings):
    table = made(modelled, settings, rules=OPEN)
    periods = set(table[["academic_year", "part"]].itertuples(index=False, name=None))
    assert periods == {("2023/24", "year"), ("2024/25", "year"), ("2025/26", "to_date")}
    assert set(table["level"]) == {"all"}


def test_where_five_are_too_few_three_bands_are_shown_or_none(modelled, settings):
    table = made(modelled, settings)
    seen = table[table["status"] == "shown"]
    assert set(seen["bands"]) == {3, 5}
    in_three = seen["bands"] == 3
    assert seen.loc[in_three, ["strongly_disagree", "strongly_agree"]].isna().all(axis=None)
    assert seen.loc[~in_three, FIVE].notna().all(axis=None)
    parts = seen[FIVE].sum(axis=1)
    assert parts.between(98, 102).all(), "each share is rounded by itself"
    hidden = table[table["status"] != "shown"]
    assert len(hidden)
    assert hidden[["base", "bands", *FIVE]].isna().all(axis=None)


def test_a_hidden_cell_hides_the_answers_of_its_family(modelled, settings):
    hidden = "metric == 'trust' and unit == 'university' and group == 'Female'"
    table = made(modelled, settings, hidden, OPEN)
    at_university = table.query("unit == 'university' and characteristic == 'sex'")
    assert set(at_university.loc[at_university["metric"] == "trust", "status"]) == {"suppressed"}
    assert set(at_university.loc[at_university["metric"] != "trust", "status"]) == {"shown"}


def test_without_statements_the_table_is_empty(modelled, settings):
    con, found, _ = modelled
    decision = Decision(found.cells, pd.Series(patterns.SHOWN, index=found.cells.index), GRAINS)
    table = answers(count(con, DEFINITIONS, ["sex"], []), DEFINITIONS, found.schools, decision, settings)
    assert table.empty
    assert list(table.columns) == [*KEY, "base", *FIVE, "bands", "status"]
