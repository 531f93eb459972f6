"""What a release derives from its cells, made up from the sample's cells so that it hangs together with them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.definitions import Definitions

KEY = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]
AT = ["academic_year", "part", "level", "metric"]
MODES = {"in person": 61.0, "online": 27.0, "group": 7.0, "phone": 4.0, "other": 1.0}
LIMITS = {"lower": -1.96, "upper": 1.96, "lower_outer": -3.09, "upper_outer": 3.09}


def derived(
    cells: pd.DataFrame, gaps: pd.DataFrame, units: pd.DataFrame, definitions: Definitions
) -> dict[str, pd.DataFrame]:
    """The tables made from cells and gaps. `gaps` as published."""
    shown = cells[cells["status"] == "shown"]
    schools = set(units.loc[units["kind"] == "school", "unit"])
    everyone = shown[shown["characteristic"] == "all"]
    of_schools = everyone[everyone["unit"].isin(schools)]
    gaps = gaps[(gaps["status"] == "shown") & (gaps["against"] == "reference")]
    parents = dict(zip(units["unit"], units["parent"], strict=True))
    pooled, drawn, decomposed, by_school = _of_gaps(gaps, parents, schools)
    return {
        "band": _band(shown[shown["unit"].isin(schools)]),
        "consistency": pd.concat(
            [_consistency(of_schools, definitions), _tutors(everyone, units, definitions)], ignore_index=True
        ),
        "funnel": _funnel(of_schools, everyone[everyone["unit"] == "university"], definitions),
        "mode": _modes(everyone, units),
        "pooled_gap": pooled,
        "pooled_gap_school": drawn,
        "decomposition": decomposed,
        "decomposition_school": by_school,
        "inequality": _inequality(shown[(shown["characteristic"] != "all") & (shown["group"] != "Unknown")]),
        "trend": _trend(gaps),
    }


def like_for_like(gaps: pd.DataFrame) -> pd.DataFrame:
    """The gaps with what they are like for like: a little less."""
    made = (gaps["status"] == "shown") & (gaps["against"] == "reference")
    says = np.where(gaps["evidence"].isin(["clear gap", "possible gap"]), "remains", "no clear gap either way")
    value = (gaps["value"] * 0.9).where(made).round(1)
    return gaps.assign(
        ratio=np.nan,
        like_for_like=value,
        like_for_like_lower=gaps["lower"].where(made),
        like_for_like_upper=gaps["upper"].where(made),
        like_for_like_says=np.where(made, says, ""),
    )


def _band(of_schools: pd.DataFrame) -> pd.DataFrame:
    by = of_schools.groupby([*AT, "characteristic", "group"])["value"]
    found = by.agg(lowest="min", middle="median", highest="max", schools="size")
    found = found.assign(low=by.quantile(0.1), high=by.quantile(0.9)).reset_index()
    return found[found["schools"] >= 8].drop(columns="schools")


def _consistency(of_schools: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    proportions = [m.name for m in definitions.metrics.values() if m.kind == "proportion"]
    found = _band(of_schools[of_schools["metric"].isin(proportions)])
    return found[AT].assign(
        unit="university", between="schools", members=28, value=found["middle"].round(),
        odds_ratio=1.5, odds_ratio_lower=1.3, odds_ratio_upper=1.9,
        low=found["low"].round(), high=found["high"].round(), p=0.0,
        says=np.where(found["high"] - found["low"] > 6, "differs beyond chance", "no more than chance"), status="shown",
    )  # fmt: skip


def _tutors(everyone: pd.DataFrame, units: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """Tutors, of whole years: of schools of 200 or more, by turns alike, too few to say and, in every fifth, apart; in
    a typical school apart where students are many. Hidden in one school.
    """
    told = [m.name for m in definitions.metrics.values() if m.kind == "proportion" and m.private]
    whole = everyone[(everyone["part"] == "year") & (everyone["level"] == "all")]
    found = whole[whole["metric"].isin(told) & (whole["base"] >= 200) & whole["value"].between(20, 98)]
    turn = found["unit"].map(dict(zip(units["unit"], range(len(units)), strict=True))).astype(int)
    apart = (turn % 5 == 0) | ~found["unit"].str.startswith("school:") & (found["base"] > 2000)
    vague = ~apart & (turn % 2 == 0)
    wide = turn == 15  # tutors are further apart than is told
    odds = np.select([wide, apart], [5.0, 2.0], 1.0)
    hidden = found["unit"] == "school:ENG2"
    value = found["value"].round()
    logit, reach = np.log(value / (100 - value)), 1.2816 * np.log(odds) / 0.9539
    figures = {
        "members": found["base"] / 15 // 5 * 5, "value": value, "odds_ratio": odds,
        "odds_ratio_upper": np.select([wide, vague, apart], [5.0, 3.5, 2.8], 1.4),
        "low": (100 / (1 + np.exp(reach - logit))).round(), "high": (100 / (1 + np.exp(-reach - logit))).round(),
    }  # fmt: skip
    return found[[*AT, "unit"]].assign(
        between="tutors",
        **{name: pd.Series(figure, found.index).mask(hidden) for name, figure in figures.items()},
        odds_ratio_lower=np.nan,
        p=np.nan,
        says=np.select(
            [hidden | vague, apart & (turn % 10 == 5), apart],
            ["too few to say", "may differ", "differs beyond chance"],
            "no more than chance",
        ),
        status=np.where(hidden, "suppressed", "shown"),
    )


def _funnel(of_schools: pd.DataFrame, university: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    target = university.set_index(AT)["value"].rename("target")
    found = of_schools[[*AT, "unit", "base", "value"]].join(target, on=AT).dropna(subset=["target"])
    spread = found.groupby(AT)["value"].transform("std") * 0.6 + 60 / np.sqrt(found["base"])
    for name, z in LIMITS.items():
        found[name] = (found["target"] + z * spread).clip(lower=0).round(1)
    side = np.select([found["value"] > found["upper"], found["value"] < found["lower"]], ["above", "below"], "")
    far = (found["value"] > found["upper_outer"]) | (found["value"] < found["lower_outer"])
    good = found["metric"].map({m.name: {"higher": "above", "lower": "below"}.get(m.better, "-")
                                for m in definitions.metrics.values()})  # fmt: skip
    words = ["worth learning from", "may be worth learning from", "worth a conversation"]
    says = np.select([far & (side == good), side == good, side != ""], words, "")
    return found.drop(columns="base").assign(
        overdispersion=5.0,
        position=np.where(side == "", "within the limits", side),
        says=np.where(says == "", "within the limits", says),
        status="shown",
    )


def _modes(everyone: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    periods = everyone[["academic_year", "part"]].drop_duplicates()
    grid = periods.merge(units[["unit", "ordering"]], how="cross")
    grid = grid.merge(pd.DataFrame({"mode": list(MODES), "value": list(MODES.values())}), how="cross")
    shift = grid["ordering"] % 9 * np.select([grid["mode"] == "in person", grid["mode"] == "online"], [-2.0, 2.0], 0.0)
    hidden = grid["unit"] == "school:MED1"
    return grid.drop(columns="ordering").assign(
        base=np.where(hidden, np.nan, 1200.0), value=(grid["value"] + shift).where(~hidden),
        status=np.where(hidden, "suppressed", "shown"),
    )  # fmt: skip


def _of_gaps(gaps: pd.DataFrame, parents: dict[str, str], schools: set[str]) -> tuple[pd.DataFrame, ...]:
    whole = gaps[(gaps["level"] == "all") & ~gaps["unit"].isin(schools)]
    own = gaps[(gaps["level"] == "all") & gaps["unit"].isin(schools)]
    value = whole["value"]
    pooled = whole[KEY].assign(
        schools=12, value=(value * 0.9).round(), lower=whole["lower"], upper=whole["upper"], tau=2.0, i2=40.0,
        likely_lower=whole["lower"] - 6, likely_upper=whole["upper"] + 6,
        says=np.where(value.abs() > 5, "differs between schools", "no clear difference between schools"),
        status="shown",
    )  # fmt: skip
    decomposed = whole[KEY].assign(
        value=value.round(1), within_schools=(value * 0.8).round(1), within_schools_lower=whole["lower"],
        within_schools_upper=whole["upper"], which_schools=(value * 0.2).round(1),
        which_schools_lower=value * 0.2 - 1, which_schools_upper=value * 0.2 + 1,
        says=np.where(whole["evidence"] == "clear gap", "mostly within schools", "no clear gap to explain"),
        status="shown",
    )  # fmt: skip
    own = own.assign(school=own["unit"])
    above = [own.assign(unit="university"), own.assign(unit=own["unit"].map(parents))]
    below = pd.concat(above, ignore_index=True)
    drawn = below[[*KEY, "school"]].assign(
        value=(below["value"] * 0.7).round(), lower=below["lower"], upper=below["upper"], status="shown"
    )
    by_school = below[[*KEY, "school"]].assign(
        within_schools=(below["value"] / 28).round(1), which_schools=0.1, status="shown"
    )
    return pooled, drawn, decomposed, by_school


def _inequality(groups: pd.DataFrame) -> pd.DataFrame:
    by = groups.groupby([*AT, "unit", "characteristic"])["value"]
    found = by.agg(groups="size", lowest="min", highest="max", between_group_sd="std").reset_index()
    found = found[found["groups"] >= 2]
    reach = found["highest"] - found["lowest"]
    ordered = found["characteristic"] == "imd_quintile"
    slopes = {name: np.where(ordered, by, np.nan) for name, by in
              {"slope": 7.0, "slope_lower": 5.0, "slope_upper": 9.0, "relative": 1.1, "relative_lower": 1.05,
               "relative_upper": 1.15}.items()}  # fmt: skip
    return found.drop(columns=["lowest", "highest"]).assign(
        **slopes, range=reach, between_group_sd=found["between_group_sd"].round(1), theil=1.0, index_of_disparity=4.0,
        p=0.01, says=np.where(reach > 14, "groups differ", "too few to say"), status="shown",
    )  # fmt: skip


def _trend(gaps: pd.DataFrame) -> pd.DataFrame:
    years = gaps[gaps["part"] == "year"]
    last = years[years["academic_year"] == years["academic_year"].max()]
    return last[["level", "unit", "metric", "characteristic", "group"]].assign(
        of="gap", first_year="2021/22", last_year=last["academic_year"], years=5, change=1.0, lower=-2.0, upper=4.0,
        says="no clear change", status="shown",
    )  # fmt: skip
