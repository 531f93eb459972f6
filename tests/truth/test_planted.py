"""What was planted in the example university is what the published release says."""

import json

import duckdb
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from pipelines.example import generate
from pipelines.example.planted import STATEMENTS
from pipelines.example.tutors import SPREAD
from pipelines.measures.consistency import MEDIAN
from pipelines.measures.funnel import LEARN
from pipelines.progress import Progress
from pipelines.run import run
from pipelines.settings import Settings
from pipelines.tutors import LADDER
from tests.pipelines.unattacked import NOTHING_HIDDEN, leave_out_the_attack

SEED = 1
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def university(tmp_path_factory):
    """One whole run on a university of 12,000 enrolments a year, hiding nothing: planted truths, and the release."""
    folder = tmp_path_factory.mktemp("planted")
    settings = Settings(data=folder / "data", key_file=folder / "keys" / "pseudonym.key", rules=NOTHING_HIDDEN)
    generate(settings.example, students=12_000, years=3, seed=SEED)
    with pytest.MonkeyPatch.context() as patch:
        leave_out_the_attack(patch)
        done = run(settings.example / "sources.toml", settings, Progress(Console(quiet=True)))
    truth = settings.example / "truth"
    with duckdb.connect(settings.published / done.release / "university.duckdb", read_only=True) as con:
        return {
            "planted": json.loads((truth / "planted.json").read_text()),
            "truth": pd.read_parquet(truth / "truth.parquet"),
            "gap": con.execute("select * from gap where level = 'all' and status = 'shown'").df(),
            "cell": con.execute(
                "select * from cell where level = 'all' and characteristic = 'all' and status = 'shown'"
            ).df(),
            "tutors": con.execute("select * from consistency where between = 'tutors' and unit = 'university'").df(),
            "funnel": con.execute("select * from funnel where status = 'shown'").df(),
            "reconciliation": con.execute("select * from reconciliation").df(),
        }


def test_planted_gaps_lie_in_the_published_intervals(university):
    gaps = university["gap"][university["gap"]["part"] == "year"]
    gaps = gaps.assign(school_code=gaps["unit"].str.removeprefix("school:"))
    key = ["academic_year", "school_code", "metric", "characteristic", "group"]
    both = gaps.merge(university["truth"], on=key)
    assert len(both) > 1000
    covered = both["true_gap"].between(both["lower"], both["upper"])
    for metric, share in covered.groupby(both["metric"]).mean().items():
        assert share >= 0.90, f"{metric}: {share:.1%} of planted gaps inside their interval"


def test_outstanding_schools_are_among_the_first_three(university):
    cells = university["cell"]
    whole = cells[(cells["part"] == "year") & cells["unit"].str.startswith("school:")]
    for metric in ("any_meeting", "trust"):
        average = whole[whole["metric"] == metric].groupby("unit")["value"].mean()
        first = set(average.nlargest(3).index.str.removeprefix("school:"))
        assert set(university["planted"]["outstanding_schools"]) <= first, metric


def test_a_school_is_printed_on_the_side_of_the_limits_that_is_said_of_it(university):
    """All is rounded alike, so that nothing said to lie beyond a limit is printed within it, nor the other way."""
    funnel = university["funnel"]
    printed = {
        "above": funnel["value"] >= funnel["upper"],
        "within the limits": funnel["value"].between(funnel["lower"], funnel["upper"]),
        "below": funnel["value"] <= funnel["lower"],
    }
    for position, is_so in printed.items():
        of = funnel["position"] == position
        assert of.any(), position
        assert is_so[of].all(), position
    far = funnel[funnel["says"] == LEARN]
    assert len(far)
    assert ((far["value"] >= far["upper_outer"]) | (far["value"] <= far["lower_outer"])).all()


def test_how_far_tutors_differ_in_a_typical_school_is_found(university):
    """As planted, on the logit scale, in what students say: a median odds ratio is exp(0.954 · σ), told on a ladder."""
    said = university["tutors"][university["tutors"]["metric"].isin(STATEMENTS)]
    true = np.exp(MEDIAN * SPREAD)
    nearest = LADDER[np.abs(np.log(LADDER / true)).argmin()]
    assert len(said) >= 10
    assert (said["odds_ratio"] == nearest).mean() >= 0.6
    assert said["odds_ratio_upper"].ge(true).mean() >= 0.9


def test_schools_that_do_not_log_are_flagged(university):
    record = university["cell"][university["cell"]["metric"] == "recorded_of_recalled"]
    record = record[record["unit"].str.startswith("school:") & (record["part"] == "year")]
    flagged = record.groupby("unit")["upper"].max()
    flagged = set(flagged[flagged < 70].index.str.removeprefix("school:"))
    assert flagged == set(university["planted"]["non_logging_schools"])


def test_every_row_written_is_accounted_for(university):
    done = university["reconciliation"]
    assert (done["rows_read"] == done["rows_loaded"] + done["rows_quarantined"] + done["duplicates_dropped"]).all()
    read = done.groupby("table_name")["rows_read"].sum()
    for table, rows in university["planted"]["rows"].items():
        assert read[table] == rows, table
