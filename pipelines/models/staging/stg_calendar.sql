-- grain: one row per academic year, with the days it owns: from year_begins up to, not including, year_ends
with years as (
    select
        calendar.*,
        calendar.teaching_start - {{ before_teaching }} as year_begins,
        repeated.superseded_by
    from input_calendar as calendar
    left join repeated
        on repeated.source_row = calendar.source_row and repeated.source_file = calendar.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
),

final as (
    select
        *,
        -- the last year, which no other follows, owns as many days as an enrolment may reach
        coalesce(
            lead(year_begins) over (partition by superseded_by is null order by year_begins),
            year_begins + {{ longest }}
        ) as year_ends,
        -- a week counts when it reaches its Friday
        cast(floor((date_diff('day', teaching_start, teaching_end) + 3) / 7) as integer) as teaching_weeks,
        row_number() over (order by academic_year) as ordering
    from years
)

select * from final
