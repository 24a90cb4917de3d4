{#- The raw table of a stream, with the columns that models read, of all accounts. Tables and columns
    that were not loaded are empty, so that the models work with any selection. -#}
{% macro constantcontact_raw(stream) %}
    {%- set table = source('constantcontact', stream) -%}
    {%- if not execute -%}
        {{ table }}
    {%- else -%}
        {#- Of this package, whatever the name of the project that installs it. -#}
        {%- set source_id = 'source.constantcontact.constantcontact.' ~ stream -%}
        {%- set columns = graph.sources[source_id].columns.values() -%}
        {%- set nothing = {
            'table': '(select 1 as nothing) as nothing where false',
            'columns': [],
            'account': 'cast(null as ' ~ dbt.type_string() ~ ')',
        } -%}
        (
        {%- for loaded in (constantcontact_tables(stream) or [nothing]) %}
            {%- do constantcontact_check_nesting(loaded.table, columns, loaded.columns) %}
            select
                {{ loaded.account }} as source_relation,
            {%- for column in columns %}
                {% if column.name in loaded.columns -%}
                {{ constantcontact_raw_column(column.name, column.data_type) }}
                {%- else -%}
                cast(null as {{ constantcontact_type(column.data_type) }}) as {{ column.name }}
                {%- endif -%}
                {{ ',' if not loop.last }}
            {%- endfor %}
            from {{ loaded.table }}
            {{ 'union all' if not loop.last }}
        {%- endfor %}
        )
    {%- endif -%}
{% endmacro %}

{#- Whether the raw table of a stream exists, of any account. -#}
{% macro constantcontact_is_loaded(stream) %}
    {%- do return(constantcontact_tables(stream) | length > 0) -%}
{% endmacro %}

{#- The names of the columns of a table, in lower case: Snowflake has them in capitals. -#}
{% macro constantcontact_columns_of(table) %}
    {%- do return(
        adapter.get_columns_in_relation(table) | map(attribute='name') | map('lower') | list
    ) -%}
{% endmacro %}
