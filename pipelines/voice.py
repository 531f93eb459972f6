"""Voice: who answered the survey, how evenly, and whether the answer changes once everybody enrolled counts.

What is counted needs no decision about cells, and so can be counted while that is taken. Then each function returns one
published table: protected, rounded and shaped as docs/data-contract.md says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines import answers, models
from pipelines.definitions import UNKNOWN, Definitions
from pipelines.disclosure import rules, shares
from pipelines.disclosure.ledger import in_periods
from pipelines.disclosure.places import Period
from pipelines.engines import Connection, frame
from pipelines.measures import response, sets
from pipelines.model import Modelled, Present, missing, usable
from pipelines.protect import Decision, unlisted
from pipelines.readers.mapping import literal
from pipelines.settings import Settings

GROUP = [*response.PLACE, "group"]
SET = ["academic_year", "part", "unit"]
ENOUGH = 50  # respondents, for a unit's answers to be weighted
MANY = 1_000_000  # rows of mart_respondent at once: some gigabytes with their weights
SPARSE = 10  # respondents: a margin with fewer is joined with others
REST = "the rest"
PLACE = "place"
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Counted:
    """What needs no decision about cells: response rates, how many gave each answer, and weighted shares, all exact."""

    rates: pd.DataFrame
    answers: pd.DataFrame
    weighted: pd.DataFrame


def count(con: Connection, definitions: Definitions, present: Present, modelled: Modelled) -> Counted:
    """Count what these tables rest on, in the database of a run after its models."""
    characteristics = [c.name for c in usable(definitions, present)]
    finest = [c for c in characteristics if not definitions.characteristics[c].of]  # the broader ones match with them
    metrics = [m.name for m in definitions.metrics.values() if _is_answer(m.name, definitions, present)]
    model(con, definitions, characteristics, finest, metrics)
    exact = rates(con)
    return Counted(
        rates=exact,
        answers=answers.count(con, definitions, characteristics, metrics),
        weighted=weighted(con, exact, modelled.schools, finest, metrics),
    )


def tables(
    counted: Counted, definitions: Definitions, modelled: Modelled, decision: Decision, settings: Settings
) -> dict[str, pd.DataFrame]:
    """The published tables answers, response, representativeness and weighted; empty where there is no survey."""
    exact = counted.rates
    safe = answered(exact, _told(exact, definitions, decision), settings)
    made = {
        "answers": answers.answers(counted.answers, definitions, modelled.schools, decision, settings),
        # what is unlisted would tell by its rows which of the others are empty
        "response": safe[~unlisted(safe, modelled.periods["academic_year"].max())],
        "representativeness": representativeness(exact, safe["status"]),
        "weighted": _where_shown(_safe(counted.weighted, settings), decision),
    }
    return {name: shares.texts(table) for name, table in made.items()}


def _is_answer(metric: str, definitions: Definitions, present: Present) -> bool:
    found = definitions.metrics[metric]
    return found.grain == "response" and found.kind == "proportion" and not missing(found, present)


def model(
    con: Connection,
    definitions: Definitions,
    characteristics: list[str],
    finest: list[str],
    metrics: list[str],
) -> None:
    """Run the models these tables rest on."""
    models.run(con, "mart_answered", characteristics=characteristics)
    of_answers = [definitions.metrics[m] for m in metrics]
    models.run(con, "mart_respondent", characteristics=finest, metrics=of_answers)


def rates(con: Connection) -> pd.DataFrame:
    """Exact response rates, as `measures.response.rates` gives them, for the periods that have a survey."""
    counts = con.execute("select * from mart_answered").df().rename(columns={"grp": "group"})
    surveyed = sets.number(counts, ["academic_year", "part"])
    counts = counts[surveyed.sum(counts["answered"].to_numpy(float))[surveyed.of] > 0]
    found = response.rates(counts, counts.assign(n=counts["answered"]))
    return found.sort_values(GROUP, ignore_index=True)


def _told(exact: pd.DataFrame, definitions: Definitions, decision: Decision) -> np.ndarray:
    """Where a response rate may be shown: where the metric is or, without it, where enrolments and answers are."""
    counted = set(decision.cells["metric"].unique())
    rate = [m.name for m in definitions.metrics.values() if m.counts_respondents and m.name in counted]
    if rate:
        return decision.shows(exact[GROUP], metric=rate[0])
    return decision.shows(exact[GROUP], grain="enrolment") & decision.shows(exact[GROUP], grain="response")


def _where_shown(weighted: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Weighted shares only beside unweighted ones that are shown."""
    shown = decision.shows(weighted[[*SET, "level", "metric"]], grain="response")
    figures = weighted.columns.difference([*SET, "level", "metric", "status"])
    return weighted.assign(
        **{c: weighted[c].where(shown) for c in figures}, status=weighted["status"].where(shown, rules.SUPPRESSED)
    )


