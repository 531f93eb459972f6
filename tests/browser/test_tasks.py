"""Ten questions as a user would put them: each answered in three clicks from the Overview, and answered rightly.

Picking an option of a box counts as one click. What the page says is compared with the release itself, read here
with SQL of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.style import words
from dashboard.texts import DOCS
from tests.browser.serving import pick, settle

MOST_CLICKS = 3
SCHOOL = "School of Mathematics and Statistics"
MINUS = "\u2212"
YEAR = "academic_year = '2025/26' and part = 'year' and level = 'all'"  # the survey of this year is still to come
NOW = "academic_year = '2026/27' and part = 'to_date' and level = 'all'"
MET_BY_WEEK_6 = "academic_year = '2026/27' and week = 6 and level = 'all' and unit = 'faculty:ENG'"


class Reader:
    """Somebody with a question, who starts at the Overview and whose clicks are counted."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address, self.clicks = page, address, 0

    def starts(self, viewer: str = "university") -> None:
        self.page.goto(f"{self.address}/?viewer={viewer}")
        settle(self.page)

    def clicks_on(self, target: Locator) -> None:
        self.clicks += 1
        target.click()
        settle(self.page)

    def goes_to(self, name: str) -> None:
        """Opens a page by the navigation."""
        self.clicks_on(self.page.get_by_test_id("stTopNavLink").filter(has_text=name))
        expect(self.page).to_have_title(re.compile(f"^{name}"))
        settle(self.page)

    def views(self, name: str) -> None:
        """Opens a view of the page."""
        self.clicks_on(self.page.get_by_role("radio", name=name, exact=True))

    def picks(self, box: str, option: str) -> None:
        """Picks an option of a box."""
        self.clicks += 1
        pick(self.page, box, option)

    def reads(self, text: str | re.Pattern[str], within: str = "h2") -> None:
        """Finds an answer on the page, without a further click."""
        expect(self.page.locator(within).filter(has_text=text).first).to_be_visible()


@pytest.fixture
def reader(same_page: Page, roles: tuple[str, Path]) -> Iterator[Reader]:
    """A reader of the sample release; the test fails if the answer took more than three clicks."""
    reader = Reader(same_page, roles[0])
    yield reader
    assert reader.clicks <= MOST_CLICKS


