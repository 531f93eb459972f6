-- grain: one row per academic year, part, unit and mode of meeting
-- sx of n attended meetings.
with attended as (
    select academic_year, part, school_code, mode, sum(n) as n
    from mart_meeting
    group by academic_year, part, school_code, mode
),
schools as (
    select distinct academic_year, part, school_code
    from mart_enrolment
),
modes as (
    {% for mode in modes %}
    select '{{ mode }}' as mode
    union all
    {% endfor %}
    select distinct mode from attended where mode = 'not recorded'
),
by_school as (
    select
        schools.academic_year,
        schools.part,
        schools.school_code,
        modes.mode,
        coalesce(attended.n, 0) as n
    from schools
    cross join modes
    left join attended
        on attended.academic_year = schools.academic_year
        and attended.part = schools.part
        and attended.school_code = schools.school_code
        and attended.mode = modes.mode
),
by_unit as (
    select
        s.academic_year, s.part, u.unit, s.mode,
        cast(sum(s.n) as bigint) as sx
    from by_school s
    inner join mart_unit u on u.school_code = s.school_code
    group by s.academic_year, s.part, u.unit, s.mode
),
final as (
    select
        *,
        cast(sum(sx) over (partition by academic_year, part, unit) as bigint) as n
    from by_unit
)
select * from final
