"""Who is looking, and what they may see: roles, access.toml, and the decision itself. Pure: knows no Streamlit.

Denied unless allowed. The decision is made from the identity provider's claims and from access.toml as it
stands now, so it is taken again on every page, read and download, and a line removed there works at once.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = "access.toml"
UNIVERSITY = "university"
PERSON_KEYS = {"role", "faculty", "school"}


@dataclass(frozen=True)
class Role:
    """What readers of one kind see: `scope` names what must be said of them (a faculty, a school), if anything."""

    name: str
    sees: str
    pages: tuple[str, ...]
    scope: str = ""
    exports: tuple[str, ...] = ()


FIGURES = ("overview", "schools", "equity", "voice", "year", "profile", "quality", "methods")
ROLES = {
    role.name.lower(): role
    for role in (
        Role(
            "University lead",
            "Everything published: every faculty and school by name, data quality, releases, packs, and this page.",
            (*FIGURES, "releases", "packs", "build", "who"),
            exports=("check report", "packs", "data"),
        ),
        Role(
            "Faculty lead",
            "Their own faculty and its schools by name, with the university as benchmark, and the packs of both. Other "
            "schools only as an unnamed band.",
            (*FIGURES, "packs", "build"),
            "faculty",
            exports=("packs", "data"),
        ),
        Role(
            "School lead",
            "Their own school, with the university and, from three schools on, its faculty as benchmarks. Other "
            "schools only as an unnamed band.",
            FIGURES,
            "school",
            exports=("data",),
        ),
        Role(
            "Committee member",
            "Released committee packs, to download, and what their words and numbers mean. Nothing else.",
            ("packs", "methods"),
            exports=("packs",),
        ),
        Role(
            "Data steward",
            "Data quality and the list of releases, and the check report to download. No figures about students.",
            ("quality", "methods", "releases"),
            exports=("check report",),
        ),
    )
}
UNIVERSITY_LEAD, FACULTY_LEAD, SCHOOL_LEAD, COMMITTEE, STEWARD = (role.name for role in ROLES.values())


@dataclass(frozen=True)
class Viewer:
    """A reader of the pages: their role, the unit whose figures they may see ('' where none), and who they are."""

    role: str
    scope: str = ""
    name: str = "example"

    @property
    def pages(self) -> tuple[str, ...]:
        """Names of the pages of their role."""
        return ROLES[self.role.lower()].pages

    def takes(self, export: str) -> bool:
        """Whether their role may take such a file away."""
        return export in ROLES[self.role.lower()].exports

    @property
    def home(self) -> str:
        """The unit their pages open with."""
        return self.scope or UNIVERSITY


# Who is looking, decided now; told whether the release to be read is the example. Raises AccessDeniedError.
Ask = Callable[[bool], Viewer]


class AccessDeniedError(Exception):
    """The viewer may not see what was asked for; the message says why and whom to ask."""


class SignInNeededError(AccessDeniedError):
    """Nobody is signed in."""


class SignInExpiredError(AccessDeniedError):
    """What the identity provider said of this person is no longer valid."""


class NotConfiguredError(AccessDeniedError):
    """Sign-in is not, or wrongly, configured: nobody gets in."""


@dataclass(frozen=True)
class Person:
    """One line of access.toml: an e-mail address, or a value of the role claim, with its role and scope."""

    who: str
    role: str
    scope: str
    by_claim: bool = False


@dataclass(frozen=True)
class Access:
    """access.toml, read."""

    people: tuple[Person, ...]
    claim: str = ""
    contact: str = ""

    @property
    def ask(self) -> str:
        """Whom to ask, in words."""
        return f"Ask {self.contact}." if self.contact else "Ask the data team that runs this dashboard."


def access_file() -> Path:
    """Where access.toml is: APT_ACCESS, else the repository's folder."""
    return ROOT / (os.environ.get("APT_ACCESS") or FILE)


def load_access() -> Access:
    """access.toml as it stands now. Raises NotConfiguredError where it is missing or has any mistake."""
    try:
        text = access_file().read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotConfiguredError(
            f"There is no `{FILE}`, so nobody can be let in. It says who has which role: copy `access.example.toml` "
            "and see *Sign-in and roles* in docs/operations.md."
        ) from error
    except (OSError, ValueError) as error:
        raise NotConfiguredError(f"`{FILE}` cannot be read, so nobody is let in.") from error
    return parse_access(text)


