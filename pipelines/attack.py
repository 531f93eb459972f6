"""Attack: a release is published only where nobody can work out what it hides.

The attacker is code of its own (`disclosure/attacker.py`). Where it gets through, more is hidden around that place and
it tries again; where it still gets through, there is no release.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipelines import pooled
from pipelines.definitions import UNKNOWN, Definitions
from pipelines.disclosure import attacker, patterns, rules, tables
from pipelines.disclosure.attacker import Attack, Bar
from pipelines.disclosure.ledger import NOTHING, PERIOD, Ledger, in_periods
from pipelines.disclosure.places import Period
from pipelines.measures import sets
from pipelines.model import Modelled
from pipelines.protect import Decision
from pipelines.settings import Settings
from pipelines.workers import ALONE, Workers

KEY = attacker.KEY
ROUNDS = 9
EVERYWHERE, LEFT_OUT = 3, 4  # the rounds from which more is hidden everywhere, and from which metrics are left out
UNITS_OF = ["academic_year", "part", "level", "unit", "metric"]
TABLE = "release"  # what its checks are about


class AttackError(Exception):
    """Something hidden can be worked out; the message says how much, and that nothing was published."""


@dataclass(frozen=True)
class Withstood:
    """What may be published, the last attack on it, and how many cells were hidden because an attack got through."""

    decision: Decision
    attack: Attack
    mended: int


def withstand(
    decision: Decision,
    modelled: Modelled,
    definitions: Definitions,
    settings: Settings,
    published: Ledger | None = None,
    workers: Workers = ALONE,
) -> Withstood:
    """Attack what is to be published of periods that were not published before, and mend it until it withstands.

    Pooled periods are attacked together with their years, at all levels together, and all of them by somebody who has
    the earlier releases. Raises AttackError where the attack still gets through.
    """
    new = {(y, p) for y, p in modelled.periods[PERIOD].itertuples(index=False)} - decision.kept
    pooled_of = {name: years for name, years in pooled.of(modelled.periods) if (name, pooled.POOLED) in new}
    about = new | {(year, pooled.WHOLE_YEAR) for years in pooled_of.values() for year in years}
    earlier = _counts((published or NOTHING).shown(modelled.periods[in_periods(modelled.periods, about)]))
    hidden, attacks, again = decision.hidden.sum(), dict[Period, Attack](), new
    before: attacker.Before = {}
    for round_ in range(ROUNDS):
        attacks |= _attacked(
            decision, again, pooled_of, modelled.schools, definitions, settings, earlier, before, workers
        )
        found = Attack.together(attacks.values(), _bar(settings))
        if found.narrowed.empty:
            break
        mended = _mended(decision, found.narrowed, pooled_of, new, modelled.schools, definitions, round_)
        changed = decision.cells.loc[mended.why != decision.why, PERIOD].drop_duplicates()
        decision, again = mended, set(changed.itertuples(index=False, name=None))
        again |= {
            (name, pooled.POOLED) for name, of in pooled_of.items() if {(y, pooled.WHOLE_YEAR) for y in of} & again
        }
    else:
        raise AttackError(
            f"Nothing was published: of {int(found.report['hidden'].sum()):,} hidden figures {len(found.narrowed):,} "
            "could still be worked out from those shown. Please report this; until it is mended, leave out the "
            "characteristic or the metric they belong to: "
            f"{', '.join(sorted({*found.narrowed['characteristic'], *found.narrowed['metric']}))}."
        )
    now = decision.cells[~decision.hidden & in_periods(decision.cells, new)]
    differing = attacker.differenced(_counts(now), earlier, found.bar.smallest_base)
    return Withstood(decision, replace(found, differenced=differing), int(decision.hidden.sum() - hidden))


def _attacked(
    decision: Decision,
    periods: Collection[Period],
    pooled_of: Mapping[str, Collection[str]],
    schools: pd.DataFrame,
    definitions: Definitions,
    settings: Settings,
    earlier: pd.DataFrame,
    before: attacker.Before,
    workers: Workers,
) -> dict[Period, Attack]:
    """The attack on each of the periods."""
    metrics = definitions.metrics.values()
    earlier = earlier.drop_duplicates(KEY)  # the latest of each
    everything = _counts(decision.cells[~decision.hidden])

    def attack_on(rows: pd.Series) -> Attack:
        inner, rows = _counts(decision.cells[rows]), rows & decision.listed
        cells, shown = _counts(decision.cells[rows]), ~decision.hidden[rows].to_numpy(bool)
        return attacker.attack(
            cells[shown],
            cells.loc[~shown, KEY],
            schools,
            attacker.Metrics(
                grain={m.name: m.grain for m in metrics},
                kind={m.name: m.kind for m in metrics},
                private=frozenset(m.name for m in metrics if m.private),
            ),
            _bar(settings),
            broader={
                c.name: (c.of, {**c.join, UNKNOWN: [UNKNOWN]}) for c in definitions.characteristics.values() if c.of
            },
            pooled={name: list(years) for name, years in pooled_of.items()},
            earlier=earlier[in_periods(earlier, set(cells[PERIOD].itertuples(index=False, name=None)))],
            inner=inner,
            known=everything,
            before=before,
            workers=workers,
        )

    single = {period for period in periods if period[1] != pooled.POOLED}
    every_level = decision.cells["level"] == tables.EVERY_LEVEL
    rows = [in_periods(decision.cells, single)] if single else []
    several = [(name, part) for name, part in periods if part == pooled.POOLED]
    for name, part in several:
        at_once = {(name, part), *((year, pooled.WHOLE_YEAR) for year in pooled_of[name])}
        rows.append(in_periods(decision.cells, at_once) & every_level)
    with ThreadPoolExecutor() as side_by_side:  # one is put together while workers are at another
        found = list(side_by_side.map(attack_on, rows))
    of_single = {period: found[0].of(period) for period in single}
    return of_single | dict(zip(several, found[len(found) - len(several) :], strict=True))


def _bar(settings: Settings) -> Bar:
    limits = settings.rules
    return Bar(limits.narrowest_base, limits.narrowest_margin, limits.smallest_base)


def _counts(cells: pd.DataFrame) -> pd.DataFrame:
    named = cells.rename(columns={"have_some": "have", "lack_some": "lack"})[[*KEY, *attacker.COUNTS]]
    return named.astype(dict.fromkeys(attacker.COUNTS, "int64")).reset_index(drop=True)


def _mended(
    decision: Decision,
    broken: pd.DataFrame,
    pooled_of: Mapping[str, Collection[str]],
    new: Collection[tuple[str, str]],
    schools: pd.DataFrame,
    definitions: Definitions,
    round_: int,
) -> Decision:
    """Hide, around each broken cell, its table in the schools of its faculty, or in all faculties; later everywhere;
    at last all that its metric tells of the period, and how many there are in schools by level.

    A table: one period, one grain, one characteristic with its broader and finer ones; of everyone, all of them. Where
    a broken year is pooled, the pooled period gives way at first instead, later as well.
    """
    everywhere = round_ >= EVERYWHERE
    finer = {c.name: c.of or c.name for c in definitions.characteristics.values()}
    parents = tables.parents_of(schools)
    cells, why = decision.cells, decision.why.copy()
    family = cells["characteristic"].map(finer).fillna(tables.EVERYONE)
    grain = cells["metric"].map(decision.grains)
    parent = cells["unit"].map(parents).fillna("")
    of_year = {year: name for name, years in pooled_of.items() for year in years}
    for row in broken.to_dict("records"):
        about = finer.get(row["characteristic"], tables.EVERYONE)
        periods = {(row["academic_year"], row["part"])}
        if row["part"] == pooled.WHOLE_YEAR and row["academic_year"] in of_year and (round_ == 0 or everywhere):
            periods = (periods if everywhere else set()) | {(of_year[row["academic_year"]], pooled.POOLED)}
        periods &= set(new)
        holder = parents.get(row["unit"], sets.UNIVERSITY) if row["unit"].startswith(sets.SCHOOL) else sets.UNIVERSITY
        inside = (parent == holder) | ((parent != "") if holder == sets.UNIVERSITY else False)
        inside |= (cells["unit"] == row["unit"]) & (cells["level"] != tables.EVERY_LEVEL) | everywhere
        hide = inside & in_periods(cells, periods) & (grain == decision.grains[row["metric"]])
        hide &= (family == about) if about != tables.EVERYONE else True
        if round_ >= LEFT_OUT:
            of_level = sets.is_school(cells["unit"]) & (cells["level"] != tables.EVERY_LEVEL)
            of_level &= grain == decision.grains[row["metric"]]
            hide |= in_periods(cells, periods) & ((cells["metric"] == row["metric"]) | of_level)
        why[hide & (why == patterns.SHOWN)] = patterns.LINKED
    no_secret = _sums_of_shown(replace(decision, why=why), pooled_of)
    return replace(decision, why=why.mask(no_secret, decision.why))


def _sums_of_shown(decision: Decision, pooled_of: Mapping[str, Collection[str]]) -> pd.Series:
    """Pooled cells all of whose years are shown: to hide them would hide nothing."""
    cells, place = decision.cells, ["level", "unit", "metric", "characteristic", "group"]
    found = pd.Series(False, index=cells.index)
    for name, years in pooled_of.items():
        hidden = pooled.years_of(cells[decision.hidden], years)
        own = (cells["academic_year"] == name) & (cells["part"] == pooled.POOLED)
        found[own] = sets.find(cells[own], hidden.drop_duplicates(place), place) < 0
    return found


def checks(done: Withstood) -> pd.DataFrame:
    """The attack's report as rows of the published table `check`: evidence for a motivated-intruder test."""
    bar, hidden = done.attack.bar, int(done.attack.report["hidden"].sum())
    known, broken = len(done.attack.broken) - len(done.attack.narrowed), len(done.attack.narrowed)
    rows = [
        (
            "attack.ranges",
            f"Nobody can narrow a hidden figure's counts to fewer than {bar.narrowest_base}, or to fewer than "
            f"{bar.narrowest_margin} where it is known how many it is out of.",
            "critical", broken == 0, hidden, broken,
            f"{hidden:,} hidden figures attacked" + (f", {done.mended:,} more hidden for it" if done.mended else ""),
        ),
        (
            "attack.revised",
            f"No figure differs from an earlier release's by fewer than {bar.smallest_base} people.",
            "warning", done.attack.differenced.empty, None, len(done.attack.differenced) or None, None,
        ),
        (
            "attack.shown_before",
            "No figure is hidden that an earlier release showed.",
            "warning", known == 0, hidden, known, None,
        ),
    ]  # fmt: skip
    columns = ["expectation", "rule", "severity", "passed", "rows_checked", "rows_failing", "observed"]
    return pd.DataFrame(rows, columns=columns).assign(table_name=TABLE, column_name=None)


def assert_unseen(published: Mapping[str, pd.DataFrame], decision: Decision) -> None:
    """Raise AttackError where a table of a release shows a figure of a cell that is hidden.

    published: tables by name, with `status`. What is about one cell is found by the columns of its key.
    """
    hidden = decision.coded.loc[decision.hidden, KEY]
    for name, table in published.items():
        if "status" not in table or not {*UNITS_OF} <= {*table} or ("group" in table) != ("characteristic" in table):
            continue
        shown = table[table["status"] == rules.SHOWN]
        everyone = {c: tables.EVERYONE for c in ("characteristic", "group") if c not in shown}
        places = shown.assign(unit=shown["school"] if "school" in shown else shown["unit"], **everyone)
        seen = np.flatnonzero(sets.find(places[KEY], hidden, KEY) >= 0)
        if len(seen):
            raise AttackError(f"Nothing was published: table {name} shows {len(seen):,} figures that are to be hidden.")
