"""For which unit an export is made, asked for again whenever anything is read: the dashboard's own access path."""

from __future__ import annotations

from dashboard.access import FACULTY_LEAD, SCHOOL_LEAD, UNIVERSITY, UNIVERSITY_LEAD, AccessDeniedError, Ask, Viewer
from dashboard.published import open_release

LEADS = {UNIVERSITY: UNIVERSITY_LEAD, "faculty": FACULTY_LEAD, "school": SCHOOL_LEAD}
NOT_YOURS = "Packs of this scope are not part of your role."


def viewer_of(scope: str, name: str) -> Viewer:
    """Whoever sees exactly one scope: 'university', 'faculty:CODE' or 'school:CODE'.

    Raises AccessDeniedError where it is none of these.
    """
    kind, _, code = scope.partition(":")
    if kind not in LEADS or bool(code) != (kind != UNIVERSITY):
        raise AccessDeniedError("A scope is university, faculty:CODE or school:CODE.")
    return Viewer(LEADS[kind], scope, name)


def command_line(scope: str) -> Ask:
    """The viewer of the command line, which runs under the data team's account."""
    viewer = viewer_of(scope, "the data team")
    return lambda _: viewer


def offered(ask: Ask) -> list[str]:
    """Units whose packs the viewer may make, their own first. Raises AccessDeniedError for a role without any."""
    release = open_release(ask)
    if "build" not in release.viewer.pages:
        raise AccessDeniedError(NOT_YOURS)
    return [unit for unit in release.units.index if release.sight.tables is None or unit in release.sight.own]


def narrowed(ask: Ask, scope: str) -> Ask:
    """The same viewer, seeing one scope of theirs and nothing else; decided anew at every asking.

    Raises AccessDeniedError where the scope is not theirs.
    """
    if scope not in offered(ask):
        raise AccessDeniedError(NOT_YOURS)
    allowed_for = open_release(ask).viewer

    def asked(example: bool) -> Viewer:
        now = ask(example)
        if now != allowed_for:
            raise AccessDeniedError("What you may see has changed. Open the page again.")
        return viewer_of(scope, now.name)

    return asked
