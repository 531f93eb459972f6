"""Meetings: who met their tutor, how often and when, and what of it reached the record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.example import planted
from pipelines.example.academic_years import TEACHING_WEEKS, AcademicYear
from pipelines.example.planted import Effects
from pipelines.example.students import Columns, is_group, take
from pipelines.example.tutors import Tutors
from pipelines.example.university import SCHOOL_CODES

MODES = ("in person", "online", "phone", "group", "other")
STATUSES = ("attended", "missed", "cancelled")
STARTERS = ("student", "tutor", "school")
DURATIONS = (15, 20, 30, 45, 60)

ANY_MEETING = np.array([2.4, 2.15, 2.8])  # logit of meeting at all, by level
MORE_MEETINGS = np.array([3.75, 2.8, 6.0])  # attended meetings beyond the first, by level
MISSED, CANCELLED = 0.46, 0.28  # a student
WITHOUT_TUTOR = -0.7  # effect of having no named tutor

# Relative frequency of meetings by teaching week: busy at the start, before Christmas, in January and in
# early spring; the university is closed in weeks 13 and 14 and over Easter.
_WAVES = {1: 3, 2: 4, 3: 3, 8: 2.5, 9: 3, 10: 2.5, 13: 0, 14: 0, 15: 2.5, 16: 2.5, 27: 0.1, 28: 0.1}
_WAVES |= dict.fromkeys(range(20, 25), 2)
WEEKS = np.arange(1, TEACHING_WEEKS + 1)
WAVES = np.array([_WAVES.get(int(week), 0.7) for week in WEEKS])
WELCOME = np.where(WEEKS <= 10, 0.62**WEEKS, 0) + 0.004 * WAVES  # of the first attended meeting


@dataclass(frozen=True)
class Contact:
    """What happened to some enrolments in one year."""

    any_recorded: np.ndarray  # probability, by enrolment, that an attended meeting is on the record
    held: Columns  # attended meetings up to the year's last day, recorded or not: who, day
    record: Columns  # meetings on record, in order of day: who, day, status, mode, post, group, ...


def contact(
    rng: np.random.Generator, seed: int, effects: Effects, tutors: Tutors, enrolments: Columns,
    year: AcademicYear,
) -> Contact:  # fmt: skip
    """Draw a year's meetings of some enrolments.

    A student meets their tutor at all with probability p, then 1 + Poisson(m) times; each meeting is
    recorded with probability r. So one is on the record with probability p (1 - (1 - r) exp(-m r)).
    """
    school, level = enrolments["school"], enrolments["level"]
    everywhere, drift = planted.year_effect(seed, year.starts_in)
    has_tutor = enrolments["post"] >= 0
    logit = ANY_MEETING[level] + everywhere + effects.contact[school] + drift[school] + enrolments["engagement"]
    logit += np.where(has_tutor, tutors.contact[enrolments["post"]], WITHOUT_TUTOR)
    for (characteristic, group), effect in effects.contact_gaps.items():
        logit += np.where(is_group(enrolments, characteristic, group), effect[school], 0)
    closing = (school == SCHOOL_CODES.index(planted.CLOSING)) & is_group(enrolments, "disability", "Disabled")
    logit += np.where(closing, planted.closing_gap(year.starts_in), 0)

    p = planted.logistic(logit)
    more = MORE_MEETINGS[level] * np.exp(0.3 * effects.contact[school] + 0.5 * enrolments["engagement"] - 0.04)
    r = effects.logged[school]
    any_recorded = p * (1 - (1 - r) * np.exp(-more * r))

    attended = np.where(rng.random(len(p)) < p, 1 + rng.poisson(more), 0)
    meetings = _meetings(rng, effects, enrolments, attended)
    meetings = take(meetings, np.flatnonzero(meetings["day"] <= year.last_day))
    was_attended = meetings["status"] == STATUSES.index("attended")
    held = {name: meetings[name][was_attended] for name in ("who", "day")}
    recorded = rng.random(len(was_attended)) < r[meetings["who"]]
    record = take(meetings, np.flatnonzero(recorded))
    record = take(record, np.argsort(record["day"], kind="stable"))
    return Contact(any_recorded, held, record | _details(rng, effects, tutors, enrolments, record, year))


def _meetings(rng: np.random.Generator, effects: Effects, enrolments: Columns, attended: np.ndarray) -> Columns:
    """When each enrolment's meetings were, and what became of them."""
    n = len(attended)
    counts = (attended, rng.poisson(MISSED, n), rng.poisson(CANCELLED, n))
    who = np.concatenate([np.repeat(np.arange(n, dtype=np.int32), count) for count in counts])
    status = np.repeat(np.arange(len(STATUSES), dtype=np.int8), [int(count.sum()) for count in counts])
    first = np.zeros(len(who), bool)
    met = attended > 0
    first[(np.cumsum(attended) - attended)[met]] = True

    u = rng.random(len(who))
    week = np.where(
        first,
        np.searchsorted(np.cumsum(WELCOME / WELCOME.sum()), u),
        np.searchsorted(np.cumsum(WAVES / WAVES.sum()), u),
    )  # 0 is teaching week 1
    start, end = enrolments["start"][who], enrolments["end"][who]
    week = np.where(week * 7 < start, start // 7 + week % 3, week)
    week = np.where((end >= 0) & (week * 7 + 6 > end), np.maximum(end // 7 - 1 - week % 2, start // 7), week)
    week = np.minimum(week, TEACHING_WEEKS - 1)
    day = (week * 7 + rng.integers(0, 5, len(who))).astype(np.int16)
    return {"who": who, "day": day, "status": status, "first": first}


def _details(
    rng: np.random.Generator, effects: Effects, tutors: Tutors, enrolments: Columns, record: Columns,
    year: AcademicYear,
) -> Columns:  # fmt: skip
    """With whom, how, how long, and who asked."""
    who, n = record["who"], len(record["who"])
    school, own = enrolments["school"][who], enrolments["post"][who]
    post = np.where((own >= 0) & (rng.random(n) < 0.92), own, tutors.any_post(rng, school))

    # More was online in 2021/22, and a little less each year since.
    online = effects.online[school] * (1 + 0.8 * 0.5 ** (year.starts_in - 2021))
    u = rng.random(n)
    mode = np.where(u < 0.05, MODES.index("phone"), np.where(u < 0.06, MODES.index("other"), 0))
    mode = np.where((u >= 0.06) & (u < 0.06 + online), MODES.index("online"), mode)
    # Only a student's first meeting may be one of a group, so that nobody is in one twice.
    group = record["first"] & (record["day"] < 21) & (rng.random(n) < 0.3)
    return {
        "post": post.astype(np.int32),
        "mode": np.where(group, MODES.index("group"), mode).astype(np.int8),
        "duration": rng.choice(len(DURATIONS), n, p=[0.15, 0.2, 0.4, 0.15, 0.1]).astype(np.int8),
        "starter": rng.choice(len(STARTERS), n, p=[0.25, 0.65, 0.1]).astype(np.int8),
    }
