"""Answers: how many strongly disagree, disagree, neither, agree and strongly agree with each statement."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines import models
from pipelines.definitions import Definitions
from pipelines.disclosure import shares, splits
from pipelines.disclosure.patterns import KEY
from pipelines.disclosure.tables import EVERYONE, parents_of
from pipelines.engines import Connection
from pipelines.measures import sets
from pipelines.protect import Decision
from pipelines.settings import Settings

FIVE = ["strongly_disagree", "disagree", "neither", "agree", "strongly_agree"]
THREE = ["disagree", "neither", "agree"]


def answers(
    counts: pd.DataFrame, definitions: Definitions, schools: pd.DataFrame, decision: Decision, settings: Settings
) -> pd.DataFrame:
    """The published table: the share of each answer, in five or else three bands, where the share agreeing is shown.

    counts: from `count`.
    """
    parents = parents_of(schools)
    within = {c.name: c.of or EVERYONE for c in definitions.characteristics.values()}
    bands = _in_three(counts)
    allowed = np.zeros(len(counts), bool)
    for metric in counts["metric"].unique():
        own = (counts["metric"] == metric).to_numpy(bool)
        allowed[own] = decision.shows(counts.loc[own, [c for c in KEY if c != "metric"]], metric=metric)
    smallest = settings.rules.smallest_margin
    three = splits.shown(bands, THREE, allowed, parents, within, smallest)
    five = splits.shown(counts, FIVE, three, parents, within, smallest)
    return _published(counts, bands, three, five, settings)


def count(con: Connection, definitions: Definitions, characteristics: list[str], metrics: list[str]) -> pd.DataFrame:
    """KEY and how many gave each of FIVE; no row where there is no statement.

    metrics: proportions of answers; of those that are named like a statement of the survey the answers are counted.
    """
    statements = [m for m in metrics if m in definitions.tables["feedback"].columns]
    if not statements:
        return pd.DataFrame(columns=[*KEY, *FIVE]).astype(dict.fromkeys(FIVE, int))
    models.run(con, "mart_answers", characteristics=characteristics, statements=statements)
    read = con.execute("select * from mart_answers").df()
    named = {"grp": "group", **{f"answer_{i}": name for i, name in enumerate(FIVE, 1)}}
    counts = read.rename(columns=named).assign(level=sets.EVERY_LEVEL)
    return counts.sort_values(KEY, ignore_index=True)


def _in_three(counts: pd.DataFrame) -> pd.DataFrame:
    return counts[KEY].assign(
        disagree=counts["strongly_disagree"] + counts["disagree"],
        neither=counts["neither"],
        agree=counts["agree"] + counts["strongly_agree"],
    )


def _published(
    counts: pd.DataFrame, bands: pd.DataFrame, three: np.ndarray, five: np.ndarray, settings: Settings
) -> pd.DataFrame:
    hide = pd.Series(~three, index=counts.index)
    n = counts[FIVE].sum(axis=1)
    joined = pd.Series(~five, index=counts.index)
    figures = {}
    for name in FIVE:
        exact = counts[name].where(five, bands[name]) if name in bands else counts[name].mask(joined)
        figures[name] = shares.rounded(exact.astype(float) / n, hide)
    return counts[KEY].assign(
        base=shares.bases(n, hide, settings.rules),
        **figures,
        bands=pd.Series(np.where(five, len(FIVE), len(THREE)), index=counts.index).mask(hide).astype("Int64"),
        status=shares.status(hide),
    )
