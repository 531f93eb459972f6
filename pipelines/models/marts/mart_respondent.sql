-- grain: one row per part of the year, level, school and combination of characteristics that anybody answered from
-- Of periods that have groups. How many answered, and for each metric how many answered it (n_) and for how
-- many it holds (sx_).
with final as (
    select
        academic_year,
        part,
        level,
        school_code,
        {% for characteristic in characteristics %}
        {{ characteristic }},
        {% endfor %}
        {% for metric in metrics %}
        count({{ metric.value }}) as n_{{ metric.name }},
        coalesce(cast(sum({{ metric.value }}) as bigint), 0) as sx_{{ metric.name }},
        {% endfor %}
        count(*) as n
    from mart_response
    inner join mart_counted on counted_year = academic_year and counted_part = part
    where has_groups
    group by
        academic_year, part, level, school_code{{ "," if characteristics }}
        {{ characteristics | join(', ') }}
)
select * from final
