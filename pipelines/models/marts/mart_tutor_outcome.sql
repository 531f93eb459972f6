-- grain: one row per academic year, school, metric, n and sx, of whole years, all levels together; which tutors is left out
-- How many tutors have n students of whom the metric is known and holds for sx, among those whose named tutor they are.
-- Counts rather than sums, and a number for the year: a country's tutors take half the memory.
with
{% for grain in grains %}
by_tutor_{{ grain.name }} as (
    select
        counted,
        m.school_code,
        m.named_tutor,
        {% for metric in grain.metrics %}
        count({{ metric.value }}) as n_{{ metric.name }},
        count(case when ({{ metric.value }}) = 1 then 1 end) as sx_{{ metric.name }}{{ "," if not loop.last }}
        {% endfor %}
    from mart_{{ grain.name }} m
    inner join mart_counted on counted_year = m.academic_year and counted_part = m.part and counted_part = 'year'
    where m.named_tutor is not null
    group by counted, m.school_code, m.named_tutor
),
{% endfor %}
tutors_alike as (
    {% for grain in grains %}
    {% for metric in grain.metrics %}
    select
        counted, school_code, '{{ metric.name }}' as metric,
        n_{{ metric.name }} as n, sx_{{ metric.name }} as sx, count(*) as tutors
    from by_tutor_{{ grain.name }}
    where n_{{ metric.name }} > 0
    group by counted, school_code, n_{{ metric.name }}, sx_{{ metric.name }}
    {{ "union all" if not loop.last }}
    {% endfor %}
    {{ "union all" if not loop.last }}
    {% endfor %}
),
final as (
    select
        c.counted_year as academic_year, c.counted_part as part, 'all' as level, 'school:' || t.school_code as unit, t.metric,
        t.n, t.sx, t.tutors
    from tutors_alike t
    inner join mart_counted c on c.counted = t.counted
)
select * from final
