"""Example University: its faculties, its schools and what sets them apart before any effect is planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NAME = "Example University"
LEVELS = ("UG", "PGT", "PGR")

FACULTIES = {
    "ART": "Faculty of Arts, Humanities and Cultures",
    "BUS": "Faculty of Business",
    "SOC": "Faculty of Social Sciences",
    "EDU": "Faculty of Education and Lifelong Learning",
    "BIO": "Faculty of Biological Sciences",
    "ENV": "Faculty of Environment",
    "EPS": "Faculty of Engineering and Physical Sciences",
    "MED": "Faculty of Medicine and Health",
}


@dataclass(frozen=True)
class School:
    """A school: its share of students, its shares of levels and groups, and what it promises."""

    code: str
    name: str
    faculty: str
    size: int  # students in a university of 38,000 or so
    taught: float = 0.18  # share of postgraduates, taught
    research: float = 0.06  # share of postgraduates, research
    women: float = 0.52
    international: float = 1.0  # times the university's share at each level
    minority: float = 1.0  # times the university's share of minority ethnic home students
    standard: tuple[int, int, int] | None = None  # meetings a year for UG, PGT, PGR; None: the university's


SCHOOLS = (
    School("ENGL", "School of English", "ART", 1300, 0.12, 0.07, 0.74, 0.5, 0.6),
    School("HIST", "School of History", "ART", 1100, 0.10, 0.06, 0.54, 0.4, 0.5),
    School("LANG", "School of Languages, Cultures and Societies", "ART", 1900, 0.25, 0.05, 0.72, 1.3, 0.7, (4, 3, 8)),
    School("PRHS", "School of Philosophy, Religion and History of Science", "ART", 750, 0.10, 0.09, 0.5, 0.5, 0.6),
    School("MUSI", "School of Music", "ART", 380, 0.16, 0.10, 0.53, 0.7, 0.5, (4, 2, 6)),
    School("FINE", "School of Fine Art, History of Art and Cultural Studies", "ART", 620, 0.20, 0.09, 0.78, 1.0, 0.6),
    School("BUSI", "Business School", "BUS", 3500, 0.36, 0.04, 0.5, 1.6, 1.3),
    School("ECON", "School of Economics and Finance", "BUS", 1500, 0.22, 0.04, 0.38, 1.5, 1.4),
    School("LAWS", "School of Law", "SOC", 2000, 0.14, 0.04, 0.65, 0.8, 1.4),
    School("POLI", "School of Politics and International Studies", "SOC", 1400, 0.18, 0.06, 0.5, 0.9, 0.8),
    School("SOCI", "School of Sociology and Social Policy", "SOC", 950, 0.16, 0.07, 0.77, 0.6, 1.0),
    School("EDUC", "School of Education", "EDU", 1250, 0.40, 0.12, 0.8, 1.2, 0.8),
    School("LIFE", "Lifelong Learning Centre", "EDU", 350, 0.0, 0.0, 0.68, 0.1, 1.2, (5, 2, 6)),
    School("BIOL", "School of Biology", "BIO", 1250, 0.10, 0.09, 0.6, 0.6, 0.9),
    School("BIOM", "School of Biomedical Sciences", "BIO", 1400, 0.10, 0.08, 0.66, 0.7, 1.6),
    School("GEOG", "School of Geography", "ENV", 1150, 0.12, 0.07, 0.55, 0.4, 0.5),
    School("EART", "School of Earth and Environment", "ENV", 1200, 0.18, 0.12, 0.5, 0.7, 0.5),
    School("TRAN", "Institute for Transport Studies", "ENV", 360, 0.55, 0.20, 0.36, 1.2, 0.9),
    School("FOOD", "School of Food Science and Nutrition", "ENV", 700, 0.28, 0.10, 0.75, 1.2, 1.1),
    School("CIVL", "School of Civil Engineering", "EPS", 1150, 0.24, 0.08, 0.26, 1.2, 1.2),
    School("COMP", "School of Computer Science", "EPS", 2300, 0.22, 0.05, 0.22, 1.4, 1.4),
    School("MECH", "School of Mechanical Engineering", "EPS", 1650, 0.16, 0.08, 0.16, 1.1, 1.2),
    School("MATH", "School of Mathematics", "EPS", 1500, 0.10, 0.06, 0.38, 0.9, 1.1),
    School("PHYS", "School of Physics and Astronomy", "EPS", 900, 0.04, 0.12, 0.27, 0.5, 0.7, (6, 4, 8)),
    School("MEDI", "School of Medicine", "MED", 2500, 0.12, 0.07, 0.6, 0.5, 1.6, (2, 2, 6)),
    School("HLTH", "School of Healthcare", "MED", 2300, 0.16, 0.03, 0.83, 0.4, 1.2, (4, 3, 8)),
    School("PSYC", "School of Psychology", "MED", 1500, 0.14, 0.06, 0.81, 0.6, 0.9),
    School("DENT", "School of Dentistry", "MED", 540, 0.08, 0.06, 0.64, 0.6, 1.9),
)
SCHOOL_CODES = tuple(school.code for school in SCHOOLS)

# The university's own standard: meetings a year, and the teaching week of the first.
STANDARD = {"UG": (3, 3), "PGT": (2, 4), "PGR": (6, 4)}


def level_shares() -> np.ndarray:
    """Share of the university's students in each school and level, as an array (schools, levels)."""
    sizes = np.array([school.size for school in SCHOOLS], float)
    shares = np.array([(1 - s.taught - s.research, s.taught, s.research) for s in SCHOOLS])
    return shares * (sizes / sizes.sum())[:, None]


def whole_numbers(shares: np.ndarray, total: int) -> np.ndarray:
    """Split `total` in proportion to `shares`, in whole numbers that add up (largest remainder)."""
    exact = shares / shares.sum() * total
    floor = np.floor(exact).astype(np.int64)
    short = total - int(floor.sum())
    largest = np.argsort(floor.ravel() - exact.ravel(), kind="stable")[:short]
    floor.ravel()[largest] += 1
    return floor
