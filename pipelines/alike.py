"""Alike: identifiers that are in no row of the table they refer to, and would be if both were written alike.

A spreadsheet that drops leading zeros, or a number beside an e-mail address, would otherwise show as students who never
met anybody. Looked for among what is read in this run, before pseudonyms make identifiers unlike each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engines import Connection
from pipelines.errors import FEWEST_TO_TELL, shape
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.extract import Extracted

# whose identifiers, the table that lists them all, and those that refer to it
REFERENCES = {"student": ("enrolments", ("meetings", "feedback")), "tutor": ("tutors", ("enrolments", "meetings"))}
HARDLY_ANY = 0.05  # of the identifiers that match: then the two tables speak of people in different ways
BETWEEN = re.compile(r"[,;/&|\s]+")  # several identifiers in one value
SHORTEST_PART = 3  # characters


@dataclass(frozen=True)
class Form:
    """A way to write identifiers alike: what it leaves of one, in words, and as a part of [parts]."""

    of: Callable[[str], str]
    says: str
    part: str


FORMS = (
    Form(lambda text: text.lstrip("0"), "without leading zeros", "0*(.+)"),
    Form(lambda text: text.partition("@")[0], "without what follows the @", "([^@]+)(?:@.*)?"),
    Form(
        lambda text: (re.findall(r"\d+", text) or [""])[0].lstrip("0"),
        "by their first number alone, without leading zeros",
        "[^0-9]*0*([0-9]+).*",
    ),
)


def alike(con: Connection, extracted: Extracted, settings: Settings) -> tuple[list[str], list[str]]:
    """What stops a run, with the lines to write, and what is only worth a remark. Needs raw_<table>.

    A table is not looked at where it, or the one it refers to, has files that are unchanged since the last run.
    """
    problems, remarks = list[str](), list[str]()
    for person, (listing, tables) in REFERENCES.items():
        column = f"{person}_id"
        for table in tables:
            there = all(
                column in extracted.present[name] and not extracted.unchanged(name) for name in (listing, table)
            )
            if there and (unmatched := _unmatched(con, table, listing, column)):
                listed = [str(value) for (value,) in con.execute(_different(listing, column)).fetchall()]
                total = con.execute(f"select count(*) from ({_different(table, column)}) as each").fetchall()[0][0]
                said = said_of(table, listing, column, unmatched, listed, int(total), settings.most_unmapped)
                (problems if "[parts]" in said else remarks).extend([said] if said else [])
    return problems, remarks


def said_of(
    table: str, listing: str, column: str, unmatched: Mapping[str, int], listed: Sequence[str], total: int, most: float
) -> str:
    """What is said of the identifiers of a table that are not in `listing`, or ''.

    unmatched: these, in capitals, with how many rows each has. listed: those of `listing`. total: how many different
    ones the table has. most: the largest share that may be unmatched for a reason that can be mended.
    """
    about = f"{table}: {len(unmatched):,} of {total:,} different values of '{column}' are in no row of {listing}"
    by_form = {f: {left: v for v in listed if len(left := f.of(v)) >= SHORTEST_PART} for f in FORMS}
    for form, known in by_form.items():
        found = [value for value in unmatched if form.of(value) in known]
        told_apart = len(known) >= (1 - most) * len(listed)
        if told_apart and len(found) >= FEWEST_TO_TELL and len(found) > most * total:
            example = f"{shape(found[0])} for {shape(known[form.of(found[0])])}"
            return (
                f"{about}; {len(found):,} of them would be, {form.says} (such as {example}; 9: a digit, x: a letter).\n"
                f"    Write in sources.toml which part of each value counts, in every table:\n"
                f"        [parts]\n"
                f"        {column} = '{form.part}'"
            )
    several = {value: rows for value, rows in unmatched.items() if _names_several(value, by_form)}
    if several:
        rows = sum(several.values())
        return (
            f"{table}: {rows:,} rows name several in '{column}' (such as {shape(min(several, key=len))}), so that they "
            f"count for nobody. Export a row for each."
        )
    if len(unmatched) > (1 - HARDLY_ANY) * total and total >= FEWEST_TO_TELL and listed:
        return (
            f"{about} (they look like {shape(next(iter(unmatched)))}, there like {shape(listed[0])}), so that nothing "
            f"that rests on both can be told. Map a column that names them in the same way."
        )
    return ""


def _names_several(value: str, by_form: Mapping[Form, Mapping[str, str]]) -> bool:
    return sum(any(form.of(part) in known for form, known in by_form.items()) for part in BETWEEN.split(value)) > 1


def _unmatched(con: Connection, table: str, listing: str, column: str) -> dict[str, int]:
    """The identifiers of a table, in capitals, that are in no row of another, and how many rows have each."""
    found = con.execute(f"""
        select own.identifier, own.row_count
        from (
            select identifier, count(*) as row_count
            from (select upper({column}) as identifier from raw_{table} where {column} is not null) as written
            group by identifier
        ) as own
        left join ({_different(listing, column)}) as listed on listed.identifier = own.identifier
        where listed.identifier is null
    """).fetchall()
    return {str(value): int(rows) for value, rows in sorted(found)}


def _different(table: str, column: str) -> str:
    written = f"select upper({column}) as identifier from raw_{table} where {column} is not null"
    return f"select distinct identifier from ({written}) as written"
