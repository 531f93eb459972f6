"""Unknown codes: values of a column in use that are none of the contract's, in words, with what to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.definitions import Column, Table
from pipelines.engines import Connection
from pipelines.errors import FEWEST_TO_TELL, closest, entries, quotable
from pipelines.readers.mapping import literal
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.extract import Earlier, Extracted

MANY_VALUES = 50


def unknown_codes(
    con: Connection, table: Table, extracted: Extracted, settings: Settings, earlier: Earlier | None
) -> Iterator[str]:
    """Columns in use in which too many values are none of the contract's, in words, with what to write."""
    coded = [c for c in table.columns.values() if c.values and c.used and c.name in extracted.present[table.name]]
    if not coded:
        return
    counts = ", ".join(f"count({c.name}), count(case when {_is_unknown(c)} then 1 end)" for c in coded)
    rows = f"raw_{table.name}"
    if earlier and (files := extracted.unchanged(table.name)):
        read = f"select source_file, {', '.join(c.name for c in coded)} from "
        rows = f"({read}{rows} union all {read}{earlier.rows(table.name, files)})"
    row = con.execute(f"select {counts} from {rows} as read").fetchall()[0]
    for column, filled, unknown in zip(coded, row[::2], row[1::2], strict=True):
        if unknown >= FEWEST_TO_TELL and unknown > settings.most_unmapped * filled:
            yield _unknown_code(con, f"{rows} as read", table, column, filled, unknown)


def _is_unknown(column: Column) -> str:
    return f"{column.name} not in ({', '.join(map(literal, column.values))})"


def _unknown_code(con: Connection, rows: str, table: Table, column: Column, filled: int, unknown: int) -> str:
    found = con.execute(f"""
        select {column.name}, count(*) from {rows}
        where {_is_unknown(column)} group by {column.name} order by count(*) desc, {column.name}
    """).fetchall()
    within = con.execute(f"""
        select distinct source_file from {rows} where {_is_unknown(column)} order by source_file
    """).fetchall()
    files = ", ".join(file for (file,) in within)
    said = f"{table.name}: {unknown:,} of {filled:,} values of '{column.name}' in {files} are not known codes"
    place = f"tables.{table.name}.codes.{column.name}"
    if len(found) > MANY_VALUES:
        return (
            f"{said}: {len(found):,} different ones, so the column seems to hold something else. "
            f"Map another column to '{column.name}' in sources.toml under [tables.{table.name}.columns], "
            f"or its values under [{place}]. The known values are {', '.join(column.values)}."
        )
    codes = quotable(found)
    quoted = [f"'{value}' ({rows:,})" for value, rows in codes]
    if hidden := len(found) - len(codes):
        more = ("more " if codes else "") + ("different values" if hidden > 1 else "value")
        quoted.append(f"{hidden:,} {more} not shown here")
    meant = {value: closest(value, column.values) or "…" for value, _ in codes}
    return "\n".join(
        [
            f"{said}: {', '.join(quoted)}.",
            f"    Write in sources.toml what each means ({', '.join(column.values)}, or an empty text for blank):",
            *entries(place, meant),
        ]
    )
