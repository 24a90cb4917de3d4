{#- The raw table of a stream. One that was not loaded counts as empty, so that models work with
    any selection of streams. -#}
{% macro raw(stream) %}
    {%- if not execute or is_loaded(stream) -%}
        {{ source('constantcontact', stream) }}
    {%- else -%}
        {%- set source_id = 'source.' ~ project_name ~ '.constantcontact.' ~ stream -%}
        (
            select
            {%- for column in graph.sources[source_id].columns.values() %}
                cast(null as {{ raw_type(column.data_type) }}) as {{ column.name }}
                {{- ',' if not loop.last }}
            {%- endfor %}
            where false
        )
    {%- endif -%}
{% endmacro %}

{#- Whether the raw table of a stream is there. -#}
{% macro is_loaded(stream) %}
    {%- do return(load_relation(source('constantcontact', stream)) is not none) -%}
{% endmacro %}
