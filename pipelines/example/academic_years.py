"""The example's academic years: whole ones up to 2025/26, then 2026/27 in progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

LAST_WHOLE_YEAR = 2025  # 2025/26
TEACHING_WEEKS = 31
WEEKS_IN_PROGRESS = 9  # how far 2026/27 has come


@dataclass(frozen=True)
class AcademicYear:
    """One academic year. Days are counted from the Monday of teaching week 1, which is day 0."""

    starts_in: int
    in_progress: bool

    @property
    def label(self) -> str:
        return f"{self.starts_in}/{(self.starts_in + 1) % 100:02}"

    @property
    def file_label(self) -> str:
        return self.label.replace("/", "-")

    @property
    def teaching_start(self) -> date:
        """The Monday nearest 27 September."""
        near = date(self.starts_in, 9, 27)
        return near + timedelta(days=(3 - near.weekday()) % 7 - 3)

    @property
    def teaching_end(self) -> date:
        return self.day(TEACHING_WEEKS * 7 - 3)

    @property
    def last_day(self) -> int:
        """The last day of which anything is on record."""
        return (WEEKS_IN_PROGRESS if self.in_progress else TEACHING_WEEKS) * 7 - 3

    def day(self, number: int) -> date:
        return self.teaching_start + timedelta(days=number)


def academic_years(whole: int) -> list[AcademicYear]:
    """`whole` whole years and the one in progress, oldest first."""
    last = LAST_WHOLE_YEAR
    return [AcademicYear(y, y > last) for y in range(last - whole + 1, last + 2)]
