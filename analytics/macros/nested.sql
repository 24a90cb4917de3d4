{#- Nested values, which arrive differently in each database: see docs/guides/warehouses/.

    Models that read staging models with nested columns give these the alias that the raw table has
    there: bqemulator confuses others. -#}

{#- The type of a raw column: object, objects and texts, or a type of SQL. -#}
{% macro constantcontact_type(type) %}
    {{- adapter.dispatch('constantcontact_type', 'constantcontact')(type) -}}
{% endmacro %}

{% macro default__constantcontact_type(type) %}
    {{- 'json' if type in ('object', 'objects', 'texts') else type -}}
{% endmacro %}

{% macro postgres__constantcontact_type(type) %}
    {{- {'object': 'jsonb', 'objects': 'jsonb[]', 'texts': 'text[]'}.get(type, type) -}}
{% endmacro %}

{% macro snowflake__constantcontact_type(type) %}
    {{- 'variant' if type in ('object', 'objects', 'texts') else
        'timestamp_ntz' if type == 'timestamp' else type -}}
{% endmacro %}

{% macro bigquery__constantcontact_type(type) %}
    {{- 'json' if type in ('object', 'objects', 'texts') else
        {'text': 'string', 'double precision': 'float64'}.get(type, type) -}}
{% endmacro %}

{#- A raw column, in the form in which the macros below take nested values. -#}
{% macro constantcontact_raw_column(name, type) %}
    {{- adapter.dispatch('constantcontact_raw_column', 'constantcontact')(name, type) -}}
{% endmacro %}

{#- Loaders choose wider types for numbers: hugeint in DuckDB, decimal in PostgreSQL. -#}
{% macro default__constantcontact_raw_column(name, type) %}
    {{- 'cast(' ~ name ~ ' as ' ~ type ~ ') as ' ~ name if type in ('integer', 'double precision') else name -}}
{% endmacro %}

{#- dlt stores times with a time zone: the profile sets that of the session to UTC. -#}
{% macro duckdb__constantcontact_raw_column(name, type) %}
    {%- set types = ('integer', 'double precision', 'timestamp') -%}
    {{- 'cast(' ~ name ~ ' as ' ~ type ~ ') as ' ~ name if type in types else name -}}
{% endmacro %}

{#- Loaders write records and repeated records, or JSON. -#}
{% macro bigquery__constantcontact_raw_column(name, type) %}
    {{- 'to_json(' ~ name ~ ') as ' ~ name if type in ('object', 'objects', 'texts') else name -}}
{% endmacro %}

{#- The text of a property of an object. -#}
{% macro constantcontact_text_in(object, name) %}
    {{- adapter.dispatch('constantcontact_text_in', 'constantcontact')(object, name) -}}
{% endmacro %}

{% macro default__constantcontact_text_in(object, name) %}
    {{- '(' ~ object ~ " ->> '" ~ name ~ "')" -}}
{% endmacro %}

{% macro snowflake__constantcontact_text_in(object, name) %}
    {{- 'cast(get_path(' ~ object ~ ", '" ~ name ~ "') as varchar)" -}}
{% endmacro %}

{% macro bigquery__constantcontact_text_in(object, name) %}
    {{- 'json_value(' ~ object ~ ", '$." ~ name ~ "')" -}}
{% endmacro %}

{#- A row for each text of an array, to be joined. `constantcontact_item` is the text.

    Args:
        array: A raw column.
        item: A name for the text.
        name: The property that has the array, if the column is an object. -#}
{% macro constantcontact_texts_of(array, item, name=none) %}
    {{- adapter.dispatch('constantcontact_texts_of', 'constantcontact')(array, item, name) -}}
{% endmacro %}

{% macro default__constantcontact_texts_of(array, item, name) %}
    {{- 'unnest(cast(' ~ array ~ (" -> '" ~ name ~ "'" if name else '') ~ ' as varchar[]))'
        ~ ' as ' ~ item ~ 's (' ~ item ~ ')' -}}
{% endmacro %}

{% macro postgres__constantcontact_texts_of(array, item, name) %}
    {%- if name -%}
        {%- set array = array ~ " -> '" ~ name ~ "'" -%}
        jsonb_array_elements_text(case jsonb_typeof({{ array }}) when 'array' then {{ array }} end)
    {%- else -%}
        unnest({{ array }})
    {%- endif %} as {{ item }}s ({{ item }})
{%- endmacro %}

{% macro snowflake__constantcontact_texts_of(array, item, name) %}
    {%- if name -%}
        {%- set array = 'get_path(' ~ array ~ ", '" ~ name ~ "')" -%}
    {%- endif -%}
    {{- snowflake__constantcontact_objects_of(array, item) -}}
{% endmacro %}

{% macro bigquery__constantcontact_texts_of(array, item, name) %}
    {{- 'unnest(json_value_array(' ~ array ~ (", '$." ~ name ~ "'" if name else '') ~ ')) as ' ~ item -}}
{% endmacro %}

{#- A row for each object of an array, as above. -#}
{% macro constantcontact_objects_of(array, item) %}
    {{- adapter.dispatch('constantcontact_objects_of', 'constantcontact')(array, item) -}}
{% endmacro %}

{% macro default__constantcontact_objects_of(array, item) %}
    {{- 'unnest(cast(' ~ array ~ ' as json[])) as ' ~ item ~ 's (' ~ item ~ ')' -}}
{% endmacro %}

{% macro postgres__constantcontact_objects_of(array, item) %}
    {{- 'unnest(' ~ array ~ ') as ' ~ item ~ 's (' ~ item ~ ')' -}}
{% endmacro %}

{% macro snowflake__constantcontact_objects_of(array, item) %}
    {{- 'lateral flatten(input => ' ~ array ~ ') as ' ~ item -}}
{% endmacro %}

{% macro bigquery__constantcontact_objects_of(array, item) %}
    {{- 'unnest(json_query_array(' ~ array ~ ')) as ' ~ item -}}
{% endmacro %}

{#- What `constantcontact_texts_of` or `constantcontact_objects_of` has a row for. -#}
{% macro constantcontact_item(item) %}
    {{- adapter.dispatch('constantcontact_item', 'constantcontact')(item) -}}
{% endmacro %}

{% macro default__constantcontact_item(item) %}
    {{- item -}}
{% endmacro %}

{% macro snowflake__constantcontact_item(item) %}
    {{- item ~ '.value' -}}
{% endmacro %}
