"""The invented university behind the sample release: its schools, its figures and its data quality."""

from __future__ import annotations

from datetime import datetime

FACULTIES = {
    "ART": ("Faculty of Arts, Humanities and Languages", "Arts & Humanities"),
    "BUS": ("Faculty of Business, Economics and Law", "Business & Law"),
    "EDU": ("Faculty of Education and Social Policy", "Education"),
    "ENG": ("Faculty of Engineering and the Built Environment", "Engineering"),
    "HEA": ("Faculty of Health, Nursing and Allied Professions", "Health"),
    "MED": ("Faculty of Medicine and Dentistry", "Medicine"),
    "SCI": ("Faculty of Natural and Mathematical Sciences", "Science"),
    "SOC": ("Faculty of Social and Political Sciences", "Social Sciences"),
}
SCHOOLS = {
    "ART": ["English, Drama and Creative Writing", "History, Classics and Archaeology",
            "Modern Languages and Linguistics", "Philosophy, Theology and Religion"],
    "BUS": ["Accounting and Finance", "Economics and Econometrics", "Law and Criminology",
            "Management and International Business"],
    "EDU": ["Education and Childhood Studies", "Social Work and Social Policy"],
    "ENG": ["Architecture, Planning and Landscape", "Civil and Environmental Engineering",
            "Computer Science and Informatics", "Electrical and Electronic Engineering",
            "Mechanical and Aerospace Engineering"],
    "HEA": ["Nursing, Midwifery and Paramedic Science", "Pharmacy and Pharmaceutical Sciences",
            "Physiotherapy and Allied Health Professions"],
    "MED": ["Dentistry and Oral Health", "Medicine and Population Health"],
    "SCI": ["Biological and Environmental Sciences", "Chemistry and Materials",
            "Mathematics and Statistics", "Physics and Astronomy", "Psychology and Neuroscience"],
    "SOC": ["Geography and International Development", "Politics and International Relations",
            "Sociology, Anthropology and Media"],
}  # fmt: skip
YEARS = [2021, 2022, 2023, 2024, 2025, 2026]
CURRENT_YEAR, CURRENT_WEEK = 2026, 9
LEVELS = {"all": "All levels", "UG": "Undergraduate", "PGT": "Taught postgraduate", "PGR": "Research"}
LEVEL_SHARE = {"all": 1.0, "UG": 0.74, "PGT": 0.2, "PGR": 0.06}
CENTRE = {  # university value of a proportion in a whole year; what is not named is at 0.7
    "has_tutor": 0.96, "any_meeting": 0.9, "met_by_promised_week": 0.76, "met_standard": 0.58,
    "attendance": 0.86, "same_tutor": 0.83, "no_meeting": 0.1, "trust": 0.72, "knows_me": 0.66,
    "supported": 0.69, "part_of_journey": 0.48, "belonging": 0.64, "response_rate": 0.31,
    "recorded_of_recalled": 0.9,
}  # fmt: skip
MEANS = {
    "careers_talks": (1.2, 0.8),
    "meetings_per_student": (2.6, 1.4),
    "tutees_per_fte": (19.5, 6.0),
}  # value, spread between people
LOWER = {"Black": -0.55, "IMD 1 (most deprived)": -0.4, "IMD 2": -0.25, "Commuter": -0.35, "Mature": -0.1,
         "Disabled": -0.2, "First in family": -0.22, "Care experienced": -0.3, "International": 0.2,
         "TUNDRA 1 (lowest participation)": -0.25, "Asian": -0.12, "Female": 0.12}  # fmt: skip
NOT_LOGGING = {"school:BUS3", "school:ENG4", "school:HEA1"}
OUTSTANDING = {"school:SCI3", "school:EDU1"}
CHECKS = """
table_name | expectation | column_name | severity | passed | rows_checked | rows_failing | observed | rule
schools | code_unique | school_code | critical | yes | 28 | 0 | | Every school has a code of its own.
enrolments | key_unique | | critical | yes | 228451 | 0 | | A student is enrolled once per year and school.
enrolments | school_known | school_code | row-level | no | 228642 | 73 | | Every school code is in the schools table.
enrolments | volume | | warning | yes | | | 38,230 against 37,905 | Enrolments are within a fifth of last year's.
enrolments | tutor_named | tutor_id | warning | no | 228569 | 14020 | 93.9% | At least 95% of enrolments name a tutor.
meetings | in_year | meeting_date | row-level | no | 992224 | 611 | | Meetings happen inside an academic year.
meetings | enrolled | student_id | row-level | no | 992224 | 1526 | | Every meeting is with an enrolled student.
meetings | status_known | status | critical | yes | 992224 | 0 | | A meeting is attended, missed or cancelled.
meetings | fresh | meeting_date | warning | yes | | | 27 November 2026 | The last meeting is less than 14 days old.
feedback | in_range | trust | row-level | no | 58940 | 77 | | Answers run from 1 to 5.
"""
QUARANTINE = """
table_name | file | column_name | rows | rule
meetings | meetings_2021-2025.csv | student_id | 1402 | Every meeting is with an enrolled student.
meetings | meetings_2021-2025.csv | meeting_date | 502 | Meetings happen inside an academic year.
meetings | meetings_2026.xlsx | student_id | 124 | Every meeting is with an enrolled student.
meetings | meetings_2026.xlsx | meeting_date | 109 | Meetings happen inside an academic year.
feedback | tutoring_survey.csv | trust | 77 | Answers run from 1 to 5.
enrolments | SITS enrolments 2021-2025.csv | school_code | 61 | Every school code is in the schools table.
enrolments | SITS enrolments 2026.csv | school_code | 12 | Every school code is in the schools table.
tutors | tutors_all_years.xlsx | fte | 3 | Full-time equivalents are above 0 and at most 1.5.
"""


FILED = datetime(2026, 11, 29, 23, 10)
FILES = [
    ("schools", "schools.csv", 28, 0, 0, FILED, ""),
    ("calendar", "calendar.csv", 6, 0, 0, FILED, ""),
    ("standards", "standards.csv", 20, 0, 0, FILED, ""),
    ("tutors", "tutors_all_years.xlsx", 7_420, 3, 6, FILED, ""),
    ("enrolments", "SITS enrolments 2021-2025.csv", 190_412, 61, 118, FILED, "read as Windows-1252"),
    ("enrolments", "SITS enrolments 2026.csv", 38_230, 12, 0, FILED, ""),
    ("meetings", "meetings_2021-2025.csv", 931_204, 1_904, 802, FILED, ""),
    ("meetings", "meetings_2026.xlsx", 61_020, 233, 41, FILED, "sheet Export, title row skipped"),
    ("feedback", "tutoring_survey.csv", 58_940, 77, 12, FILED, ""),
]
