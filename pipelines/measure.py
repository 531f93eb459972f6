"""Measure: how large, how certain and how consistent each figure is. Files and databases stay outside.

What may be shown is known before anything is measured, from counts alone: a figure rests on shown cells. A figure about
the schools of a unit is kept only where the unit's own is shown and three schools or more are in it; the schools that
are hidden there count as one, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.definitions import UNKNOWN, Definitions
from pipelines.disclosure import rules
from pipelines.disclosure.tables import EVERYONE
from pipelines.measures import consistency, decomposition, funnel, gaps, inequality, over_time, pooling, sets
from pipelines.measures import like_for_like as alike
from pipelines.measures.intervals import with_limits, with_values
from pipelines.pooled import WHOLE_YEAR
from pipelines.settings import Settings
from pipelines.years import academic_year

FEWEST_SCHOOLS = 3
MOST_TOGETHER = 0.2  # of a group, or of its reference, in schools that count as one
KEY = gaps.KEY
SERIES = ["level", "unit", "metric", "characteristic", "group"]

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Terms:
    """What the measures need to know of the definitions, as lookups. Sizes are in each metric's natural unit."""

    kinds: pd.Series
    bounded: frozenset[str]
    better: pd.Series
    material: pd.Series
    too_wide: pd.Series
    references: pd.Series
    groups: pd.DataFrame
    schools: pd.DataFrame


def terms(definitions: Definitions, schools: pd.DataFrame, settings: Settings) -> Terms:
    """The terms of a university. schools: school_code, faculty_code."""
    metrics, characteristics = definitions.metrics.values(), definitions.characteristics.values()
    material = pd.Series({m.name: m.material / m.scale for m in metrics})
    groups = [
        (c.name, group, place, c.ordered, group == c.reference)
        for c in characteristics
        for place, group in enumerate(c.groups)
    ]
    return Terms(
        kinds=pd.Series({m.name: m.kind for m in metrics}, dtype=object),
        bounded=frozenset(m.name for m in metrics if m.part_of_whole),
        better=pd.Series({m.name: m.better for m in metrics}, dtype=object),
        material=material,
        # an interval that reaches further than several material gaps says too little either way
        too_wide=material * settings.too_wide,
        references=pd.Series({c.name: c.reference for c in characteristics}, dtype=object),
        groups=pd.DataFrame(groups, columns=["characteristic", "group", "ordering", "ordered", "is_reference"]),
        schools=schools,
    )


def measure(
    cells: pd.DataFrame,
    hidden: pd.Series,
    with_terms: Terms,
    listed: pd.Series | None = None,
    absent: pd.DataFrame | None = None,
) -> Tables:
    """Every measure of `cells`, by the name of the table it is published as; exact, and not yet safe to publish.

    hidden: which cells may not be shown. listed: which are published at all, all by default; the others, hidden too,
    count only in what sums over schools. absent: cells in which nobody counts, which is not to be told. Figures are in
    natural units. Each table has its columns as in docs/data-contract.md, and `status`; `cell` and `gap` still hold
    figures that are hidden.
    """
    listed = pd.Series(True, index=cells.index) if listed is None else listed
    rows = cells[[*KEY, *gaps.SUMS]].assign(hidden=hidden.to_numpy(bool), listed=listed.to_numpy(bool))
    rows, has_figure = sets.coded(rows, KEY), (cells["sy"] > 0).to_numpy(bool)
    every = with_values(rows.take(np.flatnonzero(has_figure)), with_terms.kinds)
    nothing = rows.take(np.flatnonzero(~has_figure & listed.to_numpy(bool)))  # of ratios: 0 to divide by
    of_everyone = (every["characteristic"] == EVERYONE).to_numpy(bool)
    of_groups = ~of_everyone & (every["group"] != UNKNOWN).to_numpy(bool)
    is_listed, all_levels = every["listed"].to_numpy(bool), (every["level"] == sets.EVERY_LEVEL).to_numpy(bool)

    cell = with_limits(every.take(np.flatnonzero(is_listed)), with_terms.kinds, with_terms.bounded)
    compared = cell.take(np.flatnonzero(of_groups[is_listed]))
    shown, shown_everyone = _shown(compared), _shown(cell.take(np.flatnonzero(of_everyone[is_listed])))
    in_schools = of_groups & sets.is_school(every["unit"])
    schools, strata = (every.take(np.flatnonzero(in_schools & at)) for at in (all_levels, ~all_levels))

    gap = _against_reference(compared, with_terms)
    seen = gap.take(np.flatnonzero(gap["status"] == rules.SHOWN))
    pooled = _pooled(_shown(schools), seen, with_terms)
    told = pooled["pooled_gap"]
    return {
        "cell": sets.stacked([_cells(cell), _cells(nothing.assign(value=np.nan, lower=np.nan, upper=np.nan))]),
        "gap": sets.stacked(
            [
                _beside_like_for_like(gap, _like_for_like(strata, told, with_terms), with_terms),
                _against_everyone_else(shown, with_terms),
            ]
        ),
        **_decomposition(schools, absent, seen, told, with_terms),
        **pooled,
        "consistency": _consistency(shown_everyone, with_terms),
        "funnel": _funnel(shown_everyone, with_terms),
        "inequality": _inequality(shown, with_terms),
        "trend": _trend(pd.concat([shown_everyone, shown]), seen, with_terms),
    }


