-- grain: one row per enrolment and part of the year, of students enrolled at some time of the teaching in it
-- The columns a metric of grain 'enrolment' may use:
--   begun_week (the teaching week by whose Friday it had begun; 0: before teaching), has_tutor, attended, missed,
--   attended_with_tutor, one_tutor, first_week (teaching week of the first attended meeting), promised_week,
--   meetings_due, through_week, enrolled_throughout, enrolled_through_promised_week, responded, year_of_study,
--   study_mode, and every characteristic.
-- named_tutor is for other models, not for metrics.
{% from 'group_of.sql' import group_of %}
with standards as (
    select school_code, academic_year, level, meetings_per_year, first_meeting_by_week
    from stg_standards
),
respondents as (
    select enrolment, min(teaching_week) as response_week
    from stg_feedback
    where enrolment is not null
    group by enrolment
),
periods as (
    select academic_year, part, through_week, teaching_start, ends, teaching_weeks
    from mart_period
),
enrolments as (
    select
        e.*,
        coalesce(own.meetings_per_year, common.meetings_per_year) as meetings_per_year,
        coalesce(own.first_meeting_by_week, common.first_meeting_by_week) as promised_week
    from stg_enrolments e
    left join standards own
        on own.school_code = e.school_code and own.academic_year = e.academic_year and own.level = e.level
    left join standards common
        on common.school_code is null and common.academic_year = e.academic_year and common.level = e.level
),
final as (
    select
        e.enrolment,
        e.academic_year,
        p.part,
        p.through_week,
        e.school_code,
        e.level,
        e.year_of_study,
        e.study_mode,
        {% for characteristic in characteristics %}
        {{ group_of(characteristic, 'e') }},
        {% endfor %}
        case
            when e.start_date is null or e.start_date <= p.teaching_start then 0
            else cast(floor((date_diff('day', p.teaching_start, e.start_date) + 2) / 7) as integer) + 1
        end as begun_week,
        e.tutor_id as named_tutor,
        e.tutor_id is not null as has_tutor,
        {% for figure in ['attended', 'missed', 'attended_with_tutor'] %}
        coalesce(case when p.part = 'year' then c.{{ figure }}_year else c.{{ figure }}_to_date end, 0) as {{ figure }},
        {% endfor %}
        case when p.part = 'year' then c.one_tutor_year else c.one_tutor_to_date end as one_tutor,
        case when p.part = 'year' then c.first_week_year else c.first_week_to_date end as first_week,
        e.promised_week,
        case
            when p.part = 'year' then e.meetings_per_year
            else floor(e.meetings_per_year * p.through_week / nullif(p.teaching_weeks, 0))
        end as meetings_due,
        (e.start_date is null or e.start_date <= p.teaching_start + 14)
            and (e.end_date is null or e.end_date >= p.ends) as enrolled_throughout,
        (e.start_date is null or e.start_date <= p.teaching_start + 6)
            and (e.end_date is null or e.end_date >= p.teaching_start + cast(floor(7 * e.promised_week - 3) as integer))
            as enrolled_through_promised_week,
        r.enrolment is not null as responded
    from enrolments e
    inner join periods p on p.academic_year = e.academic_year
    left join mart_contact c on c.enrolment = e.enrolment
    left join respondents r
        on r.enrolment = e.enrolment and (p.part = 'year' or r.response_week <= p.through_week)
    -- 'is null or' would say the same, as a period has both dates; but of that engines expect few rows, and then hold
    -- these in memory at once instead of the narrower contacts
    where coalesce(e.start_date, p.ends) <= p.ends
        and coalesce(e.end_date, p.teaching_start) >= p.teaching_start
)
select * from final
