"""Tutors: how far those of a school differ in what their students have and report. A spread, never a tutor.

How tutors differ is told of exact counts so coarsely that nobody can tell which they are (docs/methods.md).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines import models
from pipelines.definitions import Definitions
from pipelines.disclosure import rules, shares
from pipelines.disclosure.tables import EVERYONE
from pipelines.engines import Connection, frame
from pipelines.measures import consistency, sets
from pipelines.model import GRAINS, Present, missing
from pipelines.protect import Decision
from pipelines.settings import Settings

KEY = ["academic_year", "part", "level", "unit", "metric"]
NUMBERS = ["members", "value", "odds_ratio", "odds_ratio_lower", "odds_ratio_upper", "low", "high", "p"]
MANY_TUTORS = 1_000
LADDER = np.array([1, 1.5, 2, 3, 5])  # median odds ratios between tutors; the last stands for whatever is larger
FEWEST_EITHER = 30  # students who have, and who lack, what is counted
LARGEST = 0.2  # of the students of a row: what one tutor may have


def count(con: Connection, definitions: Definitions, present: Present) -> pd.DataFrame:
    """Count what the spreads rest on, in the database of a run after its models: KEY, n (students of a tutor), sx (of
    them who have it) and alike (how many tutors have such counts).
    """
    models.run(con, "mart_tutor_outcome", grains=_grains(definitions, present))
    read = frame(con, f"select * from mart_tutor_outcome where n >= {consistency.FEWEST_STUDENTS}")
    return read.rename(columns={"tutors": "alike"})


def _grains(definitions: Definitions, present: Present) -> list[dict[str, object]]:
    """The proportions that say how a tutor's students fare, by grain: those that are private to a student."""
    metrics = [m for m in definitions.metrics.values() if m.kind == "proportion" and m.private]
    possible = [m for m in metrics if not missing(m, present)]
    grains: list[dict[str, object]] = [
        {"name": g, "metrics": [m for m in possible if m.grain == g]} for g in GRAINS if g != "tutor"
    ]
    return [g for g in grains if g["metrics"]]


def spread(counts: pd.DataFrame, schools: pd.DataFrame, decision: Decision, settings: Settings) -> pd.DataFrame:
    """The rows of the published table consistency that are between tutors.

    Only of whole years, all levels together, and where ten tutors have five students or more each. Of the university
    and of faculties how far tutors of one school differ, in a typical one of three such schools or more whose own row
    is shown: nothing of a hidden one can be taken from it.
    """
    counts = sets.coded(counts, KEY)
    found = [_spread(counts, consistency.between_tutors(counts, KEY), decision, settings)]
    seen = found[0][found[0]["status"] == rules.SHOWN]
    counts = counts.take(np.flatnonzero(sets.find(counts, seen, KEY) >= 0))
    for of in sets.parents(schools) if len(counts) else ():
        above = counts.assign(school=counts["unit"], unit=sets.lookup(counts["unit"], of)).dropna(subset="unit")
        found.append(_spread(above, consistency.within(above, KEY, "school"), decision, settings))
    return shares.texts(pd.concat(found).sort_values(KEY, ignore_index=True))


def _spread(counts: pd.DataFrame, found: pd.DataFrame, decision: Decision, settings: Settings) -> pd.DataFrame:
    """What may be shown of how tutors differ, judged together. counts: KEY, n, sx, alike."""
    students = counts.assign(n=counts["n"] * counts["alike"], sx=counts["sx"] * counts["alike"])
    largest = counts.groupby(KEY, observed=True)["n"].max().rename("largest").reset_index()
    found = found.drop(columns="n").merge(sets.summed(students, KEY, ["n", "sx"]), on=KEY)
    found = found.merge(largest, on=KEY).astype(dict.fromkeys(KEY, "str"))
    everyone = decision.coded[(decision.coded["characteristic"] == EVERYONE) & ~decision.hidden.to_numpy(bool)]
    cell = sets.find(found, everyone, KEY)
    shown = everyone.take(np.maximum(cell, 0)) if len(everyone) else everyone.reindex(range(len(found)))
    n, sx = (shown[column].to_numpy(float) for column in ("n", "sx"))
    # by counts of everyone: that a row is shown then tells of students whom no tutor of five or more has no more than
    # that a third of them may have, and lack, what is counted
    left_out = np.where(sets.is_school(found["unit"]), n - found["n"], 0) / 3
    fewest = np.maximum(found["members"], FEWEST_EITHER)
    hide = shares.hidden(found, settings.rules) | found["p"].isna() | (cell < 0)
    hide |= (np.minimum(sx, n - sx) - left_out < fewest) | (found["largest"] > LARGEST * found["n"])
    told = spreads(found, sx / n, settings.rules.round_bases_to)
    judged = found.assign(p=found["p"].mask(hide), odds_ratio_upper=told["odds_ratio_upper"])
    return found[KEY].assign(
        between="tutors",
        **{name: told[name].mask(hide) for name in NUMBERS},
        says=consistency.verdict(judged).astype(object),
        status=shares.status(hide),
    )


def spreads(found: pd.DataFrame, share: np.ndarray, step: int) -> pd.DataFrame:
    """How far tutors differ, so coarsely that whoever knows how many students each has cannot tell which counts they
    have. found: n, members (tutors), odds_ratio. share: of everyone there, as published. step: of rounded bases.

    The odds ratio is the nearest of LADDER; all else follows from it, the published share, and rounded counts. Only of
    very many tutors it is to one decimal.
    """
    value, members = rules.half_up(100 * share, 0), rules.to_nearest(found["members"], step)
    limits = np.sqrt(LADDER[:-1] * LADDER[1:])
    ratio = LADDER[np.searchsorted(limits, found["odds_ratio"])]
    fine = np.minimum(rules.half_up(found["odds_ratio"], 1), LADDER[-1])
    ratio = np.where(found["members"] >= MANY_TUTORS, fine, ratio)
    mean, size = np.clip(value / 100, 0.005, 0.995), rules.to_nearest(found["n"], step) / members
    upper = np.minimum(rules.up(consistency.upper_at(mean, ratio, members, size), 1), LADDER[-1])
    low, high = consistency.range_at(value, ratio)
    return pd.DataFrame(
        {
            "members": pd.Series(members, found.index).astype("Int64"),
            "value": value, "odds_ratio": ratio, "odds_ratio_lower": np.nan, "odds_ratio_upper": upper,
            "low": rules.half_up(low, 0), "high": rules.half_up(high, 0), "p": np.nan,
        },
        index=found.index,
    )  # fmt: skip
