-- grain: one row per academic year, part, level, school, metric, n and sx; which tutors is left out
-- How many tutors have n students of whom the metric is known and holds for sx, among those whose named tutor they are.
with
{% for grain in grains %}
named_{{ grain.name }} as (
    select m.*, e.tutor_id as named_tutor
    from mart_{{ grain.name }} m
    inner join mart_counted on counted_year = m.academic_year and counted_part = m.part
    inner join stg_enrolments e on e.enrolment = m.enrolment
    where e.tutor_id is not null
),
wide_{{ grain.name }} as (
    select
        academic_year,
        part,
        level,
        school_code,
        named_tutor,
        {% for metric in grain.metrics %}
        count({{ metric.value }}) as n_{{ metric.name }},
        cast(sum({{ metric.value }}) as bigint) as sx_{{ metric.name }},
        {% endfor %}
        count(*) as rows_read
    from named_{{ grain.name }}
    group by academic_year, part, level, school_code, named_tutor
),
{% endfor %}
long as (
    {% for grain in grains %}
    {% for metric in grain.metrics %}
    select
        academic_year, part, level, school_code, named_tutor,
        '{{ metric.name }}' as metric, n_{{ metric.name }} as n, sx_{{ metric.name }} as sx
    from wide_{{ grain.name }}
    where n_{{ metric.name }} > 0
    {{ "union all" if not loop.last }}
    {% endfor %}
    {{ "union all" if not loop.last }}
    {% endfor %}
),
by_tutor as (
    select academic_year, part, level, 'school:' || school_code as unit, metric, n, sx
    from long
    union all
    select
        academic_year, part, 'all' as level, 'school:' || school_code as unit, metric,
        cast(sum(n) as bigint) as n, cast(sum(sx) as bigint) as sx
    from long
    group by academic_year, part, school_code, named_tutor, metric
),
final as (
    select academic_year, part, level, unit, metric, n, sx, count(*) as tutors
    from by_tutor
    group by academic_year, part, level, unit, metric, n, sx
)
select * from final
