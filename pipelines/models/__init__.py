"""The SQL models: one file per model, rendered with what the definitions say and run by the
engine of the connection. They are written in the part of DuckDB's SQL that every engine reads alike.

`staging/` turns input tables into staged ones, `marts/` turns those into cells. A model is found by
its file's name, which is also the table it makes. What several models share is a macro beside the folders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import jinja2

from pipelines.engines import Connection, EngineError
from pipelines.readers.mapping import literal

FOLDER = Path(__file__).parent

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.filters["literal"] = literal


class ModelError(RuntimeError):
    """A model that could not be rendered or run; the message quotes its name and its whole SQL."""


def render(name: str, **context: Any) -> str:
    """The SQL of model `name`, with `context` filled in. Raises ModelError naming what is missing."""
    path = next(FOLDER.glob(f"*/{name}.sql"), None)
    if path is None:
        raise ModelError(f"there is no model {name!r}: expected a file {name}.sql in a folder of {FOLDER.name}/")
    try:
        return _templates.get_template(path.relative_to(FOLDER).as_posix()).render(**context)
    except jinja2.TemplateError as error:
        source = path.read_text(encoding="utf-8")
        raise ModelError(f"model {name} could not be rendered: {error}\n\n{source}") from error


def run(con: Connection, name: str, **context: Any) -> None:
    """Make (or replace) the table `name` from the model of that name. Raises ModelError."""
    sql = render(name, **context)
    try:
        con.execute(f"create or replace table {name} as\n{sql}")
    except (duckdb.Error, EngineError) as error:
        raise ModelError(f"model {name} failed: {error}\n\n{sql}") from error
