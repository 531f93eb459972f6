-- grain: one row per school and unit it counts for: itself, its faculty and the university
with final as (
    select school_code, 'school:' || school_code as unit from stg_schools
    union all
    select school_code, 'faculty:' || faculty_code as unit from stg_schools
    union all
    select school_code, 'university' as unit from stg_schools
)
select * from final
