-- grain: one row per tutor, school, academic year and part of the year
-- The columns a metric of grain 'tutor' may use: tutees, fte.
with tutees as (
    select academic_year, school_code, tutor_id, count(*) as tutees
    from stg_enrolments
    where tutor_id is not null
    group by academic_year, school_code, tutor_id
),
final as (
    select
        t.academic_year,
        p.part,
        t.school_code,
        t.fte,
        coalesce(n.tutees, 0) as tutees
    from stg_tutors t
    inner join mart_period p on p.academic_year = t.academic_year
    left join tutees n
        on n.academic_year = t.academic_year and n.school_code = t.school_code and n.tutor_id = t.tutor_id
)
select * from final
