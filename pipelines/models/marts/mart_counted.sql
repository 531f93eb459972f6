-- grain: one row per academic year and part that is counted in this run (counted_year, counted_part), by number
-- has_undated: whether what carries no date is counted: not in earlier years to date, as it tells how things stand now.
with final as (
    select
        row_number() over (order by academic_year, part) as counted,
        academic_year as counted_year,
        part as counted_part,
        has_groups,
        part = 'year' or in_progress as has_undated
    from mart_period
    where academic_year || ' ' || part not in (
        {% for academic_year, part in settled %}
        {{ (academic_year + ' ' + part) | literal }},
        {% endfor %}
        ''
    )
)
select * from final
