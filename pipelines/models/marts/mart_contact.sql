-- grain: one row per enrolment with at least one attended or missed meeting
-- Each figure twice: for the whole year, and up to the teaching week that the year in progress has reached.
with held as (
    select
        enrolment,
        teaching_week,
        tutor_id,
        status = 'attended' as was_attended,
        status = 'attended' and tutor_id is not null as was_with_tutor,
        teaching_week <= {{ current_week }} as was_to_date
    from stg_meetings
    where status in ('attended', 'missed')
),
final as (
    select
        enrolment,
        {% for suffix, during in [('year', 'true'), ('to_date', 'was_to_date')] %}
        count(case when was_attended and {{ during }} then 1 end) as attended_{{ suffix }},
        count(case when not was_attended and {{ during }} then 1 end) as missed_{{ suffix }},
        min(case when was_attended and {{ during }} then teaching_week end) as first_week_{{ suffix }},
        count(case when was_with_tutor and {{ during }} then 1 end) as attended_with_tutor_{{ suffix }},
        min(case when was_with_tutor and {{ during }} then tutor_id end)
            = max(case when was_with_tutor and {{ during }} then tutor_id end) as one_tutor_{{ suffix }}{{ "," if not loop.last }}
        {% endfor %}
    from held
    group by enrolment
)
select * from final