@lru_cache(maxsize=4)
def parse_access(text: str) -> Access:
    """The content of an access.toml. Messages name lines by number only: whoever reads them is not known yet."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _mistake(f"it is not valid TOML: {error}") from error
    if unknown := found.keys() - {"contact", "people", "claim"}:
        raise _mistake(f"it may hold `contact`, `people` and `claim`, not {len(unknown)} other name(s)")
    contact = found.get("contact", "")
    if not isinstance(contact, str):
        raise _mistake("`contact` must be text")
    people = _people(found.get("people", {}), "people", by_claim=False)
    claim = found.get("claim", {})
    if not isinstance(claim, dict) or claim.keys() - {"name", "values"}:
        raise _mistake("`[claim]` holds `name` and `values`")
    name = claim.get("name", "")
    if not isinstance(name, str) or bool(name) != bool(claim.get("values")):
        raise _mistake("`[claim]` needs both a `name` and `values`")
    people += _people(claim.get("values", {}), "claim.values", by_claim=True)
    if not people:
        raise _mistake("it names nobody")
    return Access(tuple(people), name, contact)


def _mistake(what: str) -> NotConfiguredError:
    return NotConfiguredError(f"`{FILE}` has a mistake, so nobody is let in: {what}.")


def _people(table: Any, where: str, by_claim: bool) -> list[Person]:
    if not isinstance(table, dict):
        raise _mistake(f"`[{where}]` must be a table")
    people: list[Person] = []
    for number, (who, entry) in enumerate(table.items(), 1):
        people.append(_person(who, entry, f"entry {number} of `[{where}]`", by_claim))
    if len({p.who for p in people}) < len(people):
        raise _mistake(f"`[{where}]` names somebody twice (upper and lower case count as the same)")
    return people


def _person(who: str, entry: Any, place: str, by_claim: bool) -> Person:
    if not isinstance(entry, dict) or entry.keys() - PERSON_KEYS or not isinstance(entry.get("role"), str):
        raise _mistake(f'{place} must look like {{ role = "faculty lead", faculty = "ENG" }}')
    if not by_claim and who.count("@") != 1:
        raise _mistake(f"{place} is not an e-mail address in quotes")
    role = ROLES.get(entry["role"].strip().lower())
    if role is None:
        raise _mistake(f"{place} has an unknown role; roles are {', '.join(ROLES)}")
    given = {key for key in ("faculty", "school") if key in entry}
    if given != ({role.scope} if role.scope else set()):
        needs = f"needs its `{role.scope}` and no other" if role.scope else "has neither `faculty` nor `school`"
        raise _mistake(f"{place}: a {role.name.lower()} {needs}")
    scope = UNIVERSITY if role.name == UNIVERSITY_LEAD else ""
    if role.scope:
        code = entry[role.scope]
        if not isinstance(code, str) or not code.strip():
            raise _mistake(f"{place}: `{role.scope}` must be a code, in quotes")
        scope = f"{role.scope}:{code.strip()}"
    return Person(who if by_claim else _folded(who), role.name, scope, by_claim)


def _folded(email: str) -> str:
    """An address as it is compared: letters beyond ASCII must match exactly, since some fold into others."""
    email = email.strip()
    return email.lower() if email.isascii() else email


def decide(claims: Mapping[str, Any], access: Access, now: float) -> Viewer:
    """Who the signed-in person with these claims is. `now`: seconds since 1970.

    An e-mail address in access.toml counts before the role claim. Raises SignInNeededError, SignInExpiredError,
    or AccessDeniedError for whoever has no role.
    """
    if claims.get("is_logged_in") is not True:
        raise SignInNeededError("Sign in with your university account to see this dashboard.")
    expires = claims.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float) or expires <= now:
        raise SignInExpiredError("Your sign-in has expired. Sign in again.")
    if claims.get("email_verified", True) not in (True, "true"):
        raise AccessDeniedError(f"Your e-mail address has not been verified by your identity provider. {access.ask}")
    email = claims.get("email")
    email = _folded(email) if isinstance(email, str) else ""
    name = email or str(claims.get("sub", "unknown"))
    found = [p for p in access.people if not p.by_claim and p.who == email]
    if not found and access.claim:
        values = claims.get(access.claim)
        values = [values] if isinstance(values, str) else values if isinstance(values, list) else []
        found = [p for p in access.people if p.by_claim and p.who in values]
    if not found:
        raise AccessDeniedError(f"You are signed in, but you have no role in this dashboard. {access.ask}")
    if len({(p.role, p.scope) for p in found}) > 1:
        raise AccessDeniedError(f"Your account carries more than one role, so it is unclear which counts. {access.ask}")
    return Viewer(found[0].role, found[0].scope, name)
