"""Through the year: who has met their tutor by when, contacts week by week, and how they met.

What is counted needs no decision about cells, and so can be counted while that is taken. Then each function returns one
published table: protected, rounded and shaped as docs/data-contract.md says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines import models
from pipelines.definitions import Definitions
from pipelines.disclosure import shares, steps
from pipelines.disclosure.tables import EVERYONE, parents_of
from pipelines.engines import Connection
from pipelines.measures import intervals, over_time, sets
from pipelines.model import Modelled, Present, usable
from pipelines.pooled import POOLED
from pipelines.protect import MET, Decision, unlisted
from pipelines.settings import Settings

MET_IN_TIME = "met_by_promised_week"
PARTS = ("year", "to_date")
CURVE = ["academic_year", "part", "level", "unit", "characteristic", "group", "week"]
FAMILY = CURVE[:-2]  # the groups of a characteristic in a place
CURVE_ORDER = "academic_year, part, level, unit, characteristic, grp"
WEEK = ["academic_year", "unit", "week"]
MODE = ["academic_year", "part", "unit", "mode"]


@dataclass(frozen=True)
class Counted:
    """Exact counts: the rows of mart_curve, mart_week and mart_mode."""

    curve: pd.DataFrame
    week: pd.DataFrame
    mode: pd.DataFrame


def count(con: Connection, definitions: Definitions, present: Present, modelled: Modelled) -> Counted:
    """Count what these tables rest on, in the database of a run after its models."""
    model(con, definitions, present, modelled)
    return Counted(
        curve=con.execute(f"select * from mart_curve order by {CURVE_ORDER}").df().rename(columns={"grp": "group"}),
        week=con.execute("select * from mart_week").df(),
        mode=con.execute("select * from mart_mode where n > 0 order by academic_year, part, unit, mode").df(),
    )


def tables(counted: Counted, modelled: Modelled, decision: Decision, settings: Settings) -> dict[str, pd.DataFrame]:
    """The published tables curve, week and mode."""
    made = {
        "curve": curve(counted.curve, modelled, decision, settings),
        "week": week(counted.week, _parts(modelled), decision, settings),
        "mode": mode(counted.mode, decision, settings),
    }
    return {name: shares.texts(table) for name, table in made.items()}


def model(con: Connection, definitions: Definitions, present: Present, modelled: Modelled) -> None:
    """Run the models these tables rest on."""
    weeks = list(range(int(modelled.periods["through_week"].max()) + 1)) if len(modelled.periods) else [0]
    characteristics = [c.name for c in usable(definitions, present)]
    models.run(con, "mart_curve", characteristics=characteristics)
    models.run(con, "mart_meeting")
    models.run(con, "mart_week", weeks=weeks)
    models.run(con, "mart_mode", modes=definitions.tables["meetings"].columns["mode"].values)


def _parts(modelled: Modelled) -> pd.Series:
    """The part of each academic year that weeks are of: the whole year, or the year to date."""
    single = modelled.periods[modelled.periods["part"] != POOLED]
    parts = single.sort_values("part")  # to_date, year
    in_progress = parts["in_progress"].astype(bool)
    return parts[~in_progress | (parts["part"] == "to_date")].groupby("academic_year")["part"].last()


def curve(counts: pd.DataFrame, modelled: Modelled, decision: Decision, settings: Settings) -> pd.DataFrame:
    """The share of enrolments who have met their tutor by the end of each teaching week, of periods with groups.

    Of a year in progress and the one before there are curves to date, which are out of the same people: a whole year's
    is also out of those who begin later in it.

    Shown where the share who met their tutor in all is, which the curve ends with, and where the share who met them by
    the promised week is not hidden, which could be read off it. Neither may be hidden in the other part of the year: a
    whole year's curve passes through the share to date. Nor may they be of everyone there, or of the unit above: a
    school's groups are not listed to date of the year before, but their curves would add up to these. (What was
    published of a year stays, whatever is hidden later.) And shown only at weeks between which enough arrive of each
    group.
    """
    latest = modelled.periods["academic_year"].max()
    counts = counts[~unlisted(counts, latest)].reset_index(drop=True)
    of = sets.number(counts, CURVE[:-1])
    n, met = counts["n"].to_numpy(), counts["met_week"].to_numpy(float)
    weeks = counts["through_week"].to_numpy(int)[of.first] + 1
    by_week = np.zeros((len(of), weeks.max(initial=0)), int)
    known = np.isfinite(met)
    np.add.at(by_week, (of.of[known], met[known].astype(int)), n[known])
    there = np.arange(by_week.shape[1]) < weeks[:, None]
    row, week_of = np.nonzero(there)
    met_by = by_week.cumsum(axis=1)
    points = pd.DataFrame({"n": of.sum(n).astype(int)[row], "sx": met_by[there]})
    value, lower, upper = (pd.Series(f) for f in intervals.proportion(points["sx"], points["n"]))
    places = counts[CURVE[:-1]].take(of.first).reset_index(drop=True)
    above = places.assign(unit=places["unit"].map(parents_of(modelled.schools)).fillna(places["unit"]))
    of_everyone = [where.assign(characteristic=EVERYONE, group=EVERYONE) for where in (places, above)]
    adding_up = [where.assign(part=part) for where in (places, above, *of_everyone) for part in PARTS]
    told = np.any([decision.hides(pd.concat(adding_up), metric=metric) for metric in (MET, MET_IN_TIME)], axis=0)
    told = told.reshape(len(adding_up), -1).any(axis=0)
    untold = ~decision.shows(places, metric=MET) | told
    family, year = (sets.number(places, keys).of for keys in (FAMILY, [c for c in FAMILY if c != "part"]))
    to_date = (places["part"] == "to_date").to_numpy()
    reached = np.full(int(year.max(initial=-1)) + 1, -1)
    reached[year[to_date]] = weeks[to_date] - 1
    known = np.where(to_date | (reached[year] >= weeks - 1), -1, reached[year])
    shown = steps.weeks_shown(met_by, family, year, weeks - 1, known, untold, settings.rules.smallest_base)
    hide = pd.Series(~shown[there])
    low, high = shares.limits_of(lower, upper, hide)
    return places.take(row).reset_index(drop=True).assign(
        week=week_of,
        base=shares.bases(points["n"], hide, settings.rules),
        value=shares.rounded(value, hide), lower=low, upper=high, status=shares.status(hide),
    )  # fmt: skip


def week(counts: pd.DataFrame, parts: pd.Series, decision: Decision, settings: Settings) -> pd.DataFrame:
    """Attended contacts in each teaching week, and the weeks unlike the same weeks of earlier years.

    Hidden for units with few enrolments. Limits are missing where nothing can be expected, and `rule` says why.
    """
    out = over_time.beside_earlier_years(counts, ["unit"]).sort_values(WEEK, ignore_index=True)
    places = out[["academic_year", "unit"]].assign(part=out["academic_year"].map(parts))
    hide = pd.Series(~decision.shows(places, grain="enrolment"))
    quiet = hide | (out["side"] == 0)
    return out[WEEK].assign(
        # all rounded alike, so that a limit that is crossed is never printed beyond the contacts that cross it
        **{c: shares.bases(out[c], hide, settings.rules) for c in ("contacts", "expected", "lower", "upper")},
        signal=np.select([quiet, out["side"] > 0, out["side"] < 0], ["", "high", "low"], default=""),
        rule=out["rule"].astype(object).mask(hide | (out["rule"] == over_time.HABIT), ""),
        status=shares.status(hide),
    )  # fmt: skip


def mode(counts: pd.DataFrame, decision: Decision, settings: Settings) -> pd.DataFrame:
    """The share of attended meetings held in each way. How a meeting was held says nothing private of anybody."""
    hide = pd.Series(~decision.shows(counts[["academic_year", "part", "unit"]], metric=MET))
    return counts[MODE].assign(
        base=shares.bases(counts["n"], hide, settings.rules),
        value=shares.rounded(counts["sx"] / counts["n"], hide),
        status=shares.status(hide),
    )
