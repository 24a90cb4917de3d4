{#- The raw table of a stream, with the columns that models read. Tables and columns that were not
    loaded are empty, so that the models work with any selection. -#}
{% macro constantcontact_raw(stream) %}
    {%- set table = source('constantcontact', stream) -%}
    {%- if not execute -%}
        {{ table }}
    {%- else -%}
        {%- set loaded = [] -%}
        {%- if constantcontact_is_loaded(stream) -%}
            {%- set loaded = adapter.get_columns_in_relation(table) | map(attribute='name') | list -%}
        {%- endif -%}
        {#- Of this package, whatever the name of the project that installs it. -#}
        {%- set source_id = 'source.constantcontact.constantcontact.' ~ stream -%}
        {%- set columns = graph.sources[source_id].columns.values() -%}
        {%- do constantcontact_check_nesting(table, columns, loaded) -%}
        (
            select
            {%- for column in columns %}
                {% if column.name not in loaded %}cast(null as {{ constantcontact_raw_type(column.data_type) }}) as {% endif -%}
                {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
            {{ 'from ' ~ table if loaded else 'where false' }}
        )
    {%- endif -%}
{% endmacro %}

{#- Whether the raw table of a stream exists. -#}
{% macro constantcontact_is_loaded(stream) %}
    {%- do return(load_relation(source('constantcontact', stream)) is not none) -%}
{% endmacro %}