def _cells(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with their status: those that are not hidden need limits to be shown."""
    limits = np.isfinite(cells["upper"] - cells["lower"])
    return cells.assign(
        status=sets.said([cells["hidden"], ~limits], [rules.SUPPRESSED, rules.NONE], default=rules.SHOWN)
    )


def _shown(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.take(np.flatnonzero(~cells["hidden"].to_numpy(bool)))


def _there(frame: pd.DataFrame, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows of `frame` whose keys are in `table`."""
    return frame.take(np.flatnonzero(sets.find(frame, table, keys) >= 0))


def _whole(frame: pd.DataFrame, figures: list[str]) -> pd.DataFrame:
    """The rows of `frame` that have all these figures, and so something to say; all of them are shown."""
    return frame.take(np.flatnonzero(np.isfinite(frame[figures].to_numpy(float)).all(axis=1))).assign(
        status=rules.SHOWN
    )


def _against_reference(compared: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """Gaps to the reference group, judged among those whose two cells are shown."""
    one, two = sets.pairs(compared, with_terms.references, gaps.PLACE)
    hidden = compared["hidden"].to_numpy(bool)
    hidden = hidden[one] | hidden[two]
    found = gaps.between(compared.take(one[~hidden]), compared.take(two[~hidden]), with_terms.kinds)
    unseen = compared[KEY].take(one[hidden]).assign(
        reference=compared["group"].take(two[hidden]).array,
        **{c: sets.always(word, int(hidden.sum())) for c, word in
           {"evidence": gaps.TOO_FEW, "direction": "none", "status": rules.SUPPRESSED}.items()},
    )  # fmt: skip
    every = sets.stacked([_judged(found, with_terms), unseen])
    return every.assign(against=sets.always("reference", len(every)))


def _against_everyone_else(shown: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """Gaps to the other shown groups together. Of two groups, the other is the reference: nothing to add."""
    size = with_terms.groups["characteristic"].value_counts()
    several = np.flatnonzero(shown["characteristic"].isin(size.index[size > 2]))
    found = gaps.against_everyone_else(shown.take(several), with_terms.kinds, with_terms.bounded)
    constant = {"against": gaps.ELSE, "like_for_like_says": ""}
    return _judged(found, with_terms).assign(**{c: sets.always(word, len(found)) for c, word in constant.items()})


def _judged(found: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """Gaps with their evidence in words. Without an interval there is no figure either."""
    found["p_adjusted"] = gaps.adjusted(found["p"], [found[c] for c in gaps.FAMILY])
    found["evidence"] = gaps.evidence(found, with_terms.material, with_terms.too_wide)
    found["direction"] = gaps.direction(found, with_terms.better)
    known = np.isfinite(found[["value", "lower", "upper", "p"]].to_numpy(float)).all(axis=1)
    return found.assign(status=sets.said([known], [rules.SHOWN], default=rules.NONE))


def _like_for_like(strata: pd.DataFrame, told: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """Of the university and faculties where three schools have both groups.

    strata: groups of schools at one level. told: places at all levels with as many schools.
    """
    kinds, references, schools = with_terms.kinds, with_terms.references, with_terms.schools
    whole = alike.like_for_like(strata, kinds, references, schools)
    one_level = (whole["level"] != sets.EVERY_LEVEL).to_numpy(bool)
    enough = (whole["strata"] >= FEWEST_SCHOOLS).to_numpy(bool) & (one_level | (sets.find(whole, told, KEY) >= 0))
    return whole.take(np.flatnonzero(enough & ~sets.is_school(whole["unit"])))


def _beside_like_for_like(gap: pd.DataFrame, like: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """The gaps with what they are like for like, and what that says; empty words where there is none."""
    like = like.dropna(subset=["value", "lower", "upper"])
    row = sets.find(gap, like, KEY)
    made = (row >= 0) & (gap["status"] == rules.SHOWN).to_numpy(bool)
    row = row[made]
    figures = {"like_for_like": "value", "like_for_like_lower": "lower", "like_for_like_upper": "upper"}
    said = alike.beside_raw(gap[made], like.take(row), with_terms.material).array
    says = np.full(len(gap), len(said.categories))
    says[made] = said.codes
    beside = {name: np.full(len(gap), np.nan) for name in figures}
    for name, column in figures.items():
        beside[name][made] = like[column].to_numpy(float)[row]
    words = pd.Categorical.from_codes(says, categories=[*said.categories, ""])
    return gap.assign(**beside, like_for_like_says=words)


def _pooled(in_schools: pd.DataFrame, seen: pd.DataFrame, with_terms: Terms) -> Tables:
    found = pooling.pooled(in_schools, with_terms.kinds, with_terms.references, with_terms.schools, with_terms.bounded)
    enough = found.whole.take(np.flatnonzero(found.whole["schools"] >= FEWEST_SCHOOLS))
    whole = _there(enough, seen, KEY)
    whole["p_adjusted"] = gaps.adjusted(whole["p"], [whole[c] for c in gaps.FAMILY])
    whole = whole.assign(i2=100 * whole["i2"], says=pooling.verdict(whole))
    whole = _whole(whole, ["value", "lower", "upper", "tau", "i2"])
    parts = _of_schools(found.schools, seen, whole)
    return {"pooled_gap": whole, "pooled_gap_school": _whole(parts, ["value", "lower", "upper"])}


def _decomposition(
    in_schools: pd.DataFrame, absent: pd.DataFrame | None, seen: pd.DataFrame, told: pd.DataFrame, with_terms: Terms
) -> Tables:
    """Where few are in schools that count as one: what differs between these would seem to arise within schools."""
    if absent is not None:
        absent = absent[(absent["group"] != UNKNOWN) & (absent["characteristic"] != EVERYONE)]
    found = decomposition.decompose(in_schools, with_terms.references, with_terms.schools, absent)
    apart = found.whole.take(np.flatnonzero(found.whole["together"] <= MOST_TOGETHER))
    whole = _there(apart, told, KEY)
    raw = seen.take(sets.find(whole, seen, KEY))  # `told` is of shown gaps
    whole = whole.assign(lower=raw["lower"].array, upper=raw["upper"].array)
    whole = whole.assign(says=decomposition.verdict(whole, with_terms.material)).rename(
        columns={f"{part}_{end}": f"{part}_schools_{end}" for part in ("within", "which") for end in ("lower", "upper")}
    )
    parts = [f"{part}_schools" for part in ("within", "which")]
    whole = _whole(whole, ["value", *(f"{part}{end}" for part in parts for end in ("", "_lower", "_upper"))])
    schools = _of_schools(found.schools, seen, whole)
    return {"decomposition": whole, "decomposition_school": _whole(schools, parts)}


def _of_schools(parts: pd.DataFrame, seen: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Of the schools' parts in `whole`, those of schools whose own gap is shown."""
    parts = _there(parts, whole, KEY)
    own = parts.drop(columns="unit").rename(columns={"school": "unit"})
    return parts.take(np.flatnonzero(sets.find(own, seen, KEY) >= 0))


def _consistency(seen: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """How far the schools differ whose value is shown: a hidden one could be worked out from how far all do."""
    found = consistency.between_schools(seen, with_terms.kinds, with_terms.schools)
    found = _there(found, seen, ["academic_year", "part", "level", "unit", "metric"])
    found = found.assign(between="schools", says=consistency.verdict(found))
    return _whole(found, ["value", "odds_ratio", "odds_ratio_lower", "odds_ratio_upper", "low", "high", "p"])


def _funnel(seen: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """Limits for the schools whose value is shown, from these alone; the university's, the target, is shown too."""
    in_schools = seen.take(np.flatnonzero(sets.is_school(seen["unit"])))
    target = seen.take(np.flatnonzero(seen["unit"] == sets.UNIVERSITY))
    found = funnel.funnel(in_schools, with_terms.kinds, with_terms.bounded, whole=target)
    found = found.assign(position=funnel.side(found["position"]), says=funnel.words(found, with_terms.better))
    found = found.rename(columns={"phi": "overdispersion"})
    found = _there(found, target, ["academic_year", "part", "level", "metric"])
    return _whole(found, ["value", "target", "lower", "upper", "lower_outer", "upper_outer", "overdispersion"])


def _inequality(shown: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    found = inequality.inequality(shown, with_terms.kinds, with_terms.groups, with_terms.better)
    return found.assign(says=inequality.verdict(found, with_terms.too_wide), status=rules.SHOWN)


def _trend(values: pd.DataFrame, seen: pd.DataFrame, with_terms: Terms) -> pd.DataFrame:
    """How shown values, and shown gaps to the reference group, change over whole years."""
    made = []
    for of, figures in {"value": values, "gap": seen}.items():
        whole_years = figures.take(np.flatnonzero(figures["part"] == WHOLE_YEAR))
        whole_years = whole_years.assign(kind=sets.is_school(whole_years["unit"]))
        found = over_time.trend(whole_years, [*SERIES, "kind"], ["metric", "characteristic", "kind"])
        found["p_adjusted"] = gaps.adjusted(found["p"], [found[c] for c in ("metric", "characteristic")])
        found["says"] = over_time.verdict(found, with_terms.material, with_terms.too_wide, of_gaps=of == "gap")
        made.append(found.assign(of=sets.always(of, len(found))))
    trends = sets.stacked(made)
    names = {year: academic_year(year) for c in ("first_year", "last_year") for year in trends[c].unique()}
    years = {c: trends[c].map(names).astype("category") for c in ("first_year", "last_year")}
    return _whole(trends.assign(**years), ["change", "lower", "upper"])
