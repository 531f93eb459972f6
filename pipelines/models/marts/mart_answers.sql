-- grain: one row per academic year, part, unit, statement, characteristic and group
-- How many gave each of the five answers, all levels together. Of whole years and the year in progress; groups of the
-- university and faculties only.
{% set scale = [1, 2, 3, 4, 5] %}
with responses as (
    select r.*, 'all' as everyone
    from mart_response r
    inner join mart_period p on p.academic_year = r.academic_year and p.part = r.part
    inner join mart_counted on counted_year = r.academic_year and counted_part = r.part
    where p.part = 'year' or p.in_progress
),
wide as (
    {% for characteristic in ['everyone'] + characteristics %}
    select
        academic_year,
        part,
        school_code,
        '{{ 'all' if characteristic == 'everyone' else characteristic }}' as characteristic,
        {{ characteristic }} as grp,
        {% for statement in statements %}
        {% for answer in scale %}
        sum(case when {{ statement }} = {{ answer }} then 1 else 0 end) as {{ statement }}_{{ answer }},
        {% endfor %}
        {% endfor %}
        count(*) as rows_read
    from responses
    group by academic_year, part, school_code, {{ characteristic }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),
by_school as (
    {% for statement in statements %}
    select
        academic_year,
        part,
        school_code,
        characteristic,
        grp,
        '{{ statement }}' as metric,
        {% for answer in scale %}
        {{ statement }}_{{ answer }} as answer_{{ answer }}{{ "," if not loop.last }}
        {% endfor %}
    from wide
    {{ "union all" if not loop.last }}
    {% endfor %}
),
counted as (
    select
        s.academic_year, s.part, u.unit, s.metric, s.characteristic, s.grp,
        {% for answer in scale %}
        cast(sum(s.answer_{{ answer }}) as bigint) as answer_{{ answer }}{{ "," if not loop.last }}
        {% endfor %}
    from by_school s
    inner join mart_unit u on u.school_code = s.school_code
    where s.characteristic = 'all' or u.unit not like 'school:%'
    group by s.academic_year, s.part, u.unit, s.metric, s.characteristic, s.grp
),
final as (
    select *
    from counted
    where answer_1 + answer_2 + answer_3 + answer_4 + answer_5 > 0
)
select * from final
