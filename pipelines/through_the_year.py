"""Through the year: who has met their tutor by when, contacts week by week, how they met, and how tutors differ.

Each function takes the database of a run after its models and returns one published table: protected, rounded and
shaped as docs/data-contract.md says.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines import models
from pipelines.definitions import Definitions
from pipelines.disclosure import rules, shares
from pipelines.disclosure.tables import EVERYONE, parents_of
from pipelines.engines import Connection, frame
from pipelines.measures import consistency, intervals, over_time, sets
from pipelines.model import GRAINS, Modelled, Present, missing, usable
from pipelines.pooled import POOLED
from pipelines.protect import Decision, unlisted
from pipelines.settings import Settings

MET = "any_meeting"  # the metric that curves and modes belong to
MET_IN_TIME = "met_by_promised_week"
PARTS = ("year", "to_date")
CURVE = ["academic_year", "part", "level", "unit", "characteristic", "group", "week"]
CURVE_ORDER = "academic_year, part, level, unit, characteristic, grp"
WEEK = ["academic_year", "unit", "week"]
MODE = ["academic_year", "part", "unit", "mode"]
TUTORS = ["academic_year", "part", "level", "unit", "metric"]
NUMBERS = ["members", "value", "odds_ratio", "odds_ratio_lower", "odds_ratio_upper", "low", "high", "p"]
MANY_TUTORS = 1_000
LADDER = np.array([1, 1.5, 2, 3, 5])  # median odds ratios between tutors; the last stands for whatever is larger
FEWEST_EITHER = 30  # students who have, and who lack, what is counted
LARGEST = 0.2  # of the students of a row: what one tutor may have


def tables(
    con: Connection,
    definitions: Definitions,
    present: Present,
    modelled: Modelled,
    decision: Decision,
    settings: Settings,
) -> dict[str, pd.DataFrame]:
    """The published tables curve, week and mode, and the rows of consistency between tutors."""
    model(con, definitions, present, modelled)
    made = {
        "curve": curve(con, modelled, decision, settings),
        "week": week(con, _parts(modelled), decision, settings),
        "mode": mode(con, decision, settings),
        "consistency": of_tutors(con, modelled.schools, decision, settings),
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
    models.run(con, "mart_tutor_outcome", grains=_of_tutors(definitions, present))


def _of_tutors(definitions: Definitions, present: Present) -> list[dict[str, object]]:
    """The proportions that say how a tutor's students fare, by grain: those that are private to a student."""
    metrics = [m for m in definitions.metrics.values() if m.kind == "proportion" and m.private]
    possible = [m for m in metrics if not missing(m, present)]
    grains: list[dict[str, object]] = [
        {"name": g, "metrics": [m for m in possible if m.grain == g]} for g in GRAINS if g != "tutor"
    ]
    return [g for g in grains if g["metrics"]]


def _parts(modelled: Modelled) -> pd.Series:
    """The part of each academic year that weeks are of: the whole year, or the year to date."""
    single = modelled.periods[modelled.periods["part"] != POOLED]
    parts = single.sort_values("part")  # to_date, year
    in_progress = parts["in_progress"].astype(bool)
    return parts[~in_progress | (parts["part"] == "to_date")].groupby("academic_year")["part"].last()


