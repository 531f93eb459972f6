"""Signing in with a real browser and a real OpenID Connect provider: each role, strangers, expiry, being removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Browser, Page, expect

import audit
from dashboard.access import ROLES
from tests.browser.serving import dashboard, settle
from tests.dashboard.sample_faculties import write_faculties
from tests.dashboard.sample_pack import write_pack
from tests.dashboard.sample_release import Sample, write_release
from tests.dashboard.signing_in import ACCESS, PEOPLE, write_access

LINKS = {
    "overview": "Overview", "schools": "Compare schools", "equity": "Equity gaps", "voice": "Student voice",
    "year": "Through the year", "profile": "School profile", "quality": "Data quality", "methods": "Methods",
    "releases": "Releases", "packs": "Packs", "build": "Make a pack", "who": "Who sees what",
}  # fmt: skip
FIRST = {
    "university lead": "Is tutoring consistent",
    "faculty lead": "How does the Faculty of Engineering",
    "school lead": "How does the School of Computer Science",
    "committee member": "What was released to the committee?",
    "data steward": "Can I trust these figures?",
}
STRANGER = "stranger@northmere.example"
UNVERIFIED = "unverified"
USERS = [User(sub=email, claims={"email": email.upper()}) for email in (*PEOPLE.values(), STRANGER)] + [
    User(sub=UNVERIFIED, claims={"email": PEOPLE["university lead"], "email_verified": False}),
    User(sub="by claim", claims={"email": "new@northmere.example", "roles": ["Tutoring.EDU"]}),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real release with faculty files, a pack and an access.toml."""
    data = tmp_path_factory.mktemp("real")
    name = write_release(data / "published", Sample(source="real"))
    write_faculties(data / "published" / name, ("ENG", "EDU"))
    write_pack(data)
    write_access(data)
    return data


@pytest.fixture(scope="module")
def guarded(real: Path) -> Iterator[str]:
    """The address of a dashboard that people sign in to."""
    with run_server_in_thread(user_claims=USERS) as provider:
        where = f"http://localhost:{provider.server_port}"
        with dashboard(real, provider=where) as address:
            yield address


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield context.new_page()
    context.close()


def sign_in(page: Page, address: str, sub: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=sub, exact=True).first.click()
    page.wait_for_url(re.compile("^" + re.escape(address.split("?")[0])))
    settle(page)


def told(data: Path) -> list[tuple[str, str, str]]:
    return [(r["event"], r["viewer"], r["what"]) for r in audit.records(data / "audit")]


@pytest.mark.parametrize("role", PEOPLE)
def test_each_role_signs_in_and_finds_its_own_pages(visitor: Page, guarded: str, real: Path, role: str) -> None:
    sign_in(visitor, guarded, PEOPLE[role])
    expect(visitor.get_by_role("heading", level=1)).to_contain_text(FIRST[role])
    pages = ROLES[role].pages
    titles = ["Your school" if role == "school lead" and p == "schools" else LINKS[p] for p in pages]
    links = visitor.get_by_test_id("stTopNavLink")
    if len(pages) > 1:
        expect(links).to_have_text(titles)
    assert ("sign-in", PEOPLE[role], "") in told(real)
    path = next((path for path in LINKS if path not in (*pages, "overview")), "")  # test_scopes has all the others
    if path:
        visitor.goto(f"{guarded}/{path}")
        expect(visitor.get_by_role("heading", level=1)).to_have_text("This page is not part of your role")
        assert ("refusal", PEOPLE[role], f"page {LINKS[path]}") in told(real)


def test_nobody_sees_anything_before_signing_in(visitor: Page, guarded: str) -> None:
    for path in ("", "schools?viewer=university", "packs"):
        visitor.goto(f"{guarded}/{path}")
        expect(visitor.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert "Northmere" not in visitor.content()


@pytest.mark.parametrize("sub", [STRANGER, UNVERIFIED])
def test_a_stranger_learns_whom_to_ask_and_nothing_else(visitor: Page, guarded: str, sub: str) -> None:
    sign_in(visitor, guarded, sub)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("You have no access")
    expect(visitor.get_by_text("Ask the data team.")).to_be_visible()
    assert "Northmere" not in visitor.content()
    visitor.get_by_role("button", name="Sign out").click()
    visitor.get_by_role("button", name="End session").click()  # the provider asks as well
    expect(visitor.get_by_role("button", name="Sign in")).to_be_visible(timeout=15_000)


def test_a_role_claim_of_the_provider_opens_its_scope(visitor: Page, guarded: str) -> None:
    sign_in(visitor, guarded, "by claim")
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Faculty of Education")


def test_a_committee_member_takes_a_pack(visitor: Page, guarded: str, real: Path) -> None:
    sign_in(visitor, guarded, PEOPLE["committee member"])
    with visitor.expect_download() as taken:
        visitor.get_by_role("button", name="PDF").click()
    assert Path(taken.value.path()).read_bytes() == b"%PDF a pack"
    assert ("download", PEOPLE["committee member"], "committee.pdf") in told(real)


def test_who_is_removed_while_reading_is_shown_out(visitor: Page, guarded: str, real: Path) -> None:
    sign_in(visitor, guarded, PEOPLE["faculty lead"])
    try:
        write_access(real, ACCESS.replace("Eng.Dean@", "Somebody.Else@"))
        expect(visitor.get_by_role("heading", level=1)).to_have_text("You have no access", timeout=20_000)
        assert "School of" not in visitor.content()
    finally:
        write_access(real)


def test_an_expired_sign_in_ends_by_itself(visitor: Page, real: Path) -> None:
    with (
        run_server_in_thread(user_claims=USERS, access_token_max_age=timedelta(seconds=9)) as provider,
        dashboard(real, provider=f"http://localhost:{provider.server_port}") as address,
    ):
        sign_in(visitor, address, PEOPLE["university lead"])
        expect(visitor.get_by_role("heading", level=1)).to_contain_text("Is tutoring consistent")
        visitor.get_by_role("button", name="End session").click(timeout=40_000)  # shown out, as far as the provider
        expect(visitor.get_by_role("heading", level=1)).to_have_text("Sign in", timeout=15_000)
        assert "Met their tutor" not in visitor.content()
        visitor.goto("about:blank")


def test_the_audit_log_of_all_this_is_whole(real: Path) -> None:
    head, problems = audit.verify(real / "audit")
    assert problems == []
    assert head.count > 10
