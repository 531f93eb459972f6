-- grain: one row per student, academic year and school, with the days whose meetings count for it
with enrolments as (
    select
        input.source_file,
        input.source_row,
        {% for column in columns if column not in characteristics %}
        input.{{ column }},
        {% endfor %}
        {% for characteristic in characteristics %}
        coalesce(input.{{ characteristic }}, '{{ unknown }}') as {{ characteristic }},
        {% endfor %}
        repeated.superseded_by,
        stg_calendar.year_begins as valid_from
    from input_enrolments as input
    left join stg_calendar on stg_calendar.academic_year = input.academic_year
    left join repeated
        on repeated.source_row = input.source_row and repeated.source_file = input.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
),

followed as (
    select
        *,
        lead(valid_from) over (
            partition by student_id, school_code, superseded_by is null
            order by valid_from
        ) as next_valid_from
    from enrolments
),

final as (
    select
        row_number() over (order by student_id, academic_year, school_code) as enrolment,
        *,
        case when next_valid_from < valid_from + 430 then next_valid_from else valid_from + 430 end as valid_to
    from followed
)

select * from final
