-- grain: one row per school
with final as (
    select
        schools.*,
        repeated.superseded_by
    from input_schools as schools
    left join repeated
        on repeated.source_row = schools.source_row and repeated.source_file = schools.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
)

select * from final
