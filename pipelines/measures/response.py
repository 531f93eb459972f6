"""Response: whose voice is missing from the survey, and whether it would change the answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, intervals, sets

Z = special.ndtri(0.5 + intervals.CONFIDENCE / 2)
PLACE = [c for c in gaps.PLACE if c != "metric"]
CYCLES = 200
CLOSE = 1e-6
LARGEST = 5.0  # a respondent stands for at most this many times as many as the average one

MATERIAL = 0.03  # of a group's rate from everybody's
EVEN = 0.9  # an R-indicator that may be below this leaves room for much unevenness
FAMILY = ["characteristic", "academic_year", "part"]

NO_DIFFERENCE, UNEVEN = "no clear difference", "some are heard less"


def rates(enrolled: pd.DataFrame, answered: pd.DataFrame) -> pd.DataFrame:
    """The response rate of each group.

    enrolled, answered: PLACE (academic_year, part, level, unit, characteristic), group, n: students, and those of them
    who answered. Where the survey is not linked to students, `answered` counts groups as declared.

    Returns PLACE, group, n, answered, value (fraction), lower and upper (Wilson); NaN for a group with more answers
    than students (declared otherwise than enrolled).
    """
    key = [*PLACE, "group"]
    both = pd.concat(
        [enrolled[key].assign(n=enrolled["n"], answered=0), answered[key].assign(n=0, answered=answered["n"])],
        ignore_index=True,
    )
    out = sets.summed(both, key, ["n", "answered"])
    possible = (out["n"] > 0) & (out["answered"] <= out["n"])
    n, x = out["n"].where(possible).to_numpy(float), out["answered"].where(possible).to_numpy(float)
    value, lower, upper = intervals.proportion(x, n)
    return out.assign(value=value, lower=lower, upper=upper).astype({"n": int, "answered": int})


def representativeness(response_rates: pd.DataFrame) -> pd.DataFrame:
    """How evenly the groups of each characteristic answer: the R-indicator.

    response_rates: as from `rates`. Returns PLACE, n, answered, value (overall rate), r_indicator (1: all groups answer
    alike; 0: as uneven as can be), lower, upper, p (that all groups answer alike), furthest (how far the group furthest
    from everybody's rate is from it). Only places with two groups or more that can be judged; NaN where nobody, or
    everybody, answered.

    R = 1 − 2S (Schouten, Cobben & Bethlehem, 2009), S² = Σ share·(rate − overall)² less what chance adds to it
    (Shlomo, Skinner & Schouten, 2012), never below 0. Limits from the variance of S² (delta method). p: χ² test.
    """
    rows = response_rates.dropna(subset="value")
    of = sets.number(rows, PLACE)
    n, answered, rate = (rows[c].to_numpy(float) for c in ("n", "answered", "value"))
    total = of.sum(n)
    overall = of.sum(answered) / total
    share, apart = n / total[of.of], rate - overall[of.of]
    chance = rate * (1 - rate) / np.maximum(n - 1, 1)
    raw = of.sum(share * apart**2)
    s2 = raw - of.sum(share * (1 - share) * chance)
    reach = Z * np.sqrt(of.sum(4 * share**2 * apart**2 * chance + 2 * (share * chance) ** 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        q = of.sum(n * apart**2) / (overall * (1 - overall))
    known = (overall > 0) & (overall < 1)
    r, lower, upper = (np.where(known, 1 - 2 * np.sqrt(np.maximum(s, 0)), np.nan) for s in (s2, s2 + reach, s2 - reach))
    out = rows[PLACE].take(of.first).assign(
        n=total.astype(int), answered=of.sum(answered).astype(int), value=overall,
        r_indicator=r, lower=np.maximum(lower, 0), upper=upper, furthest=of.max(np.abs(apart)),
        p=np.where(known, special.chdtrc(np.maximum(of.size - 1, 1), q), np.nan),
    )  # fmt: skip
    return out.take(np.flatnonzero(of.size > 1)).reset_index(drop=True)


def verdict(frame: pd.DataFrame) -> pd.Series:
    """Whether all groups are heard, in words, judged together with the other places of the characteristic and period.

    some are heard less  unlikely to be chance (Benjamini & Hochberg, 1995), and a group materially off everybody's rate
    too few to say       neither, and the R-indicator may be below 0.9
    no clear difference  anything else
    frame: FAMILY, p, furthest and lower, as from `representativeness`.
    """
    p = gaps.adjusted(frame["p"], [frame[c] for c in FAMILY])
    uneven = (p < gaps.SIGNIFICANT) & (frame["furthest"] >= MATERIAL)
    vague = p.isna() | (frame["lower"] < EVEN)
    words = sets.said([uneven, vague], [UNEVEN, gaps.TOO_FEW], default=NO_DIFFERENCE)
    return pd.Series(words, index=frame.index)


def raked(
    respondents: pd.DataFrame, margins: pd.DataFrame, by: Sequence[str], characteristics: Sequence[str]
) -> pd.DataFrame:
    """The respondents with a weight each, so that together they have the make-up of the students enrolled.

    respondents: `by`, a column per characteristic with the group, n (how many such respondents the row stands for).
    margins: `by`, characteristic, group, n: students enrolled.

    Returns respondents with `weight`: 1 on average in each set of `by`, between a fifth and five times the average.
    Every characteristic's groups are matched in turn until nothing moves (Deming & Stephan, 1940). Groups nobody
    answered from cannot be represented; respondents in groups without a margin (Unknown) keep their weight.
    """
    of = sets.number(respondents, by)
    count, place = respondents["n"].to_numpy(float), of.of
    targets = [_target(respondents, margins, by, c) for c in characteristics]
    cells = [t[0] for t in targets]
    weight = np.ones(len(respondents))
    rows, moved = np.arange(len(respondents)), weight.copy()  # of the sets in which weights still move
    for _ in range(CYCLES):
        before = moved
        for cell, (_, holder, wanted) in zip(cells, targets, strict=True):
            moved = moved * _factors(np.bincount(cell, moved * count, len(holder)), holder, wanted)[cell]
        moved = _capped(moved, count, place)
        weight[rows] = moved
        still = (np.bincount(place, np.abs(moved - before) >= CLOSE) > 0)[place]
        if not still.any():
            break
        if still.sum() < len(rows) / 2:
            rows, moved, count, place = rows[still], moved[still], count[still], place[still]
            cells = [cell[still] for cell in cells]
    return respondents.assign(weight=weight)


def _factors(have: np.ndarray, holder: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """What each cell's weights are multiplied by to match its margin; 1 without a margin."""
    known = np.isfinite(wanted)
    here = np.bincount(holder, np.where(known, have, 0), int(holder.max(initial=-1)) + 1)[holder]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known, wanted * here / have, 1)


