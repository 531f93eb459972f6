"""Protect: decide from counts alone what may be shown; later, round what is shown. Nothing exact leaves `rounded`.

Everything a release shows rests on this decision: a cell is shown or hidden, and figures derived from cells follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipelines import pooled
from pipelines.definitions import UNKNOWN, Definitions
from pipelines.disclosure import patterns, rules, tables
from pipelines.disclosure.ledger import COUNTS, PERIOD, Ledger, in_periods
from pipelines.disclosure.ledger import terms as ledger_terms
from pipelines.measures import gaps, over_time, sets
from pipelines.model import Modelled
from pipelines.settings import Settings
from pipelines.workers import ALONE, Workers

CELL_KEY = patterns.KEY
MET = "any_meeting"  # whether a student has met their tutor: curves and modes belong to it, other metrics tell of it


class Figure(NamedTuple):
    """How a column of figures is rounded."""

    rounded: Callable[..., np.ndarray] = rules.half_up
    of_metric: bool = True  # in the metric's unit and precision; else as it stands
    decimals: int = 0  # more than the metric's; else all
    beyond_0: bool = False  # a limit that, where a difference is clear, has the decimals that show it is not 0


VALUE, FINE = Figure(), Figure(decimals=1)
LOWER, UPPER = Figure(rules.down), Figure(rules.up)
INTERVAL = {"value": VALUE, "lower": LOWER, "upper": UPPER}
DIFFERENCE = {"lower": Figure(rules.down, beyond_0=True), "upper": Figure(rules.up, beyond_0=True)}
WHOLE, ONE, TWO, THREE = (Figure(of_metric=False, decimals=d) for d in range(4))
TWO_DOWN, TWO_UP = (Figure(side, of_metric=False, decimals=2) for side in (rules.down, rules.up))

MOST_DECIMALS = 3  # more than the metric's

# the columns of each table as published: None is kept as it is, 'base' is a count
COUNT = Figure(decimals=-1)
Columns = Mapping[str, Figure | None]
KEYS: Columns = dict.fromkeys(CELL_KEY)
TABLES: dict[str, Columns] = {
    "cell": {**KEYS, "base": COUNT, **INTERVAL, "status": None},
    "gap": {
        **KEYS, "against": None, "reference": None, "base": COUNT, "reference_base": COUNT, **INTERVAL, **DIFFERENCE,
        "p_adjusted": THREE, "evidence": None, "direction": None, "ratio": TWO, "like_for_like": VALUE,
        "like_for_like_lower": LOWER, "like_for_like_upper": UPPER, "like_for_like_says": None, "status": None,
    },
    "decomposition": {
        **KEYS, "value": FINE,
        "within_schools": FINE, "within_schools_lower": LOWER, "within_schools_upper": UPPER,
        "which_schools": FINE, "which_schools_lower": LOWER, "which_schools_upper": UPPER,
        "says": None, "status": None,
    },
    "decomposition_school": {**KEYS, "school": None, "within_schools": FINE, "which_schools": FINE, "status": None},
    "pooled_gap": {
        **KEYS, "schools": None, **INTERVAL, "tau": FINE, "i2": WHOLE, "likely_lower": LOWER, "likely_upper": UPPER,
        "says": None, "status": None,
    },
    "pooled_gap_school": {**KEYS, "school": None, **INTERVAL, "status": None},
    "consistency": {
        **dict.fromkeys(["academic_year", "part", "level", "unit", "metric", "between", "members"]), "value": VALUE,
        "odds_ratio": TWO, "odds_ratio_lower": TWO_DOWN, "odds_ratio_upper": TWO_UP, "low": VALUE, "high": VALUE,
        "p": THREE, "says": None, "status": None,
    },
    "funnel": {
        **dict.fromkeys(["academic_year", "part", "level", "metric", "unit"]), "value": VALUE, "target": VALUE,
        # as values are: rounded outwards they would lie beyond a value that lies beyond them
        **dict.fromkeys(["lower", "upper", "lower_outer", "upper_outer"], VALUE), "overdispersion": TWO,
        "position": None, "says": None, "status": None,
    },
    "inequality": {
        **dict.fromkeys([*CELL_KEY[:-1], "groups"]), "range": VALUE, "between_group_sd": FINE, "theil": ONE,
        "index_of_disparity": ONE, "slope": VALUE, "slope_lower": LOWER, "slope_upper": UPPER,
        "relative": TWO, "relative_lower": TWO_DOWN, "relative_upper": TWO_UP, "p": THREE,
        "says": None, "status": None,
    },
    "trend": {
        **dict.fromkeys(["level", "unit", "metric", "characteristic", "group", "of"]),
        **dict.fromkeys(["first_year", "last_year", "years"]),
        "change": VALUE, **DIFFERENCE, "says": None, "status": None,
    },
}  # fmt: skip
RENAMED = {
    "cell": {"n": "base"},
    "gap": {"n": "base", "reference_n": "reference_base"},
    "inequality": {"between_sd": "between_group_sd", "disparity": "index_of_disparity"},
}


@dataclass(frozen=True)
class Decision:
    """Which cells are shown. why: for each cell 'shown', 'small', 'linked' or 'unlisted' (not published at all).

    cells: as `model` makes them, or as they were published.
    """

    cells: pd.DataFrame
    why: pd.Series
    grains: Mapping[str, str]
    kept: frozenset[tuple[str, str]] = frozenset()  # academic years and parts that stay as published
    differing: Counter[tuple[str, str]] = field(default_factory=Counter)  # their cells that now count otherwise
    terms: str = ""

    @cached_property
    def coded(self) -> pd.DataFrame:
        """The cells, their key as categories: found many times faster. Never change it."""
        return sets.coded(self.cells, CELL_KEY)

    @cached_property
    def hidden(self) -> pd.Series:
        """The cells that no figure may show. Never change it."""
        return self.why != patterns.SHOWN

    @cached_property
    def listed(self) -> pd.Series:
        """The cells of the closed list. Never change it."""
        return self.why != patterns.UNLISTED

    def shows(self, places: pd.DataFrame, *, metric: str = "", grain: str = "") -> np.ndarray:
        """For each row of `places` (columns of the cells' key) whether a metric, or any of a grain, is shown there."""
        keys = [c for c in places if c in CELL_KEY]
        wanted = {metric} if metric else {m for m, g in self.grains.items() if g == grain}
        rows = self.coded.take(np.flatnonzero(self.coded["metric"].isin(wanted) & ~self.hidden))
        rows = rows[(rows[[k for k in ("characteristic", "group") if k not in keys]] == tables.EVERYONE).all(axis=1)]
        rows = rows[(rows[[k for k in ("level",) if k not in keys]] == tables.EVERY_LEVEL).all(axis=1)]
        return sets.find(places, rows[keys].drop_duplicates(), keys) >= 0

    def hides(self, places: pd.DataFrame, *, metric: str) -> np.ndarray:
        """For each row of `places` (the cells' key but the metric; all levels where it has none) whether a cell of the
        metric is listed there that is hidden.
        """
        keys = [c for c in places if c in CELL_KEY]
        rows = self.coded[self.hidden & self.listed & (self.coded["metric"] == metric)]
        rows = rows if "level" in keys else rows[rows["level"] == tables.EVERY_LEVEL]
        return sets.find(places, rows[keys].drop_duplicates(), keys) >= 0

    def absent(self, definitions: Definitions) -> pd.DataFrame:
        """The cells that are not there as nobody counts, where how many do is hidden: that a group had no row would say
        that nobody of it has met their tutor, or answered. Their key, and `why`. In periods that have the metric.
        """
        metrics = definitions.metrics.values()
        resting = {
            MET: [m.name for m in metrics if m.tells_met in ("base", "beyond")],
            **{m.name: [v.name for v in metrics if v.grain == "response"] for m in metrics if m.counts_respondents},
        }
        cells = self.cells[CELL_KEY].assign(why=self.why)[self.listed.to_numpy(bool)]
        made = [cells[:0]]
        for base, names in resting.items():
            hidden = cells[(cells["metric"] == base) & (cells["why"] != patterns.SHOWN)]
            for name in names:
                own = cells.loc[cells["metric"] == name, [*PERIOD, "metric"]].drop_duplicates()
                rows = hidden.assign(metric=name)
                there = sets.find(rows, self.coded, CELL_KEY) >= 0
                made.append(rows[(sets.find(rows, own, [*PERIOD, "metric"]) >= 0) & ~there])
        return pd.concat(made, ignore_index=True)

    def explained(self, safe: Protected) -> Protected:
        """The safe tables with the reason of each cell that is not shown: column `why` of `cell`, else ''."""
        cell = safe.tables["cell"]
        why = self.why.to_numpy(object)[sets.find(cell, self.coded, CELL_KEY)]
        why[(cell["status"] != rules.SUPPRESSED).to_numpy(bool)] = ""
        return Protected({**safe.tables, "cell": cell.assign(why=pd.array(why, dtype="str"))})


@dataclass(frozen=True)
class Protected:
    """The tables of figures as they may be published, by name (columns as in docs/data-contract.md)."""

    tables: dict[str, pd.DataFrame]

    def with_tables(self, others: Mapping[str, pd.DataFrame]) -> Protected:
        """These tables and others as safe; rows of a table that is in both stand together."""
        both = {name: pd.concat([self.tables[name], table]) for name, table in others.items() if name in self.tables}
        return Protected({**self.tables, **others, **both})

    def listing_absent(self, absent: pd.DataFrame, definitions: Definitions) -> Protected:
        """With a hidden row for each of the cells, and a hidden gap for each that it would have. absent: from `absent`,
        with `why`, where `cell` says that.
        """
        cell, gap = self.tables["cell"], self.tables["gap"]
        added = absent.assign(status=rules.SUPPRESSED)[[c for c in cell if c in {*absent, "status"}]]
        cell = pd.concat([cell, added.reindex(columns=cell.columns)], ignore_index=True).astype(cell.dtypes.to_dict())
        reference = {c.name: c.reference for c in definitions.characteristics.values()}
        others = {c.name: [g for g in c.groups if g != c.reference] for c in definitions.characteristics.values()}
        gaps_of = added[added["characteristic"].isin(reference)].assign(
            reference=lambda rows: rows["characteristic"].map(reference)
        )
        gaps_of["group"] = [
            others[name] if group == of else [group]
            for name, group, of in gaps_of[["characteristic", "group", "reference"]].itertuples(index=False)
        ]
        made = gaps_of.explode("group")
        made = made[(made["group"] != UNKNOWN) & (sets.find(made, cell, CELL_KEY) >= 0)]
        made = made[sets.find(made, gap, CELL_KEY) < 0].drop_duplicates(CELL_KEY)
        constant = {"against": "reference", "evidence": gaps.TOO_FEW, "direction": "none", "like_for_like_says": ""}
        made = made.assign(**constant).reindex(columns=gap.columns)
        gap = pd.concat([gap, made], ignore_index=True).astype(gap.dtypes.to_dict())
        return Protected({**self.tables, "cell": cell, "gap": gap})

    def unexplained(self) -> Protected:
        """Without the reasons of cells: that a cell is hidden for another tells that it is not small itself."""
        return Protected({**self.tables, "cell": self.tables["cell"].drop(columns="why")})

    @property
    def cells(self) -> int:
        """How many cells there are, hidden ones too."""
        return len(self.tables["cell"])

    @property
    def hidden(self) -> int:
        """How many of them are hidden."""
        return int((self.tables["cell"]["status"] == rules.SUPPRESSED).sum())


def small_cells(cells: pd.DataFrame, definitions: Definitions, settings: Settings) -> pd.Series:
    """Which cells may not be shown, for what they are."""
    metrics = definitions.metrics.values()
    limits = settings.rules.model_dump(include=set(rules.PRIMARY))
    small = rules.primary(
        cells,
        percentage=frozenset(m.name for m in metrics if m.is_percentage),
        private=frozenset(m.name for m in metrics if m.private),
        voice=frozenset(m.name for m in metrics if m.grain == "response"),
        counts_respondents=frozenset(m.name for m in metrics if m.counts_respondents),
        **limits,
    )
    return small | _telling_who_met(cells, small, definitions, settings.rules.narrowest_margin)


def _telling_who_met(cells: pd.DataFrame, small: pd.Series, definitions: Definitions, narrowest: int) -> np.ndarray:
    """Which cells that may be shown leave too few ways for how many met their tutor where that may not be."""
    told = sets.lookup(cells["metric"], pd.Series({m.name: m.tells_met for m in definitions.metrics.values()}))
    open_ones, own = ~small.to_numpy(bool), [c for c in CELL_KEY if c != "metric"]
    hidden = cells[(cells["metric"] == MET).to_numpy(bool) & ~open_ones]
    at = sets.find(cells, hidden, own)
    n = cells["n"].to_numpy(float)
    everybody = np.append(hidden["n"].to_numpy(float), np.nan)[at]
    fewest = np.where(told == "have", cells["have_some"].to_numpy(float), n)  # who have met, as this cell tells
    below = (at >= 0) & open_ones & told.isin(["have", "base"]).to_numpy(bool)
    too_near = below & (everybody - fewest < narrowest)
    least = np.zeros(len(hidden) + 1)
    np.maximum.at(least, at[below & ~too_near], fewest[below & ~too_near])
    beyond = (at >= 0) & open_ones & (told == "beyond").to_numpy(bool) & (n < everybody)
    return too_near | (beyond & (n - least[at] < narrowest))


def protect(
    modelled: Modelled,
    definitions: Definitions,
    settings: Settings,
    published: Ledger | None = None,
    *,
    source: str = "",
    revised: Collection[str] = (),
    corrected: bool = False,
    workers: Workers = ALONE,
) -> Decision:
    """Decide which cells are shown.

    published: what earlier releases of the same source showed. Periods in it stay as they were, counts included, but
    for the academic years `revised` and, where `corrected`, those of which anything is counted otherwise now. Of those,
    what was hidden stays hidden, and what was shown is shown again wherever that is safe.
    """
    terms = terms_of(definitions, settings, source)
    kept = published.kept(modelled.periods, terms, revised) if published else set()
    single = {period for period in kept if period[1] != pooled.POOLED}
    again = single - modelled.settled
    differing = _differing(published.of(again), modelled, again) if published and again else Counter()
    if corrected:
        single, differing = single - set(differing), Counter()
    for name, years in pooled.of(modelled.periods):
        if not {(year, pooled.WHOLE_YEAR) for year in years} <= single:
            kept.discard((name, pooled.POOLED))
    kept = single | {period for period in kept if period[1] == pooled.POOLED}
    about, widths = _about(definitions, settings)
    cells = modelled.cells[~in_periods(modelled.cells, kept)].reset_index(drop=True)
    listed = ~unlisted(cells, modelled.periods["academic_year"].max())
    new_periods = modelled.periods[~in_periods(modelled.periods, kept)]
    cells["before"] = _before(cells, new_periods, published)
    small = small_cells(cells, definitions, settings)
    why = pd.Series(patterns.UNLISTED, index=cells.index, dtype=object)
    why[listed] = patterns.patterns(cells[listed], small[listed], modelled.schools, about, widths, workers)
    if published and kept:
        before = published.of(kept)
        cells, why = _together((before.drop(columns="why"), before["why"]), (cells, why))
    why = _alike_in_both_parts(cells, why, in_periods(cells, kept))
    for name, years in pooled.of(modelled.periods):
        if (name, pooled.POOLED) not in kept:
            own = pooled.years_of(cells, years)
            new = pooled.summed(own, definitions, name)
            new["before"] = _before(new, new_periods, published)
            own = own.assign(hidden=why[own.index] != patterns.SHOWN)[own["metric"].isin(new["metric"].unique())]
            small = small_cells(new, definitions, settings)
            decided = patterns.of_pooled(new, small, own, modelled.schools, about, widths, workers)
            cells, why = _together((cells, why), (new, decided))
    cells = cells.drop(columns="before")
    return Decision(cells, why, about.grain, frozenset(kept), differing, terms)


def _alike_in_both_parts(cells: pd.DataFrame, why: pd.Series, kept: np.ndarray) -> pd.Series:
    """The reasons, with cells hidden that count the very same in the other part of their year, where that is hidden:
    whoever had met by a week that both have passed is the same in both. kept: cells that stay as published.
    """
    listed = (why != patterns.UNLISTED).to_numpy(bool)
    counts = ["n", "sx", "have_some", "lack_some"]
    hidden = cells[listed & (why != patterns.SHOWN).to_numpy(bool)]
    other = hidden.assign(part=hidden["part"].astype(object).map({"year": "to_date", "to_date": "year"}))
    at = sets.find(cells, other, CELL_KEY)
    alike = np.append((other[counts].to_numpy(float)), np.full((1, len(counts)), np.nan), axis=0)[at]
    equal = (at >= 0) & (cells[counts].to_numpy(float) == alike).all(axis=1)
    return why.mask(listed & ~kept & equal & (why == patterns.SHOWN).to_numpy(bool), patterns.LINKED)


def _before(cells: pd.DataFrame, periods: pd.DataFrame, published: Ledger | None) -> np.ndarray:
    """What earlier releases did with each cell: shown, hidden, or nothing."""
    before = np.full(len(cells), "", object)
    if published:
        for done, of in ((patterns.HIDDEN, published.hidden(periods)), (patterns.SHOWN, published.shown(periods))):
            before[sets.find(cells, of[CELL_KEY].drop_duplicates(), CELL_KEY) >= 0] = done
    return before


def _together(*parts: tuple[pd.DataFrame, pd.Series]) -> tuple[pd.DataFrame, pd.Series]:
    cells, why = (pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True))
    return cells, why


