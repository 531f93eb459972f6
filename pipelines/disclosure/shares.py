"""Shares that are not cells: which to hide by the primary rules, and how they and their bases are rounded."""

from __future__ import annotations

import pandas as pd

from pipelines.disclosure import rules
from pipelines.settings import Rules

PERCENT = 100.0


def hidden(
    counts: pd.DataFrame, limits: Rules, *, private: bool = True, voice: bool = False, respondents: bool = False
) -> pd.Series:
    """True for the shares that must not be shown. counts: n (base) and sx (numerator)."""
    share = frozenset({"share"})
    return rules.primary(
        counts[["n", "sx"]].assign(metric="share", have_some=counts["sx"], lack_some=counts["n"] - counts["sx"]),
        percentage=share,
        private=share if private else frozenset(),
        voice=share if voice else frozenset(),
        counts_respondents=share if respondents else frozenset(),
        **limits.model_dump(include=set(rules.PRIMARY)),
    )


def bases(counts: pd.Series, hide: pd.Series, limits: Rules) -> pd.Series:
    """Counts as they may be shown; missing where hidden."""
    rounded = pd.Series(rules.to_nearest(counts, limits.round_bases_to), index=counts.index)
    return rounded.mask(hide).astype("Int64")


def rounded(values: pd.Series, hide: pd.Series, scale: float = PERCENT, decimals: int = 0) -> pd.Series:
    """Values in the units readers see; missing where hidden."""
    return pd.Series(rules.half_up(values * scale, decimals), index=values.index).mask(hide)


def limits_of(
    lower: pd.Series, upper: pd.Series, hide: pd.Series, scale: float = PERCENT, decimals: int = 0
) -> tuple[pd.Series, pd.Series]:
    """The same for a pair of limits, away from each other."""
    down, up = rules.down(lower * scale, decimals), rules.up(upper * scale, decimals)
    return pd.Series(down, index=lower.index).mask(hide), pd.Series(up, index=upper.index).mask(hide)


def status(hide: pd.Series) -> pd.Series:
    """shown or suppressed."""
    return hide.map({True: rules.SUPPRESSED, False: rules.SHOWN}).astype(object)


def texts(table: pd.DataFrame) -> pd.DataFrame:
    """The table with text typed as text, so that an empty one is written with the same columns as any other."""
    return table.astype(dict.fromkeys(table.select_dtypes("object").columns, "str"))
