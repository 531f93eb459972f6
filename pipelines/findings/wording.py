"""Numbers and names as they read within a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

Row = Mapping[str, Any]

MOST_DECIMALS = 4
BY_CHANCE = 0.05  # how often a school lies outside 95% limits without being apart
NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(x: float, decimals: int = 0) -> str:
    """1234.5 as '1,235' (or with decimals), with a real minus sign and no minus zero."""
    text = f"{abs(x):,.{decimals}f}"
    return f"−{text}" if x < 0 and text.strip("0.") else text


def value(x: float, metric: Row) -> str:
    """'78%', '2.4'."""
    return number(x, int(metric["decimals"])) + str(metric["suffix"])


def interval(row: Row, metric: Row) -> str:
    """'77% to 79%'."""
    return f"{value(row['lower'], metric)} to {value(row['upper'], metric)}"


def size(x: float, metric: Row) -> str:
    """The size of a difference, without its sign: '9 points', '1 point', '0.4'."""
    text = number(abs(x), int(metric["decimals"]))
    return text + (str(metric["gap_suffix"]).removesuffix("s") if text == "1" else str(metric["gap_suffix"]))


def sizes(lower: float, upper: float, metric: Row, side: float = 0) -> str:
    """The limits of a difference, with its own side (the likelier one, or that of `side`) positive: '8 to 15'.

    Limits on one side of 0 are given with the decimals that show it, as they are published: '0.4 to 8.0'.
    """
    low, high = sorted((lower, upper))
    nearest = min(abs(low), abs(high)) if low * high > 0 else 1
    decimals = int(metric["decimals"])
    while round(nearest, decimals) == 0 and decimals < MOST_DECIMALS:
        decimals += 1
    if (side or low + high) < 0:
        low, high = -high, -low
    return f"{number(low, decimals)} to {number(high, decimals)}"


def more(x: float) -> str:
    """'higher' or 'lower'."""
    return "higher" if x > 0 else "lower"


def about(base: Any, people: str) -> str:
    """'; about 1,235 students', or nothing where the base is not known."""
    return "" if pd.isna(base) else f"; about {number(base)} {people}"


def small(n: int) -> str:
    """A count in words up to ten, in figures beyond."""
    return NUMERALS[n] if n < len(NUMERALS) else number(n)


def by_chance(measures: int) -> str:
    """'Of 14 measures looked at, about one would lie outside in any case': the limits hold 95 in 100."""
    expected = measures * BY_CHANCE
    about = "hardly one" if expected < 0.5 else f"about {small(max(1, round(expected)))}"
    return f"Of {small(measures)} measure{'s' if measures > 1 else ''} looked at, {about} would lie outside in any case"


def listed(names: Sequence[str]) -> str:
    """'A, B and C'."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def quoted(label: str) -> str:
    """A measure's label inside a sentence."""
    return f"‘{label}’"


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
