-- grain: one row per academic year and part ('year': the whole year; 'to_date': up to the week the year in progress has reached)
-- A year is in progress while its last meeting lies more than four weeks before the end of its teaching.
-- A week counts as reached from its Friday on. Years that have not begun, or have no meetings at all, are left out.
-- has_groups: whether groups are counted as well as everyone. Of years to date, only in the last two: the year in
-- progress and the one before, to compare it with. Further back they would be most of what is to be protected anew each
-- week, for figures of groups part of the way through a year long past.
with years as (
    select distinct academic_year
    from stg_meetings
),
last_meeting as (
    select max(meeting_date) as data_through
    from stg_meetings
    where status <> 'cancelled'
),
calendar as (
    select c.academic_year, c.teaching_start, c.teaching_end, c.teaching_weeks
    from stg_calendar c
    inner join years y on y.academic_year = c.academic_year
    inner join last_meeting m on m.data_through >= c.teaching_start
),
latest_year as (
    select max(teaching_start) as teaching_start
    from calendar
),
in_progress as (
    select
        c.academic_year,
        cast(floor((date_diff('day', c.teaching_start, m.data_through) + 3) / 7) as integer) as week
    from calendar c
    inner join latest_year l on l.teaching_start = c.teaching_start
    cross join last_meeting m
    where m.data_through < c.teaching_end - 28
),
whole as (
    select
        c.academic_year,
        'year' as part,
        c.teaching_weeks as through_week,
        c.teaching_start,
        c.teaching_end as ends,
        c.teaching_weeks
    from calendar c
    left join in_progress p on p.academic_year = c.academic_year
    where p.academic_year is null
),
to_date as (
    select
        c.academic_year,
        'to_date' as part,
        p.week as through_week,
        c.teaching_start,
        c.teaching_start + (7 * p.week - 3) as ends,
        c.teaching_weeks
    from calendar c
    cross join in_progress p
    where p.week >= 1
),
periods as (
    select * from whole
    union all
    select * from to_date
),
final as (
    select
        t.academic_year,
        t.part,
        t.through_week,
        t.teaching_start,
        t.ends,
        t.teaching_weeks,
        p.academic_year is not null as in_progress,
        t.part = 'year' or row_number() over (partition by t.part order by t.academic_year desc) <= 2 as has_groups
    from periods t
    left join in_progress p on p.academic_year = t.academic_year
)
select * from final
