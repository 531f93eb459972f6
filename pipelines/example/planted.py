"""What is planted in the example university: the effects that a good analysis must find again.

Effects are on the logit scale unless said. Those of schools are drawn from the seed; the roles below
are fixed, so that documentation and tests can name them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.example.university import SCHOOL_CODES, SCHOOLS

STATEMENTS = ("knows_me", "trust", "supported", "part_of_journey", "belonging")

OUTSTANDING = ("LANG", "HLTH")  # best on contact and on every statement
NON_LOGGING = ("POLI", "COMP", "MATH")  # meet their students, and record about three meetings in ten
CLOSING = "LAWS"  # its disability gap is wide, and gone from CLOSED_FROM on
CLOSED_FROM = 2024

# Gaps inside every school: (characteristic, group) -> mean effect.
CONTACT_GAPS = {("first_in_family", "First in family"): -0.55}
VOICE_GAPS = {
    ("disability", "Disabled"): {"knows_me": -0.5, "trust": -0.5, "supported": -0.35, "belonging": -0.25},
    ("ethnicity", "Black"): {"knows_me": -0.55, "trust": -0.6, "part_of_journey": -0.3, "belonging": -0.4},
}
GAP_SPREAD = 0.2  # between schools, as a standard deviation

# No effect inside any school, but concentrated in the schools with little contact.
COMPOSITION_ONLY = ("commuter", "Commuter")

# Who answers the survey less.
ANSWERS_LESS = {
    ("fee_status", "International"): -0.5,
    ("sex", "Male"): -0.4,
    ("first_in_family", "First in family"): -0.15,
}

CLOSING_GAP = -1.2  # of disabled students in the closing school before the change: contact and voice


@dataclass(frozen=True)
class Effects:
    """What makes schools differ. Arrays over schools, in the order of SCHOOLS; voice: (schools, statements)."""

    contact: np.ndarray
    voice: np.ndarray
    contact_gaps: dict[tuple[str, str], np.ndarray]  # (characteristic, group) -> (schools)
    voice_gaps: dict[tuple[str, str], np.ndarray]  # (characteristic, group) -> (schools, statements)
    response: np.ndarray
    logged: np.ndarray  # share of meetings that reach the record
    commuters: np.ndarray  # share of students who commute
    online: np.ndarray  # share of meetings held online
    tutored: np.ndarray  # share of students with a named tutor
    tutees: np.ndarray  # students to a tutor


def draw(seed: int) -> Effects:
    """Draw the schools' effects for a seed."""
    rng = np.random.default_rng([seed, 1])
    schools, statements = len(SCHOOLS), len(STATEMENTS)
    outstanding = np.isin(SCHOOL_CODES, OUTSTANDING)
    non_logging = np.isin(SCHOOL_CODES, NON_LOGGING)

    # Clipped, so that no school comes near the outstanding ones by luck.
    z = np.clip(rng.normal(size=schools), -1.6, 1.3)
    contact = np.where(outstanding, 1.6, 0.55 * z)
    own = rng.normal(size=(schools, 1)) + 0.4 * rng.normal(size=(schools, statements))
    voice = np.where(outstanding[:, None], 1.1, 0.32 * np.clip(0.5 * z[:, None] + 0.8 * own, -1.7, 1.1))

    contact_gaps = {group: mean + GAP_SPREAD / 2 * rng.normal(size=schools) for group, mean in CONTACT_GAPS.items()}
    voice_gaps = {
        group: np.array([means.get(s, 0.0) for s in STATEMENTS])
        + GAP_SPREAD * rng.normal(size=(schools, 1)) * np.array([s in means for s in STATEMENTS])
        for group, means in VOICE_GAPS.items()
    }
    return Effects(
        contact=contact,
        voice=voice,
        contact_gaps=contact_gaps,
        voice_gaps=voice_gaps,
        response=rng.normal(0, 0.15, schools),
        logged=np.where(non_logging, rng.uniform(0.25, 0.35, schools), rng.uniform(0.95, 1.0, schools)),
        commuters=logistic(-0.9 - 1.1 * np.minimum(contact / 0.55, 1.3) + rng.normal(0, 0.25, schools)),
        online=rng.uniform(0.08, 0.5, schools),
        tutored=rng.uniform(0.92, 0.995, schools),
        tutees=rng.uniform(12, 26, schools),
    )


def closing_gap(year: int) -> float:
    """The disability effect in the closing school, in the academic year that starts in `year`."""
    return CLOSING_GAP if year < CLOSED_FROM else 0.0


def year_effect(seed: int, year: int) -> tuple[float, np.ndarray]:
    """How an academic year shifts contact: everywhere, and in each school."""
    rng = np.random.default_rng([seed, 2, year])
    return 0.03 * (year - 2023), rng.normal(0, 0.08, len(SCHOOLS))


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
