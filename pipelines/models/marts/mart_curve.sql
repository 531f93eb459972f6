-- grain: one row per academic year, part, level, unit, characteristic, group and week of the first attended meeting
-- Of periods that have groups. n enrolments; no week: not met. In whole years the last week of teaching also holds those
-- first met after it; in years to date weeks end with the one reached, and who begins later is left out. Week 0 is
-- induction. Groups by level for the university only.
with enrolments as (
    select
        e.academic_year,
        e.part,
        e.level,
        e.school_code,
        {% for characteristic in characteristics %}
        e.{{ characteristic }},
        {% endfor %}
        e.through_week,
        case when e.first_week > e.through_week then e.through_week else e.first_week end as met_week,
        'all' as everyone
    from mart_enrolment e
    inner join mart_period p on p.academic_year = e.academic_year and p.part = e.part
    inner join mart_counted on counted_year = e.academic_year and counted_part = e.part
    where p.has_groups
),
by_school as (
    {% for characteristic in ['everyone'] + characteristics %}
    select
        academic_year,
        part,
        level,
        school_code,
        '{{ 'all' if characteristic == 'everyone' else characteristic }}' as characteristic,
        {{ characteristic }} as grp,
        through_week,
        met_week,
        count(*) as n
    from enrolments
    group by academic_year, part, level, school_code, {{ characteristic }}, through_week, met_week
    {{ "union all" if not loop.last }}
    {% endfor %}
),
levels as (
    select distinct level, level as counts_for from by_school
    union all
    select distinct level, 'all' as counts_for from by_school
),
final as (
    select
        s.academic_year, s.part, l.counts_for as level, u.unit, s.characteristic, s.grp, s.through_week, s.met_week,
        cast(sum(s.n) as bigint) as n
    from by_school s
    inner join mart_unit u on u.school_code = s.school_code
    inner join levels l on l.level = s.level
    where s.characteristic = 'all' or l.counts_for = 'all' or u.unit = 'university'
    group by s.academic_year, s.part, l.counts_for, u.unit, s.characteristic, s.grp, s.through_week, s.met_week
)
select * from final
