-- grain: one row per academic year, part, level, unit, characteristic, group and metric
-- Groups only of periods that have them (mart_period).
-- Sufficient statistics: n rows, and the sums of x (value), y (denominator; 1 where there is none) and their
-- products; how many rows have some (x above 0) and how many lack some (x is 0, or below y), so that every row does one
-- of the two, or both. Sums over schools give faculties and the university, sums over levels give 'all'.
with
{% for grain in grains %}
valued_{{ grain.name }} as (
    select
        academic_year,
        part,
        {{ "level" if grain.has_levels else "'all'" }} as level,
        school_code,
        {% for characteristic in grain.characteristics %}
        {{ characteristic }},
        {% endfor %}
        {% for metric in grain.metrics %}
        cast({{ metric.value }} as double) as x_{{ metric.name }},
        {% if metric.kind == 'ratio' %}
        cast(case when ({{ metric.value }}) is not null then {{ metric.denominator }} end as double) as y_{{ metric.name }},
        {% endif %}
        {% endfor %}
        has_groups,
        'all' as everyone
    from mart_{{ grain.name }}
    inner join mart_counted on counted_year = academic_year and counted_part = part
),
wide_{{ grain.name }} as (
    {% for characteristic in ['everyone'] + grain.characteristics %}
    select
        academic_year,
        part,
        level,
        school_code,
        '{{ 'all' if characteristic == 'everyone' else characteristic }}' as characteristic,
        {{ characteristic }} as grp,
        {% for metric in grain.metrics %}
        {% set x = 'x_' + metric.name %}
        {% set y = 'y_' + metric.name %}
        count({{ x }}) as n_{{ metric.name }},
        sum({{ x }}) as sx_{{ metric.name }},
        {% if metric.kind != 'proportion' %}
        sum({{ x }} * {{ x }}) as sxx_{{ metric.name }},
        {% endif %}
        {% if metric.kind == 'ratio' %}
        sum({{ y }}) as sy_{{ metric.name }},
        sum({{ y }} * {{ y }}) as syy_{{ metric.name }},
        sum({{ x }} * {{ y }}) as sxy_{{ metric.name }},
        {% endif %}
        {% if metric.kind != 'proportion' %}
        sum(case when {{ x }} > 0 then 1 else 0 end) as some_{{ metric.name }},
        sum(case when {{ x }} = 0 or {{ x }} < {{ y if metric.kind == 'ratio' else 1 }} then 1 else 0 end) as lack_{{ metric.name }},
        {% endif %}
        {% endfor %}
        count(*) as rows_read
    from valued_{{ grain.name }}
    {{ "where has_groups" if characteristic != 'everyone' }}
    group by academic_year, part, level, school_code, {{ characteristic }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),
{% endfor %}
by_school as (
    {% for grain in grains %}
    {% for metric in grain.metrics %}
    select
        academic_year,
        part,
        level,
        school_code,
        characteristic,
        grp,
        '{{ metric.name }}' as metric,
        n_{{ metric.name }} as n,
        sx_{{ metric.name }} as sx,
        {{ ('sx_' if metric.kind == 'proportion' else 'sxx_') + metric.name }} as sxx,
        {{ 'sy_' + metric.name if metric.kind == 'ratio' else 'cast(n_' + metric.name + ' as double)' }} as sy,
        {{ 'syy_' + metric.name if metric.kind == 'ratio' else 'cast(n_' + metric.name + ' as double)' }} as syy,
        {{ 'sxy_' + metric.name if metric.kind == 'ratio' else 'sx_' + metric.name }} as sxy,
        {{ 'some_' + metric.name if metric.kind != 'proportion' else 'sx_' + metric.name }} as have_some,
        {{ 'lack_' + metric.name if metric.kind != 'proportion' else 'n_' + metric.name + ' - sx_' + metric.name }} as lack_some
    from wide_{{ grain.name }}
    where n_{{ metric.name }} > 0
    {{ "union all" if not loop.last }}
    {% endfor %}
    {{ "union all" if not loop.last }}
    {% endfor %}
),
by_unit as (
    select
        s.academic_year, s.part, s.level, u.unit, s.characteristic, s.grp, s.metric,
        cast(sum(s.n) as double) as n, sum(s.sx) as sx, sum(s.sxx) as sxx, sum(s.sy) as sy, sum(s.syy) as syy, sum(s.sxy) as sxy,
        cast(sum(s.have_some) as double) as have_some, cast(sum(s.lack_some) as double) as lack_some
    from by_school s
    inner join mart_unit u on u.school_code = s.school_code
    group by s.academic_year, s.part, s.level, u.unit, s.characteristic, s.grp, s.metric
),
all_levels as (
    select
        academic_year, part, 'all' as level, unit, characteristic, grp, metric,
        sum(n) as n, sum(sx) as sx, sum(sxx) as sxx, sum(sy) as sy, sum(syy) as syy, sum(sxy) as sxy,
        sum(have_some) as have_some, sum(lack_some) as lack_some
    from by_unit
    where level <> 'all'
    group by academic_year, part, unit, characteristic, grp, metric
),
final as (
    select * from by_unit
    union all
    select * from all_levels
)
select * from final
