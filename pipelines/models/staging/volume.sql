-- grain: one row per academic year and the year before it: rows of {{ table }}, and their relative change
-- A year in progress (more than four weeks of teaching to come) is compared in its complete weeks only.
with counted as (
    select
        academic_year,
        {{ 'teaching_week' if weekly else 0 }} as week,
        count(*) as rows_counted
    from {{ table }}
    group by academic_year{{ ", teaching_week" if weekly }}
),

years as (
    select
        stg_calendar.academic_year,
        stg_calendar.teaching_weeks,
        max(counted.week) as last_week,
        row_number() over (order by stg_calendar.teaching_start desc) as years_ago
    from stg_calendar
    inner join counted on counted.academic_year = stg_calendar.academic_year
    group by stg_calendar.academic_year, stg_calendar.teaching_weeks, stg_calendar.teaching_start
),

pairs as (
    select
        years.academic_year,
        before.academic_year as year_before,
        {% if weekly %}
        case when years.years_ago = 1 and years.last_week < years.teaching_weeks - 4 then years.last_week - 1 end
        {% else %}
        cast(null as integer)
        {% endif %}
            as through_week
    from years
    inner join years as before on before.years_ago = years.years_ago + 1
),

compared as (
    select
        pairs.academic_year,
        pairs.through_week,
        sum(case when counted.academic_year = pairs.academic_year then counted.rows_counted else 0 end)
            as rows_now,
        sum(case when counted.academic_year = pairs.year_before then counted.rows_counted else 0 end)
            as rows_before
    from pairs
    inner join counted
        on
            counted.academic_year in (pairs.academic_year, pairs.year_before)
            and (pairs.through_week is null or counted.week <= pairs.through_week)
    group by pairs.academic_year, pairs.through_week
),

final as (
    select
        academic_year,
        through_week,
        rows_now,
        rows_before,
        cast(rows_now as double) / nullif(rows_before, 0) - 1 as change
    from compared
    where rows_before > 0
)

select * from final
