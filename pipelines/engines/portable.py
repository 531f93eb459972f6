"""The part of DuckDB's SQL that every engine reads alike: `lint` refuses the rest.

Refused is what another engine reads otherwise without an error, or does not have. What sqlglot translates rightly (the
order of nulls, casts, formats of dates, functions by another name) needs no rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

# columns named like this hold dates
DATES = re.compile(r"(^|_)(date|start|end|begins|ends|from|to|through)$")

INTEGERS = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.INT128)
# what is whole already, so that a cast neither rounds nor cuts
WHOLE = (exp.Floor, exp.Ceil, exp.Round, exp.Count, exp.Length, exp.Null, exp.DateDiff, exp.TryCast)

# functions that were tried on every engine (tests/engines) and do the same
ALIKE = (
    *(exp.And, exp.Or, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Exists, exp.Cast, exp.TryCast),
    *(exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.RowNumber, exp.Lead, exp.Lag, exp.FirstValue),
    *(exp.Floor, exp.Ceil, exp.Round, exp.Abs, exp.DateDiff, exp.TimeToStr),
    *(exp.Upper, exp.Lower, exp.Trim, exp.Left, exp.Right, exp.Substring, exp.Length, exp.Chr),
    *(exp.StartsWith, exp.RegexpLike, exp.RegexpExtract),
)
OWN = "engine_"  # begins the names of functions that an engine defines for itself
# what to write instead of others
DIFFER: dict[type[exp.Expr], str] = {
    exp.PercentileCont: "a count over a window, and pick the row",
    exp.Quantile: "a count over a window, and pick the row",
    exp.Median: "a count over a window, and pick the row",
    exp.Log: "ln(x) / ln(base), once ln is tried on every engine",
    exp.ArrayAgg: "rows in an order: Spark collects them in any",
    exp.GroupConcat: "rows in an order: Spark joins them in any",
    exp.DayOfWeek: "date_diff('day', date '2024-01-01', d) % 7: weeks begin on another day",
    exp.Week: "date_diff('day', first, d) / 7: weeks are numbered otherwise",
    exp.RegexpReplace: "regexp_matches, left, right and length: groups are referred to otherwise",
    exp.GenerateSeries: "select 0 as n union all select 1 …: no function stands for a table everywhere",
    exp.CurrentDate: "a date that the run hands over",
}


class NotPortable(ValueError):  # noqa: N818 - it says what the SQL is, not that something failed
    """SQL that engines do not read alike; the message quotes each place and says what to write instead."""


def lint(sql: str) -> list[exp.Expr]:
    """The statements of `sql`, parsed. Raises NotPortable with every construct that engines do not read alike."""
    try:
        statements = [statement for statement in parse(sql, read="duckdb") if statement is not None]
    except SqlglotError as error:
        raise NotPortable(f"not a statement that every engine reads: {error}") from error
    found = [
        f"- {node.sql(dialect='duckdb')[:120]}\n    {why}"
        for statement in statements
        for node in statement.walk()
        for why in _problems(node)
    ]
    if found:
        raise NotPortable("SQL that engines do not read alike:\n" + "\n".join(dict.fromkeys(found)))
    return statements


def _problems(node: exp.Expr) -> Iterator[str]:
    """Why engines would not read this node alike, with what to write instead."""
    if isinstance(node, exp.Func) and not isinstance(node, ALIKE) and not node.name.startswith(OWN):
        tried = "another function, or try this one on every engine and add it to portable.ALIKE"
        yield f"write {DIFFER.get(type(node), tried)}"
    if isinstance(node, exp.Bracket | exp.Pivot | exp.Interval | exp.Qualify | exp.TableSample | exp.IntDiv):
        yield f"write it without {type(node).__name__.lower()}"
    if isinstance(node, exp.Join) and (node.method or node.args.get("using") or node.side == "POSITIONAL"):
        yield "write an inner, left or cross join, with on"
    if isinstance(node, exp.SetOperation) and node.args.get("by_name"):
        yield "write the columns of each select in one order"
    if isinstance(node, exp.Group) and node.args.get("all"):
        yield "write the columns to group by"
    if isinstance(node, exp.Order) and any(each.this.sql().lower() == "all" for each in node.expressions):
        yield "write the columns to order by"
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        yield from _cast(node)
    if isinstance(node, exp.Div):
        yield from _division(node)
    if isinstance(node, exp.Sub) and _is_date(node.this) and _is_date(node.expression):
        yield "write date_diff('day', earlier, later)"
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div) and any(map(_is_decimal, (node.this, node.expression))):
        yield "write cast(… as double): decimals are counted otherwise"
    if isinstance(node, exp.In) and isinstance(node.this, exp.Tuple):
        yield "write exists (select 1 from … where …)"


def _cast(node: exp.Cast) -> Iterator[str]:
    if node.to.this not in INTEGERS:
        return
    value = node.this.unnest()
    value = value.this if isinstance(value, exp.Window) else value
    if isinstance(value, WHOLE) or (isinstance(value, exp.Literal) and value.is_int):
        return
    if isinstance(value, exp.Sum):  # of whole numbers: a sum of them is wider than they are
        return
    yield "write cast(floor(x) as integer), or round: engines round or cut"


def _division(node: exp.Div) -> Iterator[str]:
    by = node.expression.unnest()
    if isinstance(by, exp.Literal) and float(by.this) != 0:
        return
    if not isinstance(by, exp.Nullif):
        yield "write x / nullif(y, 0): a division by zero is infinite, null or an error"


def _is_date(node: exp.Expr) -> bool:
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return bool(node.to.this == exp.DType.DATE)
    if isinstance(node, exp.Min | exp.Max):
        return _is_date(node.this)
    return isinstance(node, exp.Column) and DATES.search(node.name) is not None


def _is_decimal(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and "." in node.this
