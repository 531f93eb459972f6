"""The survey: who answers, what they say of their tutor and how many meetings they recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.example import planted
from pipelines.example.academic_years import AcademicYear
from pipelines.example.planted import STATEMENTS, Effects
from pipelines.example.students import PGT, Columns, is_group, take
from pipelines.example.tutors import Tutors
from pipelines.example.university import SCHOOL_CODES

OPENS, CLOSES = 6 * 7, 11 * 7 + 4  # Monday of teaching week 7 to Friday of week 12
RESPONSE = -0.08  # logit of answering
AGREES = np.array([0.47, 0.53, 0.65, 0.22, 0.68])  # logit of agreeing with each statement, before all effects
HAS_MET = 0.5  # effect of having met the tutor by then
BLANK = 0.005  # share of statements left unanswered


@dataclass(frozen=True)
class Voice:
    """The responses of some enrolments in one year."""

    agrees: np.ndarray  # (responses, statements): probability of answering 4 or 5
    responses: Columns  # who, day, minute, recalled, and each statement's answer (0: left blank)


def voice(
    rng: np.random.Generator, effects: Effects, tutors: Tutors, enrolments: Columns, held: Columns,
    year: AcademicYear,
) -> Voice:  # fmt: skip
    """Draw a year's responses. `held`: attended meetings (who, day), whether or not they were recorded."""
    day = _answer_days(rng, effects, enrolments)
    who = np.flatnonzero((day >= 0) & (day <= year.last_day))
    so_far = held["day"] <= day[held["who"]]
    held_so_far = np.bincount(held["who"][so_far], minlength=len(day))[who]

    day, people = day[who], take(enrolments, who)
    agrees = planted.logistic(_logit(effects, tutors, people, held_so_far > 0, year))
    agree = rng.random(agrees.shape) < agrees
    # The surer a student is to agree, the likelier a 5; the less, the likelier a 1.
    strongly = rng.random(agrees.shape)
    answer = np.where(agree, 4 + (strongly < 0.6 * agrees), 3 - (strongly < 0.6) - (strongly < 0.25))
    answer[rng.random(answer.shape) < BLANK] = 0
    slip = rng.choice([-1, 0, 1], len(who), p=[0.06, 0.88, 0.06])
    return Voice(
        agrees,
        {
            "who": who,
            "day": day,
            "minute": rng.integers(8 * 60, 22 * 60, len(who)),
            "recalled": np.maximum(held_so_far + slip, 0),
        }
        | {name: answer[:, i].astype(np.int8) for i, name in enumerate(STATEMENTS)},
    )


def _answer_days(rng: np.random.Generator, effects: Effects, enrolments: Columns) -> np.ndarray:
    """The day on which each enrolment answers; -1: never."""
    logit = RESPONSE + effects.response[enrolments["school"]] - 0.2 * (enrolments["level"] == PGT)
    for (characteristic, group), effect in planted.ANSWERS_LESS.items():
        logit += np.where(is_group(enrolments, characteristic, group), effect, 0)
    n = len(logit)
    # Most answer soon after the invitation, the others after a reminder.
    wait = np.minimum(rng.geometric(0.06, n), CLOSES - OPENS + 1) - 1
    start, end = enrolments["start"], enrolments["end"]
    there = (start < OPENS) & ((end < 0) | (end > CLOSES))
    return np.where(there & (rng.random(n) < planted.logistic(logit)), OPENS + wait, -1)


def _logit(effects: Effects, tutors: Tutors, people: Columns, has_met: np.ndarray, year: AcademicYear) -> np.ndarray:
    school = people["school"]
    logit = AGREES + effects.voice[school] + (people["satisfaction"] + HAS_MET * has_met)[:, None]
    logit += np.where((people["post"] >= 0)[:, None], tutors.voice[people["post"]], 0)
    closing = school == SCHOOL_CODES.index(planted.CLOSING)
    for (characteristic, group), effect in effects.voice_gaps.items():
        gap = effect[school]
        if characteristic == "disability":
            gap[closing] = planted.closing_gap(year.starts_in)
        logit += np.where(is_group(people, characteristic, group)[:, None], gap, 0)
    return logit
