-- grain: one row per row of {{ table }} whose key a later row repeats, word for word (superseded_by is null) or not
with repeated_keys as (
    select {{ key | join(', ') }}
    from {{ table }}
    group by {{ key | join(', ') }}
    having count(*) > 1
),

candidates as (
    select
        rows_read.*,
        extract_file.ordering
    from {{ table }} as rows_read
    inner join repeated_keys
        on
            {% for column in key %}
            {{ 'and ' if not loop.first }}rows_read.{{ column }} is not distinct from repeated_keys.{{ column }}
            {% endfor %}
    inner join extract_file
        on extract_file.file = rows_read.source_file and extract_file.table_name = '{{ table_name }}'
),

ranked as (
    select
        source_file,
        source_row,
        row_number() over (
            partition by {{ key | join(', ') }}
            order by ordering desc, source_row desc
        ) as place,
        row_number() over (
            partition by {{ columns | join(', ') }}
            order by ordering desc, source_row desc
        ) as copy,
        first_value(source_file || ', row ' || cast(source_row as varchar)) over (
            partition by {{ key | join(', ') }}
            order by ordering desc, source_row desc
        ) as last_of_key
    from candidates
),

final as (
    select
        source_file,
        source_row,
        case when copy = 1 then last_of_key end as superseded_by
    from ranked
    where place > 1
)

select * from final
