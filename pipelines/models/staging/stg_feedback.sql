-- grain: one row per response, with the enrolment of the student who gave it (null: the survey is not linked)
with responses as (
    select
        input.*,
        stg_calendar.teaching_start,
        stg_calendar.year_begins,
        stg_calendar.year_ends,
        repeated.superseded_by
    from input_feedback as input
    left join stg_calendar on stg_calendar.academic_year = input.academic_year
    left join repeated
        on repeated.source_row = input.source_row and repeated.source_file = input.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
),

final as (
    select
        responses.source_file,
        responses.source_row,
        {% for column in columns if column not in characteristics %}
        responses.{{ column }},
        {% endfor %}
        {% for characteristic in characteristics %}
        coalesce(
            stg_enrolments.{{ characteristic }}, responses.{{ characteristic }}, '{{ unknown }}'
        ) as {{ characteristic }},
        {% endfor %}
        stg_enrolments.enrolment,
        case
            when responses.response_date < responses.teaching_start then 0
            else cast(floor(date_diff('day', responses.teaching_start, responses.response_date) / 7) as integer) + 1
        end as teaching_week,
        responses.year_begins,
        responses.year_ends,
        responses.superseded_by
    from responses
    left join stg_enrolments
        on
            stg_enrolments.student_id = responses.student_id
            and stg_enrolments.academic_year = responses.academic_year
            and stg_enrolments.school_code = responses.school_code
)

select * from final
