"""What Spark would read otherwise than DuckDB, as functions of the session: the same texts give the same values."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import duckdb
from pyspark.sql import SparkSession

from pipelines.errors import InputError
from pipelines.readers.mapping import literal

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_NUMBER = rf"^\s*[+]?-?(?:{_DIGITS}(?:[.](?:{_DIGITS})?)?|[.]{_DIGITS})(?:[eE][+-]?{_DIGITS})?\s*$"
_NO_DIGIT = r"[_\s]"
_TIME = r"(?:(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]?(?::[0-5]?[0-9](?:[.][0-9]*)?)?|24:00(?::00(?:[.]0*)?)?)"
_ZONE = r"\s*(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?|\s[A-Za-z][A-Za-z0-9_/+-]*)?"
_ISO = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:(?:\s+|[Tt]){_TIME}{_ZONE})?\s*$"
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# possessive, as each part of a date takes all the digits it may
_DIRECTIVES = {
    "d": "([0-9]{1,2}+)", "m": "([0-9]{1,2}+)", "Y": "([0-9]{1,4}+)", "y": "([0-9]{1,2}+)",
    "b": f"({'|'.join(m[:3] for m in _MONTHS)})", "B": f"({'|'.join(_MONTHS)})",
    "a": f"(?:{'|'.join(d[:3] for d in _DAYS)})", "A": f"(?:{'|'.join(_DAYS)})",
    "H": "(?:2[0-3]|[01]?[0-9])", "I": "(?:1[0-2]|0?[1-9])", "M": "(?:[0-5]?[0-9])", "S": "(?:[0-5]?[0-9])",
    "f": "(?:[0-9]{1,9}+)", "p": "(?:am|pm)", "%": "%",
}  # fmt: skip
_READ_AS = {"d": "day", "m": "month", "b": "month", "B": "month", "Y": "year", "y": "year"}
_MADE = {"y": "engine_century", "b": "engine_month", "B": "engine_month"}


def hmac(message: str) -> str:
    """SQL for the first 128 bits of HMAC-SHA256 as the text of a UUID; `pads` has the key, padded as HMAC does."""
    return f"engine_hmac({message}, inner_pad, outer_pad)"


def date(text: str, formats: Sequence[str], iso: bool) -> str:
    """SQL for the date that `text` is; else null. Raises InputError for a format that Spark cannot read."""
    value = f"coalesce({', '.join(_day(text, each) for each in formats)})"
    return f"case when {text} like '____-__-__%' then engine_iso_day({text}) else {value} end" if iso else value


def number(text: str) -> str:
    """SQL for the number that `text` is; else null."""
    return f"engine_number({text})"


def define(session: SparkSession) -> None:
    """Make the functions known to the session."""
    upper, lower = (_same_case(name) for name in ("upper", "lower"))
    month = f"instr('{' '.join(m[:3] for m in _MONTHS)}', lower(left(name, 3)))"
    bodies = {
        "hmac(message string, inner_pad binary, outer_pad binary) returns string": """
            regexp_replace(
                left(sha2(outer_pad || unhex(sha2(inner_pad || cast(message as binary), 256)), 256), 32),
                '(.{8})(.{4})(.{4})(.{4})(.{12})', '$1-$2-$3-$4-$5'
            )""",
        "number(written string) returns double": f"""
            case when written rlike {_quoted(_NUMBER)}
                then try_cast(ltrim('+', regexp_replace(written, {_quoted(_NO_DIGIT)}, '')) as double)
            end""",
        "iso_day(written string) returns date": f"""
            case when written rlike {_quoted(_ISO)} then try_cast(left(written, 10) as date) end""",
        "part(written string, pattern string, place int) returns string": "regexp_extract(written, pattern, place)",
        "century(year string) returns string": """
            cast(try_cast(year as int) + case when try_cast(year as int) < 69 then 2000 else 1900 end as string)""",
        "month(name string) returns string": f"cast(({month} + 3) div 4 as string)",
        "day(year string, month string, day string) returns date": """
            try_cast(year || '-' || month || '-' || day as date)""",
        "upper(written string) returns string": upper,
        "lower(written string) returns string": lower,
    }
    for head, body in bodies.items():
        session.sql(f"create or replace temporary function engine_{head} return {body}")


def _day(text: str, written: str) -> str:
    """SQL for the date that `text` is in one format; else null."""
    pattern, parts = "", dict[str, str]()
    for part in re.findall(r"%-?.|\s+|.", written):
        kind = part[-1]
        if not part.startswith("%"):
            pattern += r"\s+" if part.isspace() else re.escape(part)
        elif kind not in _DIRECTIVES:
            raise InputError(
                f"sources.toml: Spark does not read dates written as '{written}', because of %{kind}. Write the "
                f"dates without it, or run with --engine duckdb."
            )
        else:
            pattern += _DIRECTIVES[kind]
            if kind in _READ_AS:
                parts[_READ_AS[kind]] = kind
    whole = literal(rf"(?i)^\s*{pattern}\s*$")
    found = {
        name: f"{_MADE.get(kind, '')}(engine_part({text}, {whole}, {place}))"
        for place, (name, kind) in enumerate(parts.items(), 1)
    }
    return f"engine_day({found['year']}, {found['month']}, {found['day']})"


def _same_case(function: str) -> str:
    """`upper` or `lower` letter by letter, just as DuckDB does it: Spark's makes two letters of one ('ß')."""
    with duckdb.connect() as con:
        letters = con.execute(f"""
            select letter, {function}(letter) from (
                select chr(n) as letter from (
                    select cast(range as integer) as n from range(1, {sys.maxunicode + 1})
                    where range not between {0xD800} and {0xDFFF}
                )
            ) where letter <> {function}(letter)
        """).fetchall()
    return "translate(written, {}, {})".format(*(_quoted("".join(side)) for side in zip(*letters, strict=True)))


def _quoted(text: str) -> str:
    """`text` as a string of Spark's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
