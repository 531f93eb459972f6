-- grain: one row per tutor, school and academic year
with final as (
    select
        tutors.*,
        repeated.superseded_by
    from input_tutors as tutors
    left join repeated
        on repeated.source_row = tutors.source_row and repeated.source_file = tutors.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
)

select * from final