def curve(con: Connection, modelled: Modelled, decision: Decision, settings: Settings) -> pd.DataFrame:
    """The share of enrolments who have met their tutor by the end of each teaching week, of periods with groups.

    Of a year in progress and the one before there are curves to date, which are out of the same people: a whole year's
    is also out of those who begin later in it.

    Shown where the share who met their tutor in all is, which the curve ends with, and where the share who met them by
    the promised week is not hidden, which could be read off it. Neither may be hidden in the other part of the year: a
    whole year's curve passes through the share to date. Nor may they be of everyone there, or of the unit above: a
    school's groups are not listed to date of the year before, but their curves would add up to these. (What was
    published of a year stays, whatever is hidden later.)
    """
    counts = con.execute(f"select * from mart_curve order by {CURVE_ORDER}").df().rename(columns={"grp": "group"})
    latest = modelled.periods["academic_year"].max()
    counts = counts[~unlisted(counts, latest)].reset_index(drop=True)
    of = sets.number(counts, CURVE[:-1])
    n, met = counts["n"].to_numpy(), counts["met_week"].to_numpy(float)
    weeks = counts["through_week"].to_numpy(int)[of.first] + 1
    by_week = np.zeros((len(of), weeks.max(initial=0)), int)
    known = np.isfinite(met)
    np.add.at(by_week, (of.of[known], met[known].astype(int)), n[known])
    there = np.arange(by_week.shape[1]) < weeks[:, None]
    row, reached = np.nonzero(there)
    points = pd.DataFrame({"n": of.sum(n).astype(int)[row], "sx": by_week.cumsum(axis=1)[there]})
    value, lower, upper = (pd.Series(f) for f in intervals.proportion(points["sx"], points["n"]))
    places = counts[CURVE[:-1]].take(of.first).reset_index(drop=True)
    above = places.assign(unit=places["unit"].map(parents_of(modelled.schools)).fillna(places["unit"]))
    of_everyone = [where.assign(characteristic=EVERYONE, group=EVERYONE) for where in (places, above)]
    adding_up = [where.assign(part=part) for where in (places, above, *of_everyone) for part in PARTS]
    told = np.any([decision.hides(pd.concat(adding_up), metric=metric) for metric in (MET, MET_IN_TIME)], axis=0)
    told = told.reshape(len(adding_up), -1).any(axis=0)
    hide = pd.Series((~decision.shows(places, metric=MET) | told)[row])
    low, high = shares.limits_of(lower, upper, hide)
    return places.take(row).reset_index(drop=True).assign(
        week=reached,
        base=shares.bases(points["n"], hide, settings.rules),
        value=shares.rounded(value, hide), lower=low, upper=high, status=shares.status(hide),
    )  # fmt: skip


def week(con: Connection, parts: pd.Series, decision: Decision, settings: Settings) -> pd.DataFrame:
    """Attended contacts in each teaching week, and the weeks unlike the same weeks of earlier years.

    Hidden for units with few enrolments. Limits are missing where nothing can be expected, and `rule` says why.
    """
    counts = con.execute("select * from mart_week").df()
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


def mode(con: Connection, decision: Decision, settings: Settings) -> pd.DataFrame:
    """The share of attended meetings held in each way. How a meeting was held says nothing private of anybody."""
    counts = con.execute("select * from mart_mode where n > 0 order by academic_year, part, unit, mode").df()
    hide = pd.Series(~decision.shows(counts[["academic_year", "part", "unit"]], metric=MET))
    return counts[MODE].assign(
        base=shares.bases(counts["n"], hide, settings.rules),
        value=shares.rounded(counts["sx"] / counts["n"], hide),
        status=shares.status(hide),
    )


def of_tutors(con: Connection, schools: pd.DataFrame, decision: Decision, settings: Settings) -> pd.DataFrame:
    """How far the named tutors of a school differ in what their students report: a spread, never a tutor.

    Only of whole years, all levels together, and where ten tutors have five students or more each. Of the university
    and of faculties how far tutors of one school differ, in a typical one of three such schools or more whose own row
    is shown: nothing of a hidden one can be taken from it.
    """
    read = frame(con, "select * from mart_tutor_outcome where n >= 5").rename(columns={"tutors": "alike"})
    counts = sets.coded(read, TUTORS)
    found = [_spread(counts, consistency.between_tutors(counts, TUTORS), decision, settings)]
    seen = found[0][found[0]["status"] == rules.SHOWN]
    counts = counts.take(np.flatnonzero(sets.find(counts, seen, TUTORS) >= 0))
    for of in sets.parents(schools) if len(counts) else ():
        above = counts.assign(school=counts["unit"], unit=sets.lookup(counts["unit"], of)).dropna(subset="unit")
        found.append(_spread(above, consistency.within(above, TUTORS, "school"), decision, settings))
    return pd.concat(found).sort_values(TUTORS, ignore_index=True)


def _spread(counts: pd.DataFrame, found: pd.DataFrame, decision: Decision, settings: Settings) -> pd.DataFrame:
    """What may be shown of how tutors differ, judged together. counts: TUTORS, n, sx, alike."""
    students = counts.assign(n=counts["n"] * counts["alike"], sx=counts["sx"] * counts["alike"])
    largest = counts.groupby(TUTORS, observed=True)["n"].max().rename("largest").reset_index()
    found = found.drop(columns="n").merge(sets.summed(students, TUTORS, ["n", "sx"]), on=TUTORS)
    found = found.merge(largest, on=TUTORS).astype(dict.fromkeys(TUTORS, "str"))
    everyone = decision.coded[(decision.coded["characteristic"] == EVERYONE) & ~decision.hidden.to_numpy(bool)]
    cell = sets.find(found, everyone, TUTORS)
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
    return found[TUTORS].assign(
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
