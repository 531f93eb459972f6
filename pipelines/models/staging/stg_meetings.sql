-- grain: one row per meeting and student, with the enrolment it counts for (null: none)
--
-- That is the student's enrolment at the date in the meeting's own school; where the extract names no
-- school, one of the latest year open at that date: the one that names the meeting's tutor; failing that, in the
-- school of that tutor that year; failing that, the only one the student has. A named school in which the student is
-- not enrolled is never replaced by a guess.
with enrolments as (
    select
        stg_enrolments.enrolment,
        stg_enrolments.student_id,
        stg_enrolments.school_code,
        stg_enrolments.tutor_id as named_tutor,
        stg_enrolments.valid_from,
        stg_enrolments.valid_to,
        stg_calendar.academic_year,
        stg_calendar.teaching_start
    from stg_enrolments
    inner join stg_calendar on stg_calendar.academic_year = stg_enrolments.academic_year
),

school_named as (
    select
        meetings.*,
        enrolments.enrolment,
        enrolments.academic_year,
        enrolments.teaching_start
    from input_meetings as meetings
    left join enrolments
        on
            enrolments.student_id = meetings.student_id
            and enrolments.school_code = meetings.school_code
            and enrolments.valid_from <= meetings.meeting_date
            and meetings.meeting_date < enrolments.valid_to
    where meetings.school_code is not null
),

-- the students' enrolments at the date of each meeting that names no school
open_then as (
    select
        meetings.source_file,
        meetings.source_row,
        meetings.tutor_id,
        enrolments.enrolment,
        enrolments.school_code,
        enrolments.academic_year,
        enrolments.valid_from,
        case when enrolments.named_tutor = meetings.tutor_id then enrolments.enrolment end as of_named_tutor,
        max(enrolments.valid_from) over (partition by meetings.source_file, meetings.source_row) as latest
    from input_meetings as meetings
    inner join enrolments
        on
            enrolments.student_id = meetings.student_id
            and enrolments.valid_from <= meetings.meeting_date
            and meetings.meeting_date < enrolments.valid_to
    where meetings.school_code is null
),

possible as (
    select *
    from open_then
    where valid_from = latest
),

tutor_school as (
    select
        tutor_id,
        academic_year,
        min(school_code) as school_code
    from stg_tutors
    group by tutor_id, academic_year
    having count(distinct school_code) = 1
),

found as (
    select
        possible.source_file,
        possible.source_row,
        coalesce(
            case when count(possible.of_named_tutor) = 1 then min(possible.of_named_tutor) end,
            min(case when tutor_school.school_code = possible.school_code then possible.enrolment end),
            case when count(*) = 1 then min(possible.enrolment) end
        ) as enrolment
    from possible
    left join tutor_school
        on tutor_school.tutor_id = possible.tutor_id and tutor_school.academic_year = possible.academic_year
    group by possible.source_file, possible.source_row
),

no_school_named as (
    select
        meetings.*,
        enrolments.enrolment,
        enrolments.academic_year,
        enrolments.teaching_start
    from input_meetings as meetings
    left join found
        on found.source_row = meetings.source_row and found.source_file = meetings.source_file
    left join enrolments on enrolments.enrolment = found.enrolment
    where meetings.school_code is null
),

meetings as (
    select * from school_named
    union all
    select * from no_school_named
),

final as (
    select
        meetings.*,
        -- induction, before teaching starts, is week 0
        case
            when meetings.meeting_date < meetings.teaching_start then 0
            else cast(floor(date_diff('day', meetings.teaching_start, meetings.meeting_date) / 7) as integer) + 1
        end as teaching_week,
        repeated.superseded_by
    from meetings
    left join repeated
        on repeated.source_row = meetings.source_row and repeated.source_file = meetings.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
)

select * from final