def _capped(weight: np.ndarray, count: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Weights of 1 on average and within the bounds, as near as may be to those given."""
    total = np.bincount(place, count)
    for _ in range(CYCLES):
        with np.errstate(divide="ignore", invalid="ignore"):
            average = (np.bincount(place, weight * count) / total)[place]
        weight = np.clip(weight / average, 1 / LARGEST, LARGEST)
        if np.abs(average - 1).max(initial=0) < CLOSE:
            break
    return weight


def _target(
    respondents: pd.DataFrame, margins: pd.DataFrame, by: Sequence[str], characteristic: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cells of one characteristic: each respondent's cell, each cell's set, and its share of the students there.

    NaN for a group without a margin.
    """
    key = [*by, characteristic]
    cells = sets.number(respondents, key)
    names = respondents[key].take(cells.first).astype(object)
    margin = margins[margins["characteristic"] == characteristic].rename(columns={"group": characteristic})
    students = names.merge(margin[[*key, "n"]].astype(dict.fromkeys(key, object)), on=key, how="left")["n"]
    students = students.where(students > 0).to_numpy(float)
    place = sets.number(names, by)
    return cells.of, place.of, students / place.sum(np.nan_to_num(students))[place.of]


def weighted(respondents: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """A share of answers, unweighted and weighted.

    respondents: `by`, weight, n and sx (how many of the n gave the answer).

    Returns `by`, n, value, lower, upper (unweighted, Wilson), effective_n, weighted, weighted_lower, weighted_upper
    (Wilson on the effective base: (Σw)²/Σw², Kish, 1965). Fractions.
    """
    of = sets.number(respondents, by)
    n, x, w = (respondents[c].to_numpy(float) for c in ("n", "sx", "weight"))
    base, heavy = of.sum(n), of.sum(w * n)
    value, lower, upper = intervals.proportion(of.sum(x), base)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, effective = np.clip(of.sum(w * x) / heavy, 0, 1), heavy**2 / of.sum(w**2 * n)
    _, low, high = intervals.proportion(share * effective, effective)
    out = respondents[list(by)].take(of.first).assign(
        n=base.astype(int), value=value, lower=lower, upper=upper,
        effective_n=effective, weighted=share, weighted_lower=low, weighted_upper=high,
    )  # fmt: skip
    return out.reset_index(drop=True)
