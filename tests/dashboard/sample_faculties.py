"""Faculty files for a sample release: the same tables with the rows a faculty may see, and the unnamed band."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb


def write_faculties(folder: Path, codes: Iterable[str]) -> None:
    """Write faculty-<code>.duckdb beside the university.duckdb in `folder`."""
    for code in codes:
        target = folder / f"faculty-{code}.duckdb"
        target.unlink(missing_ok=True)
        with duckdb.connect(str(target)) as connection:
            connection.execute(f"attach '{folder / 'university.duckdb'}' as whole (read_only)")
            faculty = f"faculty:{code}"
            seen = f"unit in (select unit from whole.unit where '{faculty}' in (unit, parent) or unit = 'university')"
            tables = connection.execute(
                "select table_name, list(column_name) from information_schema.columns "
                "where table_catalog = 'whole' group by all"
            ).fetchall()
            for table, columns in tables:
                where = seen if "unit" in columns else "true"
                if table == "finding":
                    where += " and unit <> 'university'"
                connection.execute(f'create table "{table}" as select * from whole."{table}" where {where}')
            connection.execute("detach whole")
