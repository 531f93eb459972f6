"""Is anything hidden ever worked out? Random universities with sparse groups, protected, then attacked.

Each is released twice: a year later there is a year more, and late corrections have changed rows of the years that
were published. The attacker sees both releases. To see that it bites, it also attacks what the primary rules alone
would hide, and a second release that forgets the first.

    python -m tests.attack.universities [--universities 20]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines import definitions as definition_files
from pipelines.disclosure import ledger, patterns, tables
from pipelines.disclosure.attacker import Attack, Bar, Metrics, attack
from pipelines.disclosure.places import COUNTS, KEY
from pipelines.model import Modelled
from pipelines.protect import Decision, protect, small_cells, unlisted
from pipelines.settings import Settings
from tests import reference_cells

DEFINITIONS = definition_files.load()
YEARS = ("2023/24", "2024/25")
LEVELS = {"UG": 0.72, "PGT": 0.23, "PGR": 0.05}
SEX = {"Female": 0.55, "Male": 0.43, "Other": 0.02}
ETHNICITY = {"Asian": 0.12, "Black": 0.06, "Mixed": 0.03, "Other": 0.02, "Unknown": 0.05, "White": 0.72}
OF_STUDENTS = ["has_tutor", "any_meeting", "no_meeting", "met_standard", "meetings_per_student", "attendance",
               "response_rate"]  # fmt: skip
OF_ANSWERS = ["trust", "knows_me"]
RELEASE = "2026-11-29T000000Z-0000"
CORRECTED = 0.01  # of the rows, each way
COLUMNS = ("cells", "hidden", "corrected", "broken at first", "at second", "unlisted", "primary rules alone",
           "without the ledger")  # fmt: skip


@dataclass(frozen=True)
class University:
    """One row per student, year and school, and the schools."""

    students: pd.DataFrame
    schools: pd.DataFrame


def university(rng: np.random.Generator) -> University:
    """Schools from a handful of students to a few hundred, which differ in who is in them and in how many meet."""
    count, faculties = rng.integers(4, 9), rng.integers(1, 4)
    codes = [f"S{i}" for i in range(count)]
    schools = pd.DataFrame({"school_code": codes, "faculty_code": [f"F{i % faculties}" for i in range(count)]})
    rows, typical = [], rng.choice([4.0, 4.8, 5.6])
    for code in codes:
        mix = {name: rng.dirichlet(np.array(list(of.values())) * 12) for name, of in _MIXES.items()}
        size, met = np.exp(rng.normal(typical, 0.8)), rng.choice([0.7, 0.93, 0.99])
        for year in YEARS:
            n = int(rng.poisson(size)) + 1
            drawn = {name: rng.choice(list(_MIXES[name]), n, p=p) for name, p in mix.items()}
            rows.append(pd.DataFrame(drawn).assign(school_code=code, academic_year=year, met=met))
    students = pd.concat(rows, ignore_index=True)
    n = len(students)
    attended = np.where(rng.random(n) < students["met"], 1 + rng.poisson(2, n), 0)
    students["attended"], students["missed"] = attended, rng.poisson(0.4, n)
    students["has_tutor"] = rng.random(n) < 0.96
    students["throughout"] = rng.random(n) < 0.9
    students["answered"] = rng.random(n) < rng.choice([0.2, 0.45])
    for statement in OF_ANSWERS:
        students[statement] = rng.random(n) < rng.choice([0.65, 0.95])
    return University(students, schools)


_MIXES = {"level": LEVELS, "sex": SEX, "ethnicity": ETHNICITY}


def corrected(of: University, rng: np.random.Generator) -> University:
    """The same with late corrections: a few rows are gone, a few come, a few say something else."""
    students = of.students
    late = students[rng.random(len(students)) < CORRECTED]
    students = pd.concat([students[rng.random(len(students)) >= CORRECTED], late], ignore_index=True)
    wrong = rng.random(len(students)) < CORRECTED
    students.loc[wrong, "attended"] = np.where(students.loc[wrong, "attended"] > 0, 0, 1)
    students.loc[rng.random(len(students)) < CORRECTED, "ethnicity"] = "White"
    return University(students, of.schools)


def modelled(of: University, years: tuple[str, ...]) -> Modelled:
    """The cells of some years."""
    s = reference_cells.with_broader(of.students[of.students["academic_year"].isin(years)], DEFINITIONS)
    met = s["attended"] > 0
    counted = s["attended"] + s["missed"]
    s = s.assign(
        x_has_tutor=s["has_tutor"], x_any_meeting=met, x_no_meeting=~met, x_meetings_per_student=s["attended"],
        x_met_standard=(s["attended"] >= 2).astype(float).where(s["throughout"]),
        x_attendance=s["attended"].where(counted > 0), y_attendance=counted.where(counted > 0),
        x_response_rate=s["answered"], **{f"x_{name}": s[name] for name in OF_ANSWERS},
    )  # fmt: skip
    about = ["sex", "ethnicity", "ethnicity_broad"]
    sums = [
        *reference_cells.aggregate(s, about, OF_STUDENTS),
        *reference_cells.aggregate(s[s["answered"]], about, OF_ANSWERS),
    ]
    cells = reference_cells.rolled_up(pd.concat(sums).assign(part="year"), of.schools)
    periods = pd.DataFrame({"academic_year": list(years), "part": "year", "through_week": 31, "has_groups": True})
    return Modelled(cells, periods, of.schools, None)


def released(made: Modelled, settings: Settings, folder: Path | None = None, revised: Collection[str] = ()) -> Decision:
    """What is shown of it, and hidden, after all that was published from `folder` before; and so it is published."""
    published = ledger.load(folder, RELEASE) if folder else None
    decision = protect(made, DEFINITIONS, settings, published, revised=revised)
    if folder:
        ledger.save(
            folder, RELEASE, published or ledger.NOTHING, decision.cells, decision.why, made.periods, decision.terms
        )
    return decision


def primary_alone(made: Modelled, settings: Settings) -> Decision:
    """What would be shown without secondary suppression."""
    small = small_cells(made.cells, DEFINITIONS, settings)
    why = np.select([unlisted(made.cells), small], [patterns.UNLISTED, patterns.SMALL], patterns.SHOWN)
    return Decision(made.cells, pd.Series(why, index=made.cells.index), {})


def attacked(
    decision: Decision,
    schools: pd.DataFrame,
    settings: Settings,
    earlier: Decision | None = None,
    more: pd.DataFrame | None = None,
) -> Attack:
    """The attack on a release, by somebody who has an earlier one. more: cells that are attacked too, KEY."""
    metrics = DEFINITIONS.metrics.values()
    rules = settings.rules
    hidden = decision.cells.loc[decision.hidden & decision.listed, KEY]
    return attack(
        _counts(decision, ~decision.hidden),
        hidden if more is None else pd.concat([hidden, more]),
        schools,
        Metrics(
            {m.name: m.grain for m in metrics},
            {m.name: m.kind for m in metrics},
            frozenset(m.name for m in metrics if m.private),
        ),
        Bar(rules.narrowest_base, rules.narrowest_margin, rules.smallest_base, hidden_hold_someone=more is None),
        broader={c.name: (c.of, c.join) for c in DEFINITIONS.characteristics.values() if c.of},
        earlier=_counts(earlier, ~earlier.hidden) if earlier else None,
    )


def small_unlisted(decision: Decision, schools: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Cells outside the closed list that are too small to show, and that what is shown gives away."""
    cells = decision.cells[~decision.listed]
    about = ["metric", "characteristic", "group"]
    everyone = decision.cells[decision.cells["characteristic"] == tables.EVERYONE]
    places = everyone[[c for c in KEY if c not in about]].drop_duplicates()
    possible = places.merge(cells[about].drop_duplicates(), how="cross")  # whoever attacks cannot tell which are empty
    found = attacked(decision, schools, settings, more=possible[unlisted(possible)][KEY]).broken
    small = cells[small_cells(cells, DEFINITIONS, settings)]
    return found.merge(small[KEY], on=KEY)


