{#- The raw table of a stream, with the columns that models read. Tables and columns that were not
    loaded are empty, so that the models work with any selection. -#}
{% macro constantcontact_raw(stream) %}
    {%- set table = source('constantcontact', stream) -%}
    {%- if not execute -%}
        {{ table }}
    {%- else -%}
        {%- set loaded = [] -%}
        {%- if constantcontact_is_loaded(stream) -%}
            {%- set loaded = constantcontact_columns_of(table) -%}
        {%- endif -%}
        {#- Of this package, whatever the name of the project that installs it. -#}
        {%- set source_id = 'source.constantcontact.constantcontact.' ~ stream -%}
        {%- set columns = graph.sources[source_id].columns.values() -%}
        {%- do constantcontact_check_nesting(table, columns, loaded) -%}
        (
            select
            {%- for column in columns %}
                {% if column.name in loaded -%}
                {{ constantcontact_raw_column(column.name, column.data_type) }}
                {%- else -%}
                cast(null as {{ constantcontact_type(column.data_type) }}) as {{ column.name }}
                {%- endif -%}
                {{ ',' if not loop.last }}
            {%- endfor %}
            from {{ table if loaded else '(select 1 as nothing) as nothing where false' }}
        )
    {%- endif -%}
{% endmacro %}

{#- Whether the raw table of a stream exists. -#}
{% macro constantcontact_is_loaded(stream) %}
    {%- do return(load_relation(source('constantcontact', stream)) is not none) -%}
{% endmacro %}

{#- The names of the columns of a table, in lower case: Snowflake has them in capitals. -#}
{% macro constantcontact_columns_of(table) %}
    {%- do return(
        adapter.get_columns_in_relation(table) | map(attribute='name') | map('lower') | list
    ) -%}
{% endmacro %}
