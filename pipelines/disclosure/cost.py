"""What protection costs: how much is hidden, by which rule, and whether the group can be seen nearby instead.

Counted on the published cells, so that it tells nothing that they do not.
"""

from __future__ import annotations

import pandas as pd

from pipelines.definitions import UNKNOWN, Characteristic, Definitions
from pipelines.disclosure import patterns, rules, tables
from pipelines.measures import sets
from pipelines.pooled import POOLED

GRAIN = ["kind", "level", "characteristic"]
FEW = 3  # cells of a rule: with fewer, the counts would say of hidden cells which rule it was


def joined(characteristic: Characteristic) -> dict[str, str]:
    """Of a characteristic that joins groups of a finer one: finer group → group, Unknown too; else nothing."""
    join = characteristic.join
    return {finer: group for group, groups in join.items() for finer in groups} | ({UNKNOWN: UNKNOWN} if join else {})


def protection(cells: pd.DataFrame, schools: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """How many cells are shown and hidden: one row per kind of unit, level and characteristic, all metrics and periods.

    cells: the published table `cell`, with `why`; those without a figure do not count. schools: school_code,
    faculty_code. Columns: `GRAIN`, cells, shown, small, linked (missing where they would tell a cell's rule), nearer
    (hidden cells of schools and faculties whose group is shown in a nearer view than the university; it has none nearer
    than itself).
    """
    own = cells[cells["status"] != rules.NONE]
    parent = dict(zip(sets.SCHOOL + schools["school_code"], "faculty:" + schools["faculty_code"], strict=True))
    hidden = own[own["status"] == rules.SUPPRESSED]
    shown = own[own["status"] == rules.SHOWN]
    counted = own[GRAIN[1:]].assign(
        kind=own["unit"].map({unit: unit.split(":")[0] for unit in own["unit"].unique()}),
        cells=1,
        shown=own["status"] == rules.SHOWN,
        small=own["why"] == patterns.SMALL,
        linked=own["why"] == patterns.LINKED,
        nearer=_seen_nearer(hidden, shown, parent, definitions).reindex(own.index, fill_value=False),
    )
    found = counted.groupby(GRAIN, as_index=False)[["cells", "shown", "small", "linked", "nearer"]].sum()
    tells = found["kind"] == sets.UNIVERSITY  # a single unit
    tells |= (found[["small", "linked"]].min(axis=1) < FEW) & (found["shown"] < found["cells"])
    return found.assign(**{why: found[why].astype("Int64").mask(tells) for why in ("small", "linked")})


def _seen_nearer(
    hidden: pd.DataFrame, shown: pd.DataFrame, parent: dict[str, str], definitions: Definitions
) -> pd.Series:
    """Of each hidden cell, whether its group is shown in its unit, or its faculty, or in years together; of the
    university's, never.
    """
    faculty = hidden["unit"].map(parent).fillna("")
    every = {"level": tables.EVERY_LEVEL}
    views = [hidden.assign(**every), hidden.assign(unit=faculty), hidden.assign(unit=faculty, **every)]
    together = shown.loc[shown["part"] == POOLED, "academic_year"].unique()
    views += [hidden.assign(**every, academic_year=name, part=POOLED) for name in together]
    for c in definitions.characteristics.values():
        if groups := joined(c):
            of = hidden["characteristic"] == c.of
            views.append(hidden.assign(characteristic=c.name, group=hidden["group"].map(groups).where(of, "")))
    seen = pd.Series(False, index=hidden.index)
    for view in views:
        seen |= sets.find(view, shown, patterns.KEY) >= 0
    return seen & (hidden["unit"] != sets.UNIVERSITY)


def in_words(protection: pd.DataFrame) -> str:
    """The cost in one line, for whoever runs the pipeline."""
    counts = ["cells", "shown", "small", "linked", "nearer"]
    below = protection[protection["kind"] != sets.UNIVERSITY][counts]
    told, every = below.dropna().sum(), below.sum()  # where it is told which rule it was; everywhere
    said = f"Hidden, of the figures of schools and faculties: {_share(told['small'], told['cells'])} too few to show, "
    said += f"{_share(told['linked'], told['cells'])} so that another figure cannot be worked out. "
    nearby = f"{_share(every['nearer'], every['cells'] - every['shown'])} can be seen nearer than at the university."
    return f"{said}Of the hidden, {nearby}"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "none"