def _counts(decision: Decision, which: pd.Series) -> pd.DataFrame:
    cells = decision.cells[which].rename(columns={"have_some": "have", "lack_some": "lack"})
    return cells[[*KEY, *COUNTS]].astype(dict.fromkeys(COUNTS, int))


@dataclass(frozen=True)
class Found:
    """A university's two releases and the attacks on them, and on what they would be with less care."""

    first: Decision
    second: Decision
    revised: Decision  # the first year anew, with its corrections
    of_first: Attack
    of_second: Attack
    unlisted: pd.DataFrame  # small cells outside the closed list that the first gives away
    careless: Attack  # primary rules alone
    forgetful: Attack  # a second release without the ledger


def released_twice(seed: int, settings: Settings) -> Found:
    """The releases and attacks of one random university."""
    rng = np.random.default_rng(seed)
    before = university(rng)
    after = corrected(before, rng)
    schools = before.schools
    with tempfile.TemporaryDirectory() as folder:
        first = released(modelled(before, YEARS[:1]), settings, Path(folder))
        second = released(modelled(after, YEARS), settings, Path(folder))
        revised = released(modelled(after, YEARS[:1]), settings, Path(folder), YEARS[:1])
    again = released(modelled(after, YEARS[:1]), settings)
    careless = primary_alone(modelled(before, YEARS[:1]), settings)
    return Found(
        first,
        second,
        revised,
        attacked(first, schools, settings),
        attacked(second, schools, settings, first),
        small_unlisted(first, schools, settings),
        attacked(careless, schools, settings),
        attacked(again, schools, settings, first),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--universities", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    options = parser.parse_args()
    print("".join(f"{name:>{len(name) + 3}}" for name in ("university", *COLUMNS)))
    settings, total = Settings(), np.zeros(len(COLUMNS), int)
    for seed in range(options.first, options.first + options.universities):
        row = _row(released_twice(seed, settings))
        total += row
        print(_line(str(seed), row), flush=True)
    print(_line("all", total))


def _row(found: Found) -> np.ndarray:
    broken = [len(a.broken) + len(a.differenced) for a in (found.of_first, found.of_second)]
    less_care = [len(found.careless.broken), len(found.forgetful.broken) + len(found.forgetful.differenced)]
    hidden = (found.second.hidden & found.second.listed).sum()
    return np.array(
        [found.second.listed.sum(), hidden, found.second.differing.total(), *broken, len(found.unlisted), *less_care]
    )


def _line(name: str, row: np.ndarray) -> str:
    return f"{name:>13}" + "".join(f"{n:>{len(name) + 3},}" for name, n in zip(COLUMNS, row, strict=True))


if __name__ == "__main__":
    main()
