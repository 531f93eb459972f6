-- grain: one row per response and part of the year
-- The columns a metric of grain 'response' may use:
--   the statements and recalled_meetings as answered, enrolment (null: the student is not known), linked (whether
--   the student is known), recorded_meetings (attended meetings on record up to the day of the answer), and every
--   characteristic.
-- named_tutor is for other models, not for metrics.
{% from 'group_of.sql' import group_of %}
with responses as (
    select *
    from stg_feedback
),
recorded as (
    select r.response_id, count(*) as recorded_meetings
    from responses r
    inner join stg_meetings m on m.enrolment = r.enrolment
    where m.status = 'attended' and m.meeting_date <= r.response_date
    group by r.response_id
),
final as (
    select
        r.enrolment,
        r.academic_year,
        p.part,
        r.school_code,
        r.level,
        {% for characteristic in characteristics %}
        {{ group_of(characteristic, 'r') }},
        {% endfor %}
        {% for statement in statements %}
        r.{{ statement }},
        {% endfor %}
        e.tutor_id as named_tutor,
        r.enrolment is not null as linked,
        coalesce(c.recorded_meetings, 0) as recorded_meetings
    from responses r
    inner join mart_period p on p.academic_year = r.academic_year
    left join recorded c on c.response_id = r.response_id
    left join stg_enrolments e on e.enrolment = r.enrolment
    where p.part = 'year' or r.teaching_week <= p.through_week
)
select * from final
