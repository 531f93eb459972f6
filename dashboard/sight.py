"""Which rows of a release a viewer may see, table by table. Closed: a table not named here is empty.

The first boundary is the file: a faculty's file holds no other faculty's rows. What a school lead sees of it, and
what those who see no figures see of the university's, is cut out here, in the only SQL that reads a release.
A school lead does not see a faculty of fewer than three schools: its figures less the school's own would be those of
the one other school. The school then stands directly under the university. Nor do they see a figure of a larger faculty
that fewer than three of its schools have one of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from dashboard.access import COMMITTEE, STEWARD, UNIVERSITY, UNIVERSITY_LEAD, AccessDeniedError, Viewer


class Rows(Enum):
    """Which rows of a table: all of them, those of the units seen, of own schools within them, of own units."""

    ALL = "all"
    UNIT = "unit"
    MEMBER = "member"
    OWN = "own"
    UNNAMED = "unnamed"  # all rows, without what may name a school: file names and values observed


WORDS = ("release", "metric", "characteristic", "characteristic_group", "level", "period")
QUALITY = ("check", "reconciliation", "quarantine")
FEWEST_SCHOOLS = 3  # with a figure, of a faculty whose figure a school lead sees
MEASURED = ("academic_year", "part", "level", "metric")
GROUPED = (*MEASURED, "characteristic", "group")
FACULTY_KEYS = {  # by which a faculty's figures are looked up among its schools' cells
    **dict.fromkeys(("cell", "gap", "decomposition", "pooled_gap", "answers"), GROUPED),
    **dict.fromkeys(("consistency", "inequality", "weighted"), MEASURED),
}
COST = "protection"  # counts of cells by kind of unit: it holds no units
FIGURES = (
    "unit", "cell", "gap", "decomposition", "pooled_gap", "consistency", "funnel", "inequality", "trend", "curve",
    "week", "mode", "answers", "response", "representativeness", "weighted",
)  # fmt: skip
LEAD: Mapping[str, Rows] = {
    **dict.fromkeys((*WORDS, "band"), Rows.ALL),
    **dict.fromkeys(FIGURES, Rows.UNIT),
    **dict.fromkeys(("decomposition_school", "pooled_gap_school"), Rows.MEMBER),
    "finding": Rows.OWN,
    **dict.fromkeys(QUALITY, Rows.UNNAMED),
}
PARENT = "case when parent is null or parent in {seen} then parent else 'university' end as parent"
UNNAMED = {
    "check": "null::varchar as observed",
    "reconciliation": "'' as file, '' as note",
    "quarantine": "'' as file",
}


@dataclass(frozen=True)
class Sight:
    """What one scope sees: `units` as figures, `own` in sentences and by name; everything where `tables` is None.

    faculty, beside: for a school lead, the faculty among `units`, and its schools.
    """

    tables: Mapping[str, Rows] | None = None
    units: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    faculty: str = ""
    beside: tuple[str, ...] = ()

    @property
    def names_files(self) -> bool:
        """Whether file names are seen."""
        return self.tables is None or self.tables.get("reconciliation") is Rows.ALL

    def select(self, table: str) -> tuple[str, tuple[str, ...]]:
        """The table's rows for this scope as SQL, and the values of its placeholders."""
        name = '"' + table.replace('"', '""') + '"'
        rule = Rows.ALL if self.tables is None else self.tables.get(table)
        if rule is Rows.ALL:
            return f"select * from {name}", ()
        if table == "unit" and rule is Rows.UNIT:
            seen = _marks(self.units)
            return f"select * replace ({PARENT.format(seen=seen)}) from {name} where unit in {seen}", self.units * 2
        if rule is Rows.UNIT and self.beside and table in FACULTY_KEYS:
            keys = ", ".join(f'"{key}"' for key in FACULTY_KEYS[table])
            everyone = "" if "group" in FACULTY_KEYS[table] else "and characteristic = 'all'"
            several = (
                f"select {keys} from cell where unit in {_marks(self.beside)} and status <> 'none' {everyone} "
                f"group by all having count(*) >= {FEWEST_SCHOOLS}"
            )
            where = f"unit in {_marks(self.units)} and (unit <> ? or ({keys}) in ({several}))"
            return f"select * from {name} where {where}", (*self.units, self.faculty, *self.beside)
        if rule is Rows.UNIT:
            return f'select * from {name} where "unit" in {_marks(self.units)}', self.units
        if rule is Rows.OWN:
            return f'select * from {name} where "unit" in {_marks(self.own)}', self.own
        if rule is Rows.MEMBER:
            where = f'"unit" in {_marks(self.units)} and "school" in {_marks(self.own)}'
            return f"select * from {name} where {where}", self.units + self.own
        if rule is Rows.UNNAMED:
            return f"select * replace ({UNNAMED[table]}) from {name}", ()
        return f"select * from {name} where false", ()


def _marks(values: tuple[str, ...]) -> str:
    return f"({', '.join('?' * len(values))})" if values else "(null)"


def sight_of(viewer: Viewer, faculty: str = "", schools: tuple[str, ...] = ()) -> Sight:
    """What `viewer` sees; for leads given their faculty (unit) and its schools.

    Raises AccessDeniedError for a role without a rule.
    """
    if viewer.role == UNIVERSITY_LEAD and viewer.scope == UNIVERSITY:
        return Sight()
    if viewer.role == STEWARD and not viewer.scope:
        return Sight(dict.fromkeys((*WORDS, *QUALITY, COST), Rows.ALL))
    if viewer.role == COMMITTEE and not viewer.scope:
        return Sight(dict.fromkeys(WORDS, Rows.ALL))
    kind = viewer.scope.partition(":")[0]
    if kind == "faculty" and viewer.scope == faculty:
        return Sight({**LEAD, COST: Rows.ALL}, (UNIVERSITY, faculty, *schools), (faculty, *schools))
    if kind == "school" and faculty:
        if len(schools) < FEWEST_SCHOOLS:
            return Sight(LEAD, (UNIVERSITY, viewer.scope), (viewer.scope,))
        return Sight(LEAD, (UNIVERSITY, faculty, viewer.scope), (viewer.scope,), faculty, schools)
    raise AccessDeniedError("There is nothing in this release for your role.")