def answered(exact: pd.DataFrame, told: np.ndarray, settings: Settings) -> pd.DataFrame:
    """The response rate of each group. told: where the rate may be shown.

    Without a figure where more answered as a group than are enrolled in it, and of characteristics that nobody
    declared, since the survey then did not ask.
    """
    hide = shares.hidden(exact.assign(sx=exact["answered"]), settings.rules, private=False, respondents=True) | ~told
    asked = _asked(exact)
    nothing = ~asked | (exact["value"].isna() & (~hide | (exact["n"] == 0)))
    without = hide | nothing
    low, high = shares.limits_of(exact["lower"], exact["upper"], without)
    return exact[GROUP].assign(
        base=shares.bases(exact["n"], without, settings.rules),
        value=shares.rounded(exact["value"], without), lower=low, upper=high,
        status=shares.status(hide).mask(nothing, rules.NONE),
    )  # fmt: skip


def _asked(exact: pd.DataFrame) -> pd.Series:
    """Which rows are of a characteristic in whose groups anybody answered in that period."""
    of = sets.number(exact, ["academic_year", "part", "characteristic"])
    known = np.where(exact["group"] == UNKNOWN, 0, exact["answered"])
    return pd.Series(of.sum(known)[of.of] > 0, index=exact.index)


def representativeness(exact: pd.DataFrame, status: pd.Series) -> pd.DataFrame:
    """How evenly the groups of each characteristic answer, from the groups that are shown. Figures to two decimals."""
    compared = (exact["characteristic"] != "all") & (exact["group"] != UNKNOWN)
    places = exact.assign(asked=_asked(exact)).loc[compared, [*response.PLACE, "asked"]]
    places = places.drop_duplicates(response.PLACE, ignore_index=True)
    found = response.representativeness(exact[compared & (status == rules.SHOWN)])
    out = places.merge(found, on=response.PLACE, how="left")
    untold = out["r_indicator"].isna()
    low, high = shares.limits_of(out["lower"], out["upper"], untold, scale=1, decimals=2)
    return out[response.PLACE].assign(
        r_indicator=shares.rounded(out["r_indicator"], untold, scale=1, decimals=2), lower=low, upper=high,
        says=response.verdict(out).astype(object).where(out["asked"], NOT_ASKED),
        status=shares.status(untold).where(out["asked"], rules.NONE),
    )  # fmt: skip


def weighted(
    con: Connection,
    exact: pd.DataFrame,
    schools: pd.DataFrame,
    characteristics: list[str],
    metrics: list[str],
) -> pd.DataFrame:
    """Each share of answers as given, and as it would be if the respondents had the make-up of those enrolled.

    For every unit with enough respondents, all levels together. Matched are each characteristic's groups and the
    students of each school and level; what too few answered from is joined: school × level into schools, then any.
    """
    found = []
    for periods in _at_once(con):
        named = ", ".join(literal(f"{year} {part}") for year, part in sorted(periods))
        read = frame(con, f"select * from mart_respondent where academic_year || ' ' || part in ({named})")
        found.append(_weighted(read, exact[in_periods(exact, periods)], schools, characteristics, metrics))
    return pd.concat(found)


