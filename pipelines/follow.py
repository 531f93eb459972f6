"""Follow: what is counted beside the cells, and told only as far as these are shown.

The curves, weeks and modes of a year, the spread between tutors, and who answered the survey.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipelines import through_the_year, tutors, voice
from pipelines.definitions import Definitions
from pipelines.engines import Connection
from pipelines.model import Modelled, Present
from pipelines.protect import Decision
from pipelines.settings import Settings


@dataclass(frozen=True)
class Counted:
    """Exact counts: none of them needs a decision about cells, so that they can be made while that is taken."""

    year: through_the_year.Counted
    tutors: pd.DataFrame
    survey: voice.Counted


def count(con: Connection, definitions: Definitions, present: Present, modelled: Modelled) -> Counted:
    """Count in the database of a run, after its models; nothing else may use `con` meanwhile."""
    return Counted(
        through_the_year.count(con, definitions, present, modelled),
        tutors.count(con, definitions, present),
        voice.count(con, definitions, present, modelled),
    )


def tables(
    counted: Counted, definitions: Definitions, modelled: Modelled, decision: Decision, settings: Settings
) -> dict[str, pd.DataFrame]:
    """The published tables by name, protected and rounded; of consistency the rows between tutors."""
    return {
        **through_the_year.tables(counted.year, modelled, decision, settings),
        "consistency": tutors.spread(counted.tutors, modelled.schools, decision, settings),
        **voice.tables(counted.survey, definitions, modelled, decision, settings),
    }
