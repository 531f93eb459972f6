-- grain: one row per academic year, unit and teaching week reached (from week 1 on)
-- Attended meetings of all levels, and how many enrolments they are of.
with enrolments as (
    select e.enrolment, e.academic_year, e.school_code
    from mart_enrolment e
    inner join mart_period p on p.academic_year = e.academic_year and p.part = e.part
    where p.part = 'year' or p.in_progress
),
contacts as (
    select e.academic_year, e.school_code, m.teaching_week as week, count(*) as contacts
    from stg_meetings m
    inner join enrolments e on e.enrolment = m.enrolment
    where m.status = 'attended'
    group by e.academic_year, e.school_code, m.teaching_week
),
schools as (
    select academic_year, school_code, count(*) as n
    from enrolments
    group by academic_year, school_code
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
