"""Statements as Spark reads them: parameters filled in, and written in its SQL."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any

from sqlglot import exp, tokenize
from sqlglot.tokens import TokenType

from pipelines.readers.mapping import literal

# what Spark does otherwise
OWN: dict[type[exp.Expr], str] = {exp.Upper: "engine_upper", exp.Lower: "engine_lower"}


def tables(query: exp.Expr) -> set[str]:
    """The tables that a statement mentions, without what it names itself."""
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    return {table.name for table in query.find_all(exp.Table)} - own


def written(query: exp.Expr) -> str:
    """A query as Spark's SQL."""

    def own(node: exp.Expr) -> exp.Expr:
        name = OWN.get(type(node))
        return exp.Anonymous(this=name, expressions=[node.this]) if name else node

    query = query.transform(own)
    for case in list(query.find_all(exp.Case)):
        if case.this:
            case.replace(_worked_out_once(case))
    return query.sql(dialect="spark")


def _worked_out_once(case: exp.Case) -> exp.Expr:
    """`case x when …`, in which Spark would work x out for each `when`."""
    value = case.this
    case.set("this", exp.column("engine_value"))
    each = exp.Lambda(this=case.copy(), expressions=[exp.to_identifier("engine_value")])
    return exp.func("element_at", exp.func("transform", exp.array(value), each), exp.Literal.number(1))


def filled_in(query: str, parameters: list[Any]) -> str:
    """The statement with its parameters (`?` in order, or `$1`) written into it."""
    if not parameters:
        return query
    following = iter(parameters)
    out, end = "", 0
    tokens = tokenize(query, read="duckdb")
    for token, after in itertools.pairwise([*tokens, tokens[-1]]):
        if token.token_type == TokenType.PLACEHOLDER:
            value, last = next(following), token.end
        elif token.token_type == TokenType.PARAMETER:
            value, last = parameters[int(after.text) - 1], after.end
        else:
            continue
        out += query[end : token.start] + _constant(value)
        end = last + 1
    return out + query[end:]


def _constant(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return f"cast('{value}' as timestamp)"
    if isinstance(value, date):
        return f"cast('{value}' as date)"
    return literal(str(value))
