-- grain: one row per academic year, part, level, unit, characteristic and group
-- n enrolments, and how many answered the survey. In a year whose survey is not linked to students, answers count
-- in the groups declared with them. Groups only of periods that have them, by level for the university only.
with linked_years as (
    select distinct academic_year
    from stg_feedback
    where enrolment is not null
),
counted as (
    select
        academic_year, part, level, school_code,
        {% for characteristic in characteristics %}
        {{ characteristic }},
        {% endfor %}
        1 as enrolled,
        case when responded then 1 else 0 end as answered,
        has_groups,
        'all' as everyone
    from mart_enrolment
    inner join mart_counted on counted_year = academic_year and counted_part = part
    union all
    select
        r.academic_year, r.part, r.level, r.school_code,
        {% for characteristic in characteristics %}
        r.{{ characteristic }},
        {% endfor %}
        0 as enrolled,
        1 as answered,
        has_groups,
        'all' as everyone
    from mart_response r
    inner join mart_counted on counted_year = r.academic_year and counted_part = r.part
    left join linked_years l on l.academic_year = r.academic_year
    where l.academic_year is null
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
        sum(enrolled) as n,
        sum(answered) as answered
    from counted
    {{ "where has_groups" if characteristic != 'everyone' }}
    group by academic_year, part, level, school_code, {{ characteristic }}
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
        s.academic_year, s.part, l.counts_for as level, u.unit, s.characteristic, s.grp,
        cast(sum(s.n) as bigint) as n, cast(sum(s.answered) as bigint) as answered
    from by_school s
    inner join mart_unit u on u.school_code = s.school_code
    inner join levels l on l.level = s.level
    where s.characteristic = 'all' or l.counts_for = 'all' or u.unit = 'university'
    group by s.academic_year, s.part, l.counts_for, u.unit, s.characteristic, s.grp
)
select * from final
