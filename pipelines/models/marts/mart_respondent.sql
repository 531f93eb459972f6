-- grain: one row per response and part of the year
-- Who answered, and for each metric whether it holds for them (null: not answered).
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
        cast({{ metric.value }} as double) as x_{{ metric.name }},
        {% endfor %}
        1 as n
    from mart_response
)
select * from final
