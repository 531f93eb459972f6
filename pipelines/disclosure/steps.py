"""Steps: at which weeks a curve may be shown, so that between two of them no few people are seen to arrive.

Whoever meets their tutor for the first time moves the curve of one group of each characteristic. Were every week shown,
a week in which one student does would tell that student's group on all of them.
"""

from __future__ import annotations

import numpy as np


def weeks_shown(met: np.ndarray, family: np.ndarray, last: np.ndarray, hidden: np.ndarray, fewest: int) -> np.ndarray:
    """Which points of curves may be shown: curve × week.

    met: curve × week, how many of a curve's people have met by then. family: of each curve, a number for the groups of
    one characteristic in one place, which are shown at the same weeks, as each is everyone less the others. last: the
    last week of each, where the share who met in all is shown anyway. hidden: curves that are not shown at all. fewest:
    between two weeks shown, up to the first, and up to the last, at least so many must arrive of each group; groups of
    which fewer than two times as many do count as one, and show their last week alone.
    """
    weeks = np.arange(met.shape[1])
    at_last = (weeks == last[:, None]) & ~hidden[:, None]
    if fewest <= 1:
        return (weeks <= last[:, None]) & ~hidden[:, None]
    total = met[np.arange(len(met)), last]
    families = int(family.max(initial=-1)) + 1
    own = ~hidden & (total >= 2 * fewest)
    while True:  # the others count as one: were they too few, the smallest group that is shown joins them
        others = np.bincount(family, np.where(own, 0, total), families)
        lacking = (others > 0) & (others < 2 * fewest)
        joins = _smallest(np.where(own & lacking[family], total, np.inf), family, families)
        if not joins.any():
            break
        own &= ~joins
    together = np.zeros((families, met.shape[1]))
    np.add.at(together, family[~own], met[~own])
    has_others = others > 0
    ends = np.zeros(families, int)
    np.maximum.at(ends, family, last)
    end_of_others = np.take_along_axis(together, ends[:, None], axis=1)[:, 0]
    before, before_of_others = np.zeros(len(met)), np.zeros(families)
    shown = np.zeros((families, met.shape[1]), bool)
    for week in weeks:
        enough = np.ones(families, bool)
        lacks = own & ((met[:, week] - before < fewest) | (total - met[:, week] < fewest))
        np.logical_and.at(enough, family, ~lacks)
        now = together[:, week]
        enough &= ~has_others | ((now - before_of_others >= fewest) & (end_of_others - now >= fewest))
        shown[:, week] = enough & (week < ends)
        before = np.where(shown[family, week], met[:, week], before)
        before_of_others = np.where(shown[:, week], now, before_of_others)
    return (shown[family] & own[:, None]) | at_last


def _smallest(sizes: np.ndarray, family: np.ndarray, families: int) -> np.ndarray:
    """The first of the smallest finite sizes of each family."""
    least = np.full(families, np.inf)
    np.minimum.at(least, family, sizes)
    candidates = np.flatnonzero(np.isfinite(sizes) & (sizes == least[family]))
    first = np.zeros(len(sizes), bool)
    first[candidates[np.unique(family[candidates], return_index=True)[1]]] = True
    return first
