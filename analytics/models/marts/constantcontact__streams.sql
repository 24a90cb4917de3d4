-- What a loader read, and when. Its times are the only sign of how old the data is.
-- depends_on: {{ source('constantcontact', 'contacts') }}
{%- set sources = [] -%}
{%- for source in (graph.sources.values() if execute else []) if source.package_name == 'constantcontact' -%}
    {%- do sources.append(source) -%}
{%- endfor -%}

{%- for source in sources | sort(attribute='name') %}
{%- set table = adapter.get_relation(source.database, source.schema, source.identifier) %}
{%- set columns = constantcontact_columns_of(table) if table else [] %}
select
    cast('{{ source.name }}' as {{ dbt.type_string() }}) as stream,
    {{ 'true' if table else 'false' }} as is_loaded,
    {%- if '_sdc_extracted_at' in columns %}
    cast(max(_sdc_extracted_at) as {{ dbt.type_timestamp() }}) as last_read_at
from {{ table }}
    {%- else %}
    cast(null as {{ dbt.type_timestamp() }}) as last_read_at
    {%- endif %}
{{ 'union all' if not loop.last }}
{%- endfor %}
