-- grain: one row per academic year, unit and teaching week reached (from week 1 on)
-- Attended meetings of all levels, and how many enrolments they are of.
with weekly as (
    select academic_year, part
    from mart_period
    where part = 'year' or in_progress
),
contacts as (
    select m.academic_year, m.school_code, m.teaching_week as week, sum(m.n) as contacts
    from mart_meeting m
    inner join weekly p on p.academic_year = m.academic_year and p.part = m.part
    group by m.academic_year, m.school_code, m.teaching_week
),
schools as (
    select e.academic_year, e.school_code, count(*) as n
    from mart_enrolment e
    inner join weekly p on p.academic_year = e.academic_year and p.part = e.part
    group by e.academic_year, e.school_code
),
weeks as (
    {% for week in weeks %}
    select {{ week }} as week
    {{ "union all" if not loop.last }}
    {% endfor %}
),
final as (
    select
        s.academic_year,
        u.unit,
        w.week,
        cast(sum(s.n) as bigint) as n,
        cast(sum(coalesce(c.contacts, 0)) as bigint) as contacts
    from schools s
    inner join mart_period p on p.academic_year = s.academic_year and (p.part = 'year' or p.in_progress)
    inner join weeks w on w.week >= 1 and w.week <= p.through_week
    inner join mart_unit u on u.school_code = s.school_code
    left join contacts c
        on c.academic_year = s.academic_year and c.school_code = s.school_code and c.week = w.week
    group by s.academic_year, u.unit, w.week
)
select * from final
