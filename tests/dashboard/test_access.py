"""Nobody gets in unless access.toml says so now; what it says is read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard.access import (
    ROLES,
    ROOT,
    AccessDeniedError,
    NotConfiguredError,
    SignInExpiredError,
    SignInNeededError,
    Viewer,
    decide,
    load_access,
    parse_access,
)
from tests.dashboard.signing_in import ACCESS, PEOPLE

NOW = 1_800_000_000.0


def who(email: str | None = None, **more: Any) -> Viewer:
    claims = {"is_logged_in": True, "sub": "s", "exp": NOW + 60, **({"email": email} if email else {}), **more}
    return decide(claims, parse_access(ACCESS), NOW)


@pytest.mark.parametrize(("role", "email"), PEOPLE.items())
def test_each_role_is_given_by_e_mail_in_any_case(role: str, email: str) -> None:
    for written in (email, email.upper(), f"  {email.title()} "):
        assert who(written).role.lower() == role
    assert who(email).scope == {
        "university lead": "university", "faculty lead": "faculty:ENG", "school lead": "school:ENG3",
    }.get(role, "")  # fmt: skip


def test_a_role_claim_counts_where_no_e_mail_does() -> None:
    assert who("new@northmere.example", roles=["x", "Tutoring.EDU"]).scope == "faculty:EDU"
    assert who(roles="Tutoring.EDU").scope == "faculty:EDU"
    assert who(PEOPLE["school lead"], roles=["Tutoring.EDU"]).scope == "school:ENG3"


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"email": "nobody@northmere.example"}, AccessDeniedError),
        ({"email": None}, AccessDeniedError),
        ({"email": ["lead@northmere.example"]}, AccessDeniedError),
        ({"email": "eng.dean@northmere.example".replace("n", "ｎ")}, AccessDeniedError),
        ({"email": "lead@northmere.example\u200b"}, AccessDeniedError),
        ({"email": "lead@northmere.example", "email_verified": False}, AccessDeniedError),
        ({"email": "lead@northmere.example", "email_verified": "false"}, AccessDeniedError),
        ({"email": "lead@northmere.example", "email_verified": None}, AccessDeniedError),
        ({"email": "lead@northmere.example", "is_logged_in": False}, SignInNeededError),
        ({"email": "lead@northmere.example", "is_logged_in": "yes"}, SignInNeededError),
        ({"email": "lead@northmere.example", "exp": NOW}, SignInExpiredError),
        ({"email": "lead@northmere.example", "exp": None}, SignInExpiredError),
        ({"email": "lead@northmere.example", "exp": True}, SignInExpiredError),
        ({"email": "lead@northmere.example", "exp": "9999999999"}, SignInExpiredError),
        ({"roles": ["Tutoring.EDU", "Tutoring.Steward"]}, AccessDeniedError),
        ({"roles": {"Tutoring.EDU": True}}, AccessDeniedError),
        ({"roles": "tutoring.edu"}, AccessDeniedError),
        ({"groups": ["Tutoring.EDU"]}, AccessDeniedError),
        ({"email": "Tutoring.EDU"}, AccessDeniedError),
        ({"roles": ["lead@northmere.example"]}, AccessDeniedError),
    ],
)
def test_everybody_else_is_denied(claims: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(AccessDeniedError) as raised:
        decide({"is_logged_in": True, "sub": "s", "exp": NOW + 60, **claims}, parse_access(ACCESS), NOW)
    assert type(raised.value) is error
    if error is AccessDeniedError:
        assert "Ask the data team." in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "people = 3",
        "[people",
        '[people]\n"a@x.example" = "university lead"',
        '[people]\n"a@x.example" = { role = "king" }',
        '[people]\n"a@x.example" = { role = "faculty lead" }',
        '[people]\n"a@x.example" = { role = "faculty lead", faculty = "" }',
        '[people]\n"a@x.example" = { role = "faculty lead", faculty = ["ENG", "EDU"] }',
        '[people]\n"a@x.example" = { role = "faculty lead", school = "ENG1" }',
        '[people]\n"a@x.example" = { role = "faculty lead", faculty = "ENG", school = "ENG1" }',
        '[people]\n"a@x.example" = { role = "university lead", faculty = "ENG" }',
        '[people]\n"a@x.example" = { role = "data steward", scope = "university" }',
        '[people]\n"everybody" = { role = "university lead" }',
        '[people]\n"a@x.example" = { role = "data steward" }\n"A@X.example" = { role = "university lead" }',
        '[people]\n"a@x.example" = { role = "data steward" }\n[claim]\nname = "roles"',
        '[people]\n"a@x.example" = { role = "data steward" }\n[claim.values]\nx = { role = "data steward" }',
        '[people]\n"a@x.example" = { role = "data steward" }\n[persons]\n"b@x.example" = { role = "data steward" }',
    ],
)
def test_a_mistake_in_access_toml_lets_nobody_in_and_names_nobody(text: str) -> None:
    with pytest.raises(NotConfiguredError, match="nobody is let in") as raised:
        parse_access(text)
    assert "x.example" not in str(raised.value)


def test_a_missing_access_toml_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APT_ACCESS", str(tmp_path / "none.toml"))
    with pytest.raises(NotConfiguredError, match=r"access\.example\.toml"):
        load_access()


def test_the_documented_example_is_valid_and_has_every_role() -> None:
    example = parse_access((ROOT / "access.example.toml").read_text(encoding="utf-8"))
    assert {p.role.lower() for p in example.people} == set(ROLES)
