"""Unknown schools: codes that the schools extract does not have, and the lines that say which schools they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from pipelines.engines import Connection
from pipelines.errors import closest, entries, is_like_a_code, plain
from pipelines.reconciliation import FEWEST_LOST, LONGEST_VALUE

MOST_CODES = 10
# words that many schools share, so that they tell none
SHARED = frozenset(
    ("school", "department", "dept", "faculty", "institute", "centre", "center", "of", "for", "the", "and", "in")
)


def unknown_schools(con: Connection) -> list[str]:
    """Which codes the schools extract does not have, where that costs five rows or more of a table, with the lines for
    sources.toml; quoted is what is like a code, or the name of a school. Needs quarantine and stg_schools.
    """
    found = con.execute("""
        select table_name, value, count(*) as lost from quarantine
        where expectation = table_name || '.school_known'
        group by table_name, value
        order by count(*) desc, table_name, value
    """).fetchall()
    tables, codes = Counter[str](), Counter[str]()
    for table, value, rows in found:
        tables[table] += rows
        codes[value] += rows
    if not tables or max(tables.values()) < FEWEST_LOST:
        return []
    schools = dict(con.execute("select school_code, school_name from stg_schools order by school_code").fetchall())
    named = {plain(name[:LONGEST_VALUE]) for name in schools.values()}
    told = [
        (value, rows) for value, rows in codes.most_common() if is_like_a_code(value, rows) or plain(value) in named
    ]
    return [_in_words(tables, dict(told[:MOST_CODES]), len(codes), schools)]


def _in_words(tables: Mapping[str, int], told: Mapping[str, int], codes: int, schools: Mapping[str, str]) -> str:
    lost = ", ".join(f"{table} {rows:,}" for table, rows in tables.items())
    quoted = [f"'{value}' ({rows:,})" for value, rows in told.items()]
    if hidden := codes - len(told):
        quoted.append(f"{hidden:,} {'more ' if told else ''}not shown here")
    said = (
        f"Rows whose school is not in the schools extract are set aside ({lost}), with the codes {', '.join(quoted)}."
    )
    if not told:
        return f"{said} Look at school_code in the extracts: it seems to hold something else."
    meant = {value: guess(value, schools) for value in told}
    guessed = " (these are guesses)" if any(meant.values()) else ""
    return "\n".join(
        [
            said,
            f"    Add the schools to their extract, or write in sources.toml which school each is{guessed}:",
            *entries("codes.school_code", {value: code or "…" for value, code in meant.items()}),
        ]
    )


def guess(value: str, schools: Mapping[str, str]) -> str | None:
    """The code of the school that a value probably means: by its name, its code, or what is closest to either.

    schools: code → name.
    """
    by_name = {plain(name[:LONGEST_VALUE]): code for code, name in schools.items()}
    by_code = {plain(code): code for code in schools}
    by_words = {_own_words(name): code for code, name in schools.items()}
    exact = by_name.get(plain(value)) or by_code.get(plain(value)) or by_words.get(_own_words(value))
    if exact:
        return exact
    near = closest(_own_words(value), [*by_words, *schools])
    return by_words.get(near, near) if near else None


def _own_words(name: str) -> str:
    """A name without the words that many schools share: 'law' of 'School of Law' and of 'Law School'."""
    found = re.findall(r"\w+", name.casefold())
    return " ".join(word for word in found if word not in SHARED) or name
