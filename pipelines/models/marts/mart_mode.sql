-- grain: one row per academic year, part, unit and mode of meeting
-- sx of n attended meetings, and how many of the unit's enrolments had any (the same for each mode).
with attended as (
    select academic_year, part, school_code, mode, sum(n) as n
    from mart_meeting
    group by academic_year, part, school_code, mode
),
met as (
    select academic_year, part, school_code, sum(case when attended > 0 then 1 else 0 end) as students
    from mart_enrolment
    group by academic_year, part, school_code
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
        met.academic_year,
        met.part,
        met.school_code,
        modes.mode,
        met.students,
        coalesce(attended.n, 0) as n
    from met
    cross join modes
    left join attended
        on attended.academic_year = met.academic_year
        and attended.part = met.part
        and attended.school_code = met.school_code
        and attended.mode = modes.mode
),
by_unit as (
    select
        s.academic_year, s.part, u.unit, s.mode,
        cast(sum(s.students) as bigint) as students,
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
