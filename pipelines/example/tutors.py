"""Tutors: who they are, and how they differ in contact and in what students say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.example.planted import STATEMENTS, Effects
from pipelines.example.university import SCHOOLS

TURNOVER = 0.07  # share of tutors who leave between two years
SPREAD = 0.35  # of tutors within a school, as a standard deviation on the logit scale


@dataclass(frozen=True)
class Tutors:
    """The tutors of one year. Arrays over posts: a student keeps the post when its holder changes."""

    school: np.ndarray  # index of the school
    first: np.ndarray  # (schools + 1): the posts of school s are first[s] to first[s + 1] - 1
    number: np.ndarray  # staff number of the holder
    name: np.ndarray  # random integers the names are made from
    contact: np.ndarray  # effect on contact
    voice: np.ndarray  # (posts, statements): effects on the statements
    fte: np.ndarray

    @property
    def ids(self) -> list[str]:
        """Staff numbers as the extracts write them."""
        return [f"T{number:06}" for number in self.number.tolist()]

    def any_post(self, rng: np.random.Generator, school: np.ndarray) -> np.ndarray:
        """A post of each school in `school`, at random."""
        first = self.first[school]
        return (first + rng.random(len(school)) * (self.first[school + 1] - first)).astype(np.int32)


def appoint(rng: np.random.Generator, effects: Effects, students: np.ndarray) -> Tutors:
    """The tutors of the first year, for so many students in each school."""
    posts = np.maximum(2, np.ceil(students / effects.tutees)).astype(np.int64)
    school = np.repeat(np.arange(len(SCHOOLS)), posts)
    first = np.concatenate([[0], np.cumsum(posts)])
    return Tutors(school, first, *_people(rng, len(school), 0))


def turn_over(rng: np.random.Generator, tutors: Tutors) -> Tutors:
    """The next year's tutors: some posts have new holders, and everyone's hours are set again."""
    gone = rng.random(len(tutors.school)) < TURNOVER
    number, name, contact, voice, fte = _people(rng, len(gone), int(tutors.number.max()) + 1)
    return Tutors(
        tutors.school,
        tutors.first,
        np.where(gone, number, tutors.number),
        np.where(gone, name, tutors.name),
        np.where(gone, contact, tutors.contact),
        np.where(gone[:, None], voice, tutors.voice),
        np.where(gone | (rng.random(len(gone)) < 0.1), fte, tutors.fte),
    )


def _people(rng: np.random.Generator, n: int, first_number: int) -> tuple[np.ndarray, ...]:
    shared = rng.normal(size=(n, 1))
    apart = rng.normal(size=(n, len(STATEMENTS)))
    return (
        first_number + np.arange(n),
        rng.integers(0, 2**31, n),
        SPREAD * rng.normal(size=n),
        SPREAD * (0.8 * shared + 0.6 * apart),
        rng.choice([0.4, 0.5, 0.6, 0.8, 1.0], n, p=[0.05, 0.1, 0.1, 0.15, 0.6]),
    )
