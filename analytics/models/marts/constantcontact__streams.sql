-- What a loader read, and when. Its times are the only sign of how old the data is.
-- depends_on: {{ source('constantcontact', 'contacts') }}, {{ source('constantcontact', 'account') }}
{%- set accounts = constantcontact_accounts() -%}
{%- set names = [] -%}
{%- for source in (graph.sources.values() if execute else []) if source.package_name == 'constantcontact' -%}
    {%- do names.append(source.name) -%}
{%- endfor %}

with tables as (
    {%- for name in names | sort %}
    {%- set outer = loop %}
    {%- for account in accounts %}
    -- So that each stream has a row, also if it was not loaded.
    select
        cast('{{ account }}' as {{ dbt.type_string() }}) as source_relation,
        cast('{{ name }}' as {{ dbt.type_string() }}) as stream,
        {{ 1 if constantcontact_tables(name) and not constantcontact_schemas() else 0 }} as loaded,
        cast(null as {{ dbt.type_timestamp() }}) as last_read_at
    {{ 'union all' if not (loop.last and outer.last) }}
    {%- endfor %}
    {%- endfor %}
    {%- for name in names | sort %}
    {%- for table in constantcontact_tables(name) %}
    union all
    select
        {{ table.account }} as source_relation,
        cast('{{ name }}' as {{ dbt.type_string() }}) as stream,
        1 as loaded,
        {%- if '_sdc_extracted_at' in table.columns %}
        cast(max(_sdc_extracted_at) as {{ dbt.type_timestamp() }}) as last_read_at
        {%- else %}
        cast(null as {{ dbt.type_timestamp() }}) as last_read_at
        {%- endif %}
    from {{ table.table }}
    {%- if 'account_id' in table.columns %}
    group by 1
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
)

select
    source_relation,
    stream,
    max(loaded) > 0 as is_loaded,
    max(last_read_at) as last_read_at
from tables
group by source_relation, stream
