-- grain: one row per school, academic year and level; a blank school is the university's standard
with final as (
    select
        standards.*,
        repeated.superseded_by
    from input_standards as standards
    left join repeated
        on repeated.source_row = standards.source_row and repeated.source_file = standards.source_file
    where repeated.source_row is null or repeated.superseded_by is not null
)

select * from final
