"""What is said to the people whose files cannot be used."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence

FEWEST_TO_QUOTE = 5  # a value found less often than this may stand for one person
LONGEST_CODE = 20  # characters
LONGEST_SHAPE = 30  # characters
FEWEST_TO_TELL = 5  # fewer values than this that cannot be used never stop a run
MOST_QUOTED = 50  # values in one message
# answers to choose from: so few different ones, each so often and no longer, are no names of people
FEW_CHOICES, FEWEST_OF_A_CHOICE, LONGEST_CHOICE = 15, 20, 60


class InputError(Exception):
    """A problem with the university's files, or with the mapping of them.

    `str()` is the whole message for the user: which file and column, what was found, and what to write
    in sources.toml. One error lists every problem found, so that they can be mended in one go.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        if len(self.problems) == 1:
            super().__init__(self.problems[0])
        else:
            listed = "\n\n".join(f"{n}. {p}" for n, p in enumerate(self.problems, 1))
            super().__init__(f"{len(self.problems)} problems with the input:\n\n{listed}")


def plain(name: str) -> str:
    """A name as it is compared: without case, spaces, underscores and hyphens."""
    return re.sub(r"[\s_\-]+", "", name).casefold()


def closest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` was probably meant to be, if any."""
    by_plain = {plain(k): k for k in known}
    found = difflib.get_close_matches(plain(name), by_plain, n=1, cutoff=0.6)
    return by_plain[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """' Did you mean …?' or nothing."""
    match = closest(name, known)
    return f" Did you mean '{match}'?" if match else ""


def is_personal(text: str) -> bool:
    """Whether a text from a file may say something about a person, so that no message may quote it."""
    return "@" in text or bool(re.search(r"\d{4}", text)) or len(text) > 40


def is_like_a_code(text: str, times: int) -> bool:
    """Whether a value found so many times is rather a code than something about a person: only then is it quoted."""
    return (
        times >= FEWEST_TO_QUOTE
        and len(text) <= LONGEST_CODE
        and len(text.split()) <= 2
        and "@" not in text
        and not re.search(r"\d{5}", text)
    )


def quotable(found: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Those of a column's values, with how many rows each has, that a message may quote: codes, and where there are few
    different values that come often, answers to choose from.
    """
    choices = len(found) <= FEW_CHOICES
    return [
        (value, rows)
        for value, rows in found
        if is_like_a_code(value, rows) or (choices and rows >= FEWEST_OF_A_CHOICE and _is_like_a_choice(value))
    ][:MOST_QUOTED]


def _is_like_a_choice(text: str) -> bool:
    return len(text) <= LONGEST_CHOICE and "@" not in text and not re.search(r"\d{4}", text)


def entries(heading: str, meant: Mapping[str, str]) -> list[str]:
    """The lines of sources.toml, as messages propose them, that say what each value means."""
    pairs = (" = ".join(json.dumps(text, ensure_ascii=False) for text in pair) for pair in meant.items())
    return [f"        [{heading}]", *(f"        {pair}" for pair in pairs)]


def shape(value: str) -> str:
    """How a value is written, without saying it: 9 for a digit, x for a letter."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", value))[:LONGEST_SHAPE]
