-- grain: one row per academic year, part, school, teaching week and mode of attended meetings
-- n attended meetings of the enrolments that count for the part; in the year to date up to the week reached. n_begun: of
-- them, those of enrolments that had begun by that week.
with attended as (
    select enrolment, teaching_week, coalesce(mode, 'not recorded') as mode
    from stg_meetings
    where status = 'attended'
),
final as (
    select
        e.academic_year,
        e.part,
        e.school_code,
        a.teaching_week,
        a.mode,
        count(*) as n,
        count(case when e.begun_week <= a.teaching_week then 1 end) as n_begun
    from attended a
    inner join mart_enrolment e on e.enrolment = a.enrolment
    where e.part = 'year' or a.teaching_week <= e.through_week
    group by e.academic_year, e.part, e.school_code, a.teaching_week, a.mode
)
select * from final