def _at_once(con: Connection) -> list[set[Period]]:
    """The periods with respondents, by those that are weighted at once: one begins before MANY rows are passed."""
    counted = con.execute("""
        select academic_year, part, count(*) from mart_respondent group by academic_year, part
        order by academic_year, part
    """).fetchall()
    batches: dict[int, set[Period]] = {}
    read = 0
    for year, part, rows in counted or [("", "", 0)]:
        batches.setdefault(read // MANY, set()).add((year, part))
        read += rows
    return list(batches.values())


def _weighted(
    read: pd.DataFrame, exact: pd.DataFrame, schools: pd.DataFrame, characteristics: list[str], metrics: list[str]
) -> pd.DataFrame:
    """The shares of some periods, exact. read: their rows of mart_respondent; exact: their response rates."""
    respondents = _in_units(sets.coded(read, [*SET[:-1], *characteristics]), schools)
    of = sets.number(respondents, SET)
    enough = of.sum(respondents["n"].to_numpy(float)) >= ENOUGH
    respondents = respondents.assign(set=of.of).take(np.flatnonzero(enough[of.of]))
    names = respondents[[*SET, "set"]].drop_duplicates("set").astype(dict.fromkeys(SET, object))
    used, margins = [*characteristics, PLACE], []
    for name in used:
        enrolled = (_places(exact, schools) if name == PLACE else _groups(exact, name)).merge(names, on=SET)
        respondents[name], margin = _joined(respondents, enrolled, name)
        margins.append(margin.assign(characteristic=name))
    raked = response.raked(respondents, pd.concat(margins, ignore_index=True), ["set"], used)
    base = raked[["set", "weight", "n"]]
    found = [
        response.weighted(base.assign(n=raked[f"n_{m}"], sx=raked[f"sx_{m}"]).query("n > 0"), ["set"]).assign(metric=m)
        for m in metrics
    ] or [response.weighted(base.head(0).assign(sx=0.0), ["set"]).assign(metric="")]
    return pd.concat(found, ignore_index=True).merge(names, on="set")


def _safe(exact: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    exact = exact.assign(level=sets.EVERY_LEVEL, sx=(exact["value"] * exact["n"]).round())
    exact = exact.sort_values([*SET, "metric"], ignore_index=True)
    hide = shares.hidden(exact, settings.rules, voice=True)
    low, high = shares.limits_of(exact["weighted_lower"], exact["weighted_upper"], hide)
    return exact[["academic_year", "part", "level", "unit", "metric"]].assign(
        value=shares.rounded(exact["value"], hide),
        weighted=shares.rounded(exact["weighted"], hide),
        weighted_lower=low, weighted_upper=high, status=shares.status(hide),
    )  # fmt: skip


def _in_units(respondents: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Every respondent once for the school, once for its faculty and once for the university."""
    school = (sets.SCHOOL + respondents["school_code"].astype(str)).astype("category")
    place = (school.astype(str) + " " + respondents["level"].astype(str)).astype("category")
    placed = respondents.assign(**{PLACE: place})
    units = [school, *(sets.lookup(school, parent) for parent in sets.parents(schools))]
    every = pd.CategoricalDtype(sorted({u for unit in units for u in unit.cat.categories}))
    return pd.concat([placed.assign(unit=u.astype(every)) for u in units], ignore_index=True).dropna(subset="unit")


def _groups(exact: pd.DataFrame, characteristic: str) -> pd.DataFrame:
    """Who is enrolled in the groups of a characteristic: SET, group, n."""
    known = (exact["characteristic"] == characteristic) & (exact["group"] != UNKNOWN)
    return exact.loc[known & (exact["level"] == sets.EVERY_LEVEL), [*SET, "group", "n"]].assign(wider=REST)


def _places(exact: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Who is enrolled in each school and level of each unit: SET, group (school and level), wider (school), n."""
    everyone = (exact["characteristic"] == "all") & (exact["level"] != sets.EVERY_LEVEL)
    rows = exact[everyone & sets.is_school(exact["unit"])]
    rows = rows.assign(wider=rows["unit"], group=rows["unit"] + " " + rows["level"])
    units = [rows["unit"], *(rows["unit"].map(parent) for parent in sets.parents(schools))]
    return pd.concat([rows.assign(unit=u) for u in units], ignore_index=True)[[*SET, "group", "wider", "n"]]


def _joined(respondents: pd.DataFrame, enrolled: pd.DataFrame, name: str) -> tuple[pd.Categorical, pd.DataFrame]:
    """The respondents' cells of one margin once sparse ones are joined, and who is enrolled in each: set, group, n.

    enrolled: set, group, wider (what a sparse group becomes part of), n. What stays sparse is left without a margin,
    and so are groups that nobody is enrolled in (Unknown): their respondents are weighted by the other margins only.
    """
    of = sets.number(respondents, ["set", name])
    seen = respondents[["set", name]].take(of.first).rename(columns={name: "group"}).astype({"group": object})
    seen["answers"] = of.sum(respondents["n"].to_numpy(float))
    cells = enrolled.merge(seen, on=["set", "group"], how="left").fillna({"answers": 0})
    cells["cell"] = cells["group"]
    for wider in (cells["wider"], REST):
        here = sets.number(cells, ["set", "cell"])
        sparse = here.sum(cells["answers"].to_numpy(float))[here.of] < SPARSE
        cells["cell"] = cells["cell"].mask(sparse, wider)
    named = seen.merge(cells[["set", "group", "cell"]], on=["set", "group"], how="left")
    margin = sets.summed(cells, ["set", "cell"], ["n", "answers"]).rename(columns={"cell": "group"})
    label = named["cell"].fillna(named["group"]).astype("category").array
    return label.take(of.of), margin[margin["answers"] >= SPARSE]