def _differing(before: pd.DataFrame, modelled: Modelled, periods: set[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """How many cells of each of the periods are only in one of two, or have other counts. Groups that were published of
    a period which has none any more differ from nothing.
    """
    has_groups = modelled.periods[modelled.periods["has_groups"].astype(bool)]
    before = before[(before["characteristic"] == tables.EVERYONE) | (sets.find(before, has_groups, PERIOD) >= 0)]
    now = modelled.cells[in_periods(modelled.cells, periods)]
    at = sets.find(now, before, CELL_KEY)
    there, same = at >= 0, np.zeros(len(before), bool)
    counts = [before[COUNTS].to_numpy(float)[at[there]], now.loc[there, COUNTS].to_numpy(float)]
    same[at[there]] = np.isclose(*counts).all(axis=1)
    differ = pd.concat([before.loc[~same, CELL_KEY[:2]], now.loc[~there, CELL_KEY[:2]]])
    return Counter(differ.itertuples(index=False, name=None))


def terms_of(definitions: Definitions, settings: Settings, source: str) -> str:
    """A hash of whose data it is and of what decides which cells there are and which are shown."""
    return ledger_terms(
        source, settings.rules.model_dump_json(), repr(definitions.metrics), repr(definitions.characteristics)
    )


def _about(definitions: Definitions, settings: Settings) -> tuple[patterns.Metrics, patterns.Widths]:
    metrics, limits = definitions.metrics.values(), settings.rules
    about = patterns.Metrics(
        grain={m.name: m.grain for m in metrics},
        counts_people={m.name: m.kind != "ratio" for m in metrics},
        private=frozenset(m.name for m in metrics if m.private),
        one_pattern=frozenset(m.name for m in metrics if m.grain == "response" and m.kind == "proportion"),
        counts_answers=frozenset(m.name for m in metrics if m.counts_respondents),
        broader={
            c.name: tables.Broader(c.of, {finer: group for group, joined in c.join.items() for finer in joined})
            for c in definitions.characteristics.values()
            if c.of
        },
    )
    return about, patterns.Widths(limits.smallest_percentage_base, limits.narrowest_base, limits.narrowest_margin)


def unlisted(cells: pd.DataFrame, latest: str | None = None) -> pd.Series:
    """Cells that are not published: groups by level but of the university, as few students would be in most of them,
    and what they hide would hide the groups at all levels too; and groups in schools in years to date before the
    latest year (that of the cells, where these are of all years).
    """
    of_group = cells["characteristic"] != tables.EVERYONE
    of_level = (cells["level"] != tables.EVERY_LEVEL) & (cells["unit"] != sets.UNIVERSITY)
    year = cells["academic_year"].astype(str)
    earlier = (
        (cells["part"] == "to_date") & (year != (latest or year.max())) & cells["unit"].str.startswith(sets.SCHOOL)
    )
    return of_group & (of_level | earlier)


def rounded(measured: Mapping[str, pd.DataFrame], definitions: Definitions, settings: Settings) -> Protected:
    """Round the figures of rows that are shown and drop those of the others.

    measured: by name, with `status` and exact figures in natural units.
    """
    metrics = definitions.metrics.values()
    scale = pd.Series({m.name: m.scale for m in metrics})
    decimals = pd.Series({m.name: m.decimals for m in metrics})
    safe = {}
    for name, columns in TABLES.items():
        table = measured[name].rename(columns=RENAMED.get(name, {}))
        if name in ("cell", "gap"):
            table = table[~unlisted(table)]
        safe[name] = _safe(table, columns, scale, decimals, settings)
    return Protected(safe)


def _safe(
    exact: pd.DataFrame, columns: Columns, scale: pd.Series, decimals: pd.Series, settings: Settings
) -> pd.DataFrame:
    hidden = (exact["status"] != rules.SHOWN).to_numpy(bool)
    scales, places = (sets.lookup(exact["metric"], of).astype(float).to_numpy() for of in (scale, decimals))
    safe = exact[list(columns)].reset_index(drop=True)
    for name in safe.select_dtypes("category"):  # plain text; as astype, many times faster
        safe[name] = (
            safe[name].cat.categories.astype("str").array.take(safe[name].cat.codes.to_numpy(), allow_fill=True)
        )
    for name, how in columns.items():
        more = 0 if how is None or not how.beyond_0 else _to_be_seen(exact, scales, places)
        if how is None:
            continue
        figures = np.where(hidden, np.nan, exact[name].to_numpy(float))
        if how is COUNT:
            rounded = rules.to_nearest(figures, settings.rules.round_bases_to)
            safe[name] = pd.Series(rounded).astype("Int64")
        elif how.of_metric:
            safe[name] = how.rounded(figures * scales, places + how.decimals + more)
        else:
            safe[name] = how.rounded(figures, how.decimals)
    return safe


def _to_be_seen(exact: pd.DataFrame, scales: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How many more decimals show that the interval of a clear gap or change leaves 0 out; none where that is plain."""
    clear = exact["evidence"] == gaps.CLEAR if "evidence" in exact else exact["says"].isin(over_time.CHANGES)
    low, high = (exact[limit].to_numpy(float) * scales for limit in ("lower", "upper"))
    nearest = np.where(clear & (low * high > 0), np.minimum(np.abs(low), np.abs(high)), np.nan)
    with np.errstate(divide="ignore"):
        return np.nan_to_num(np.clip(np.ceil(-np.log10(nearest) - places), 0, MOST_DECIMALS))
