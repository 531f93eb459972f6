"""Tables of the sample release about student voice and the course of the year, in keeping with its cells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.dashboard.sample_university import CURRENT_WEEK

KEY = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]
STATEMENTS = ("knows_me", "trust", "supported", "part_of_journey", "belonging")
FIVE = ["strongly_disagree", "disagree", "neither", "agree", "strongly_agree"]
WEEKS = 31
SPLIT = ("sex", "age_on_entry")  # characteristics whose answers are split, at the university


def voices_and_year(cells: pd.DataFrame, periods: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables answers, response, representativeness, weighted, curve and week; those of voice empty without it."""
    response = _renamed(cells, "response_rate")
    return {
        "answers": _answers(cells),
        "response": response,
        "representativeness": _even(response),
        "weighted": _weighted(cells),
        "curve": _curve(cells, periods),
        "week": _week(cells, periods),
    }


def _renamed(cells: pd.DataFrame, metric: str) -> pd.DataFrame:
    own = cells[cells["metric"] == metric]
    return own[[c for c in KEY if c != "metric"] + ["base", "value", "lower", "upper", "status"]].copy()


def _answers(cells: pd.DataFrame) -> pd.DataFrame:
    own = cells[cells["metric"].isin(STATEMENTS) & (cells["level"] == "all") & (cells["part"] == "year")]
    in_school = own["unit"].str.startswith("school:")
    rows = own[(own["characteristic"] == "all") | ~in_school].reset_index(drop=True)
    split = (rows["characteristic"] == "all") | (rows["characteristic"].isin(SPLIT) & (rows["unit"] == "university"))
    shown = (rows["status"] == "shown") & split
    agree, rest = rows["value"], 100 - rows["value"]
    in_three = (rows["unit"] == "school:EDU2").to_numpy()
    five = [rest * 0.25, rest * 0.35, rest * 0.4, agree * 0.6, agree * 0.4]
    three = [pd.Series(np.nan, rows.index), rest * 0.6, rest * 0.4, agree, pd.Series(np.nan, rows.index)]
    shares = {c: np.rint(b.where(in_three, a)).where(shown) for c, a, b in zip(FIVE, five, three, strict=True)}
    return rows[KEY].assign(
        base=rows["base"].where(shown),
        **shares,
        bands=pd.Series(np.where(in_three, 3, 5), rows.index).where(shown).astype("Int64"),
        status=np.where(shown, "shown", "suppressed"),
    )


def _even(response: pd.DataFrame) -> pd.DataFrame:
    place = ["academic_year", "part", "level", "unit", "characteristic"]
    rows = response.loc[response["characteristic"] != "all", place].drop_duplicates(ignore_index=True)
    says = rows["characteristic"].map({"ethnicity": "some are heard less", "sex": "too few to say"})
    return rows.assign(
        r_indicator=0.93, lower=0.91, upper=0.95, says=says.fillna("no clear difference"), status="shown"
    )


def _weighted(cells: pd.DataFrame) -> pd.DataFrame:
    own = cells[cells["metric"].isin(STATEMENTS) & (cells["characteristic"] == "all") & (cells["level"] == "all")]
    moved = np.where(own["metric"] == "trust", 4, 1)
    return own[["academic_year", "part", "level", "unit", "metric", "value", "status"]].assign(
        weighted=own["value"] - moved, weighted_lower=own["lower"] - moved, weighted_upper=own["upper"] - moved
    )


def _curve(cells: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """Rising towards the share who met their tutor in all; groups at the university and in Engineering only."""
    met = _renamed(cells, "any_meeting")
    ends = periods[(periods["part"] == "year") | periods["has_groups"].astype(bool)][["academic_year", "part"]]
    met = met.merge(ends, on=["academic_year", "part"])
    followed = met["unit"].eq("university") | met["unit"].str.contains("ENG")
    everyone = met["characteristic"] == "all"
    met = met[(everyone | followed & ~(met["unit"].str.startswith("school:") & (met["level"] != "all")))]
    met = met[~met["level"].isin(["PGT", "PGR"])].reset_index(drop=True)
    long = met.assign(last=np.where(met["part"] == "to_date", CURRENT_WEEK, WEEKS)).merge(
        pd.DataFrame({"week": range(WEEKS + 1)}), how="cross"
    )
    long = long[long["week"] <= long["last"]]
    reached = 1 - np.exp(-0.5 * long["week"])
    for column in ("value", "lower", "upper"):
        long[column] = np.rint(long[column] * reached / (1 - np.exp(-0.5 * long["last"])))
    return long.drop(columns="last")


def _week(cells: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    base = cells[(cells["metric"] == "any_meeting") & (cells["characteristic"] == "all") & (cells["level"] == "all")]
    units = base.drop_duplicates("unit")[["unit", "base"]]
    years = periods.drop_duplicates("academic_year")[["academic_year"]]
    weeks = years.merge(units, how="cross").merge(pd.DataFrame({"week": range(1, CURRENT_WEEK + 1)}), how="cross")
    expected = np.rint(weeks["base"] / (1 + weeks["week"]) / 5) * 5
    first = weeks["academic_year"] == periods["academic_year"].min()
    signal = np.where(weeks["week"].eq(4) & ~first, "high", np.where(weeks["week"].eq(7) & ~first, "low", ""))
    rule = np.where(first, "no earlier year", np.where(signal == "", "", "outside the limits"))
    return weeks[["academic_year", "unit", "week"]].assign(
        contacts=expected * np.where(signal == "high", 1.2, np.where(signal == "low", 0.8, 1)),
        expected=expected.mask(first), lower=(expected * 0.9).mask(first), upper=(expected * 1.1).mask(first),
        signal=signal, rule=rule, status="shown",
    )  # fmt: skip
