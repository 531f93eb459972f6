-- grain: one row per student, academic year and school, with the days whose meetings count for it
with kept as (
    select
        input.source_file,
        input.source_row,
        input.student_id,
        input.academic_year,
        input.school_code,
        stg_calendar.year_begins as valid_from,
        repeated.superseded_by is null as is_last
    from input_enrolments as input
    left join stg_calendar on stg_calendar.academic_year = input.academic_year
    left join repeated
        on repeated.source_row = input.source_row and repeated.source_file = input.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
),

-- few columns: of many millions of rows, all of these are held at once
numbered as (
    select
        source_file,
        source_row,
        row_number() over (order by student_id, academic_year, school_code, source_file, source_row) as enrolment,
        lead(valid_from) over (
            partition by student_id, school_code, is_last
            order by valid_from
        ) as next_valid_from
    from kept
),

final as (
    select
        numbered.enrolment,
        input.source_file,
        input.source_row,
        {% for column in columns if column not in characteristics %}
        input.{{ column }},
        {% endfor %}
        {% for characteristic in characteristics %}
        coalesce(input.{{ characteristic }}, '{{ unknown }}') as {{ characteristic }},
        {% endfor %}
        stg_calendar.year_begins as valid_from,
        case
            when numbered.next_valid_from < stg_calendar.year_begins + {{ longest }} then numbered.next_valid_from
            else stg_calendar.year_begins + {{ longest }}
        end as valid_to,
        stg_calendar.year_ends,
        repeated.superseded_by
    from input_enrolments as input
    inner join numbered
        on numbered.source_row = input.source_row and numbered.source_file = input.source_file
    left join stg_calendar on stg_calendar.academic_year = input.academic_year
    left join repeated
        on repeated.source_row = input.source_row and repeated.source_file = input.source_file
)

select * from final
