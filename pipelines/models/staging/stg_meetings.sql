-- grain: one row per meeting and student, with the enrolment it counts for (null: none)
--
-- Its enrolment is the student's at that date in the meeting's own school; where the extract names no
-- school, in the one school of its tutor that year; failing that, the only one the student has. A named
-- school in which the student is not enrolled is never replaced by a guess.
with meetings as (
    select
        input.*,
        repeated.superseded_by
    from input_meetings as input
    left join repeated
        on repeated.source_row = input.source_row and repeated.source_file = input.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
),

enrolments as (
    select
        enrolments.enrolment,
        enrolments.student_id,
        enrolments.school_code,
        enrolments.valid_from,
        enrolments.valid_to,
        stg_calendar.academic_year,
        stg_calendar.teaching_start
    from stg_enrolments as enrolments
    inner join stg_calendar on stg_calendar.academic_year = enrolments.academic_year
),
