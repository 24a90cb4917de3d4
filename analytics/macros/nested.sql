{#- Nested values, which arrive differently in each database: see docs/guides/warehouses/. -#}

{#- The type of a raw column. -#}
{% macro raw_type(type) %}
    {{- adapter.dispatch('raw_type')(type) -}}
{% endmacro %}

{% macro default__raw_type(type) %}
    {{- 'json' if type in ('object', 'objects', 'texts') else type -}}
{% endmacro %}

{% macro postgres__raw_type(type) %}
    {{- {'object': 'jsonb', 'objects': 'jsonb[]', 'texts': 'text[]'}.get(type, type) -}}
{% endmacro %}

{#- A row for each text of a raw column. -#}
{% macro texts_of(column) %}
    {{- adapter.dispatch('texts_of')(column) -}}
{% endmacro %}

{% macro default__texts_of(column) %}
    {{- 'unnest(cast(' ~ column ~ ' as varchar[]))' -}}
{% endmacro %}

{% macro postgres__texts_of(column) %}
    {{- 'unnest(' ~ column ~ ')' -}}
{% endmacro %}

{#- A row for each object of a raw column. -#}
{% macro objects_of(column) %}
    {{- adapter.dispatch('objects_of')(column) -}}
{% endmacro %}

{% macro default__objects_of(column) %}
    {{- 'unnest(cast(' ~ column ~ ' as json[]))' -}}
{% endmacro %}

{% macro postgres__objects_of(column) %}
    {{- 'unnest(' ~ column ~ ')' -}}
{% endmacro %}

{#- A row for each text of an array inside an object. -#}
{% macro texts_inside(object, name) %}
    {{- adapter.dispatch('texts_inside')(object, name) -}}
{% endmacro %}

{% macro default__texts_inside(object, name) %}
    {{- "unnest(cast(" ~ object ~ " -> '" ~ name ~ "' as varchar[]))" -}}
{% endmacro %}

{% macro postgres__texts_inside(object, name) %}
    {{- "jsonb_array_elements_text(case jsonb_typeof(" ~ object ~ " -> '" ~ name ~ "')" -}}
    {{- " when 'array' then " ~ object ~ " -> '" ~ name ~ "' end)" -}}
{% endmacro %}
