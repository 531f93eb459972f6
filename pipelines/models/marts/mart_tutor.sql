-- grain: one row per tutor, school, academic year and part of the year
-- The columns a metric of grain 'tutor' may use: tutees (of the enrolments that count in the part), fte.
with tutees as (
    select academic_year, part, school_code, named_tutor, count(*) as tutees
    from mart_enrolment
    where named_tutor is not null
    group by academic_year, part, school_code, named_tutor
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
        on n.academic_year = t.academic_year and n.part = p.part
        and n.school_code = t.school_code and n.named_tutor = t.tutor_id
)
select * from final
