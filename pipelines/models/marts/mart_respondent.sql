-- grain: one row per part of the year, level, school and combination of characteristics that anybody answered from
-- How many answered, and for each metric how many answered it (n_) and for how many it holds (sx_).
with valued as (
    select
        academic_year,
        part,
        level,
        school_code,
        {% for characteristic in characteristics %}
        {{ characteristic }},
        {% endfor %}
        {% for metric in metrics %}
        {{ metric.value }} as x_{{ metric.name }},
        {% endfor %}
        1 as answered
    from mart_response
),
final as (
    select
        academic_year,
        part,
        level,
        school_code,
        {% for characteristic in characteristics %}
        {{ characteristic }},
        {% endfor %}
        {% for metric in metrics %}
        count(x_{{ metric.name }}) as n_{{ metric.name }},
        coalesce(sum(x_{{ metric.name }}), 0) as sx_{{ metric.name }},
        {% endfor %}
        count(*) as n
    from valued
    group by
        academic_year, part, level, school_code{{ "," if characteristics }}
        {{ characteristics | join(', ') }}
)
select * from final
