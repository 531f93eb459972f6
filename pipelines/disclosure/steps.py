"""Steps: at which weeks a curve may be shown, so that between two of them no few people are seen to arrive.

Whoever meets their tutor for the first time moves the curve of one group of each characteristic. Were every week shown,
a week in which one student does would tell that student's group on all of them.
"""

from __future__ import annotations

import numpy as np


def weeks_shown(
    met: np.ndarray,
    family: np.ndarray,
    year: np.ndarray,
    last: np.ndarray,
    known: np.ndarray,
    hidden: np.ndarray,
    fewest: int,
) -> np.ndarray:
    """Which points of curves may be shown: curve × week.

    met: curve × week, how many of a curve's people have met by then. family: of each curve, a number for the groups of
    one characteristic in one place and part of the year. year: the same for both parts of a year together: their curves
    are shown at the same weeks, as each is everyone less the others, and both count the same people. last: the last
    week of each, where the share who met in all is shown anyway. known: a week before the last at which the other part
    shows the curve, −1 for none. hidden: curves that are not shown at all. fewest: between two weeks shown, up to the
    first, and up to the last, at least so many must arrive of each group; groups of which fewer than two times as many
    do count as one, and show their last week alone.
    """
    weeks = np.arange(met.shape[1])
    at_last = (weeks == last[:, None]) & ~hidden[:, None]
    if fewest <= 1:
        return (weeks <= last[:, None]) & ~hidden[:, None]
    total = met[np.arange(len(met)), last]
    own, others, together = _on_their_own(met, total, family, hidden, fewest)
    ends, knows, joint = (_of_families(each, family) for each in (last, known, year))
    # what is seen: each curve on its own, and in each family the others together
    seen = np.concatenate([met[own], together[others > 0]])
    of_family = np.concatenate([family[own], np.flatnonzero(others > 0)])
    end, at, joins = ends[of_family], knows[of_family], joint[of_family]
    finally_, then = seen[np.arange(len(seen)), end], seen[np.arange(len(seen)), np.maximum(at, 0)]
    before = np.zeros(len(seen))
    shown = np.zeros((int(year.max(initial=-1)) + 1, met.shape[1]), bool)
    for week in weeks:
        now, open_ones = seen[:, week], week < end
        lacks = open_ones & ((now - before < fewest) | (finally_ - now < fewest))
        lacks |= open_ones & (week < at) & (then - now < fewest)
        enough = np.bincount(joins, open_ones, len(shown)) > 0
        np.logical_and.at(enough, joins, ~lacks)
        shown[:, week] = enough
        before = np.where((shown[joins, week] & open_ones) | (week == at), now, before)
    at_known = (weeks == known[:, None]) & own[:, None]
    return ((shown[year] & own[:, None]) | at_known) & (weeks < last[:, None]) | at_last


def _on_their_own(
    met: np.ndarray, total: np.ndarray, family: np.ndarray, hidden: np.ndarray, fewest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which curves are shown on their own; of each family, how many of the others meet in all, and by each week."""
    families = int(family.max(initial=-1)) + 1
    own = ~hidden & (total >= 2 * fewest)
    while True:  # were the others too few, the smallest group that is shown joins them
        others = np.bincount(family, np.where(own, 0, total), families)
        lacking = (others > 0) & (others < 2 * fewest)
        joins = _smallest(np.where(own & lacking[family], total, np.inf), family, families)
        if not joins.any():
            break
        own &= ~joins
    together = np.zeros((families, met.shape[1]))
    np.add.at(together, family[~own], met[~own])
    return own, others, together


def _of_families(values: np.ndarray, family: np.ndarray) -> np.ndarray:
    """A value of each family, which all of its curves share."""
    out = np.zeros(int(family.max(initial=-1)) + 1, int)
    out[family] = values
    return out


def _smallest(sizes: np.ndarray, family: np.ndarray, families: int) -> np.ndarray:
    """The first of the smallest finite sizes of each family."""
    least = np.full(families, np.inf)
    np.minimum.at(least, family, sizes)
    candidates = np.flatnonzero(np.isfinite(sizes) & (sizes == least[family]))
    first = np.zeros(len(sizes), bool)
    first[candidates[np.unique(family[candidates], return_index=True)[1]]] = True
    return first