@pytest.fixture
def rows(roles: tuple[str, Path]) -> Iterator[Any]:
    """Asks the release: SQL in, rows out."""
    with duckdb.connect(str(roles[1] / "university.duckdb"), read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


def signed(x: float) -> str:
    return f"{MINUS if x < 0 else '+' if x > 0 else ''}{abs(x):.0f}"


def apart(x: float) -> str:
    """A difference in points, in words."""
    size = f"{abs(x):.0f} point{'' if round(abs(x)) == 1 else 's'}"
    return f"{size} {'higher' if x > 0 else 'lower'}" if round(x) else "no higher or lower"


def test_is_tutoring_consistent_this_year(reader: Reader, rows: Any) -> None:
    reader.starts()
    said = rows(
        "select m.label, says, low, high from consistency c join metric m using (metric) join period p "
        "using (academic_year, part) where unit = 'university' and between = 'schools' and level = 'all' and headline "
        "and available and status = 'shown' qualify row_number() over (partition by metric order by p.ordering) = 1"
    )
    apart = [row for row in said if row[1] == "differs beyond chance"]
    assert len(apart) == len(said) > 1  # else the page says "only in part"
    label, _, low, high = max(apart, key=lambda row: row[3] - row[2])
    reader.reads(
        f"No. On all {words.small(len(said))} headline measures, schools differ by more than chance.", ".st-key-answer"
    )
    reader.reads(f"On ‘{label}’ about eight in ten schools lie between {low:.0f}% and {high:.0f}%", ".st-key-answer")


def test_which_schools_could_we_learn_from_on_trust(reader: Reader, rows: Any) -> None:
    reader.starts()
    reader.goes_to("Compare schools")
    reader.clicks_on(reader.page.locator(".matrix").get_by_role("link", name="I trust my tutor"))
    best = rows(
        "select name, c.value from funnel f join cell c using (academic_year, part, level, metric, unit) join unit "
        f"using (unit) where {YEAR} and metric = 'trust' and characteristic = 'all' "
        "and says like '%worth learning from'"
    )
    assert best
    named = reader.page.locator(".named").filter(has_text="Worth learning from").locator("li")
    expect(named).to_have_count(len(best))
    expect(named.filter(has_text="above the usual range")).to_have_count(len(best))
    for school, value in best:
        expect(named.filter(has_text=f"{school}: {value:.0f}%")).to_have_count(1)


def test_is_the_gap_for_disabled_students_real_and_the_same_everywhere(reader: Reader, rows: Any) -> None:
    reader.starts()
    reader.goes_to("Equity gaps")
    reader.views("Where")
    reader.picks("Characteristic", "Disability")
    [(metric, when)] = rows(  # the page opens on the headline measure with the widest clear gap
        "select metric, academic_year || part from gap join metric using (metric) "
        "join period using (academic_year, part) where unit = 'university' and level = 'all' and headline "
        "and against = 'reference' and evidence = 'clear gap' and direction <> 'none' and (metric, period.ordering) in "
        "(select metric, min(p.ordering) from cell join period p using (academic_year, part) where unit = 'university' "
        "and level = 'all' and characteristic = 'all' and status = 'shown' and has_groups group by metric) "
        "order by abs(value) / material desc limit 1"
    )
    when = f"level = 'all' and academic_year || part = '{when}'"
    about = f"{when} and metric = '{metric}' and characteristic = 'disability'"
    [(value, evidence)] = rows(f"select value, evidence from gap where {about} and unit = 'university'")
    people = "for disabled students than for students with no known disability"
    said = f"{evidence.capitalize()} at the university: {apart(value)} {people}"
    reader.reads(said, ".st-key-one")
    [(shown, judged, clear)] = rows(
        f"select count(*), count(*) filter (evidence <> 'too few to say'), count(*) filter (evidence = 'clear gap') "
        f"from gap where {about} and unit like 'school:%' and status = 'shown'"
    )
    how_many = f"a clear gap in {words.small(clear)} of {words.small(shown)} schools shown"
    how_many = how_many if clear else f"no clear gap in the {words.small(judged)} schools with enough students"
    reader.reads(f"Disabled and No known disability: {how_many}")
    [(pooled, says)] = rows(f"select value, says from pooled_gap where {about} and unit = 'university'")
    same = "it differs between schools" if says == "differs between schools" else "it is not clearly different"
    reader.reads(re.compile(rf"the gap within a school is {apart(pooled)} .*{same}"), ".subtitle")


def test_who_in_my_faculty_has_not_met_their_tutor_by_week_6(reader: Reader, rows: Any) -> None:
    reader.starts("faculty:ENG")
    reader.goes_to("Through the year")
    folds = reader.page.get_by_text("The figures behind this chart")
    reader.clicks_on(folds.nth(0))
    [(met,)] = rows(f"select value from curve where {MET_BY_WEEK_6} and characteristic = 'all'")
    week = reader.page.locator("tr").filter(has=reader.page.get_by_role("rowheader", name="6", exact=True)).first
    expect(week.get_by_role("cell").first).to_contain_text(f"{met:.0f}% (")
    reader.clicks_on(folds.nth(1))
    groups = rows(
        f"select \"group\", value from curve where {MET_BY_WEEK_6} and status = 'shown' and characteristic = "
        f"(select characteristic from gap where {NOW} and metric = 'no_meeting' and unit = 'faculty:ENG' "
        "and evidence = 'clear gap' and direction <> 'none' order by abs(value) desc limit 1)"
    )
    assert groups
    for group, met in groups:
        its = reader.page.locator("tr").filter(has=reader.page.get_by_role("rowheader", name=group, exact=True))
        week = its.filter(has=reader.page.get_by_role("cell", name="6", exact=True)).first
        expect(week.get_by_role("cell").nth(1)).to_contain_text(f"{met:.0f}% (")


def test_whose_voice_is_missing(reader: Reader, rows: Any) -> None:
    reader.starts()
    reader.goes_to("Student voice")
    reader.picks("Characteristic", "Ethnicity")
    about = f"from response where {YEAR} and unit = 'university'"
    [(everyone,)] = rows(f"select value {about} and characteristic = 'all'")
    less = rows(
        f"select \"group\", value {about} and characteristic = 'ethnicity' and upper < {everyone} "
        f"and value <= {everyone} - 3 and \"group\" <> 'Unknown' order by value"
    )
    assert less
    named = [f"{group} ({value:.0f}%)" for group, value in less]
    listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    reader.reads(f"Heard less than everybody ({everyone:.0f}%): {listed}")


def test_is_the_gap_of_black_students_narrowing(reader: Reader, rows: Any) -> None:
    reader.starts()
    reader.goes_to("Equity gaps")
    reader.views("Over the years")
    reader.picks("Group", "Black")
    [(change, says, first, last)] = rows(
        "select change, says, first_year, last_year from trend where level = 'all' and unit = 'university' "
        "and metric = 'any_meeting' and characteristic = 'ethnicity' and \"group\" = 'Black' and of = 'gap'"
    )
    verdict = {"narrowing": "the gap is narrowing", "widening": "the gap is widening"}.get(says, f"{says} in the gap")
    reader.reads(f"Black and White: {verdict} from {first} to {last}")
    reader.reads(f"Black moved {signed(change)} points beside White")


def test_can_i_trust_these_figures(reader: Reader, rows: Any) -> None:
    reader.starts()
    reader.clicks_on(reader.page.locator(".st-key-trust a"))
    [(read, balanced, aside)] = rows(
        "select sum(rows_read), sum(rows_loaded + rows_quarantined + duplicates_dropped), sum(rows_quarantined) "
        "from reconciliation"
    )
    [(critical, warnings)] = rows(
        "select count(*) filter (severity = 'critical'), count(*) filter (severity = 'warning') "
        'from "check" where not passed'
    )
    assert read == balanced
    assert not critical
    low = rows(
        f"select 100 - value from cell join unit using (unit) where {YEAR} and metric = 'recorded_of_recalled' "
        "and kind = 'school' and characteristic = 'all' and status = 'shown' and upper < 70 order by 1"
    )
    assert len(low) > 1
    said = f"Yes, with care: in {words.small(len(low))} schools {low[0][0]:.0f}% to {low[-1][0]:.0f}% of the meetings"
    reader.reads(said, ".st-key-answer")
    said = f"Every one of {read:,} rows is accounted for, and {100 * aside / read:.1f}% of them"
    reader.reads(said, ".st-key-answer")
    reader.reads(f"{words.small(warnings).capitalize()} warning", ".st-key-answer")


def test_how_is_one_school_doing(reader: Reader, rows: Any) -> None:
    reader.starts()
    reader.goes_to("School profile")
    reader.picks("School", SCHOOL)
    expect(reader.page.get_by_role("heading", level=1)).to_have_text(
        "How is tutoring in the School of Mathematics and Statistics?"
    )
    figures = rows(
        "select label, value from cell join metric using (metric) join unit using (unit) "
        f"where name = '{SCHOOL}' and characteristic = 'all' and status = 'shown' and suffix = '%' "
        f"and (theme = 'contact' and {NOW} or theme = 'voice' and {YEAR})"
    )
    assert len(figures) > 5
    for label, value in figures:
        row = reader.page.locator("tr").filter(has=reader.page.get_by_role("rowheader", name=label, exact=True)).first
        expect(row).to_contain_text(f"{value:.0f}%")


def test_does_the_mix_of_meeting_modes_differ_while_outcomes_agree(reader: Reader, rows: Any) -> None:
    reader.starts()
    reader.goes_to("Compare schools")
    reader.views("How they meet")
    [(mode,)] = rows(
        "select mode from mode where academic_year = '2026/27' and part = 'to_date' and unit = 'university' "
        "order by value desc limit 1"
    )
    [(low, high)] = rows(
        f"select min(value), max(value) from mode where academic_year = '2026/27' and part = 'to_date' "
        f"and mode = '{mode}' and unit like 'school:%' and status = 'shown'"
    )
    [(says,)] = rows(
        f"select says from consistency where {NOW} and metric = 'any_meeting' and unit = 'university' "
        "and between = 'schools'"
    )
    more = "schools differ by more than chance"
    seen = more if says == "differs beyond chance" else "no difference beyond chance can be seen"
    reader.reads(f"{mode} makes up {low:.0f}% to {high:.0f}% of meetings by school; on ‘Met their tutor’ {seen}")


def test_what_does_a_clear_gap_mean(reader: Reader) -> None:
    reader.starts()
    reader.goes_to("Methods")
    reader.clicks_on(reader.page.locator(".st-key-contents").get_by_role("link", name="Gaps", exact=True))
    expect(reader.page.get_by_role("heading", name="Gaps", exact=True)).to_be_in_viewport()
    meaning = "large enough to matter, and hardly chance even though many were looked at"
    assert meaning in (DOCS / "methods.md").read_text(encoding="utf-8").replace("\n", " ")
    reader.reads(re.compile(rf"Clear gap:\s+{meaning}"), "p")
