-- grain: one row per academic year and part that is counted in this run (counted_year, counted_part), by number
-- of_groups: whether groups are counted as well as everyone. Of years to date, only in the last two: the year in
-- progress and the one before, to compare it with. Further back they would be most of what is to be protected anew each
-- week, for figures of groups part of the way through a year long past.
with periods as (
    select
        academic_year,
        part,
        row_number() over (partition by part order by academic_year desc) as years_ago
    from mart_period
),
final as (
    select
        row_number() over (order by academic_year, part) as counted,
        academic_year as counted_year,
        part as counted_part,
        part = 'year' or years_ago <= 2 as of_groups
    from periods
    where academic_year || ' ' || part not in (
        {% for academic_year, part in settled %}
        {{ (academic_year + ' ' + part) | literal }},
        {% endfor %}
        ''
    )
)
select * from final
