{#- Nested values, which arrive differently in each database: see docs/guides/warehouses/. -#}

{#- The type of a raw column. -#}
{% macro constantcontact_raw_type(type) %}
    {{- adapter.dispatch('constantcontact_raw_type', 'constantcontact')(type) -}}
{% endmacro %}

{% macro default__constantcontact_raw_type(type) %}
    {{- 'json' if type in ('object', 'objects', 'texts') else type -}}
{% endmacro %}

{% macro postgres__constantcontact_raw_type(type) %}
    {{- {'object': 'jsonb', 'objects': 'jsonb[]', 'texts': 'text[]'}.get(type, type) -}}
{% endmacro %}

{#- A row for each text of a raw column. -#}
{% macro constantcontact_texts_of(column) %}
    {{- adapter.dispatch('constantcontact_texts_of', 'constantcontact')(column) -}}
{% endmacro %}

{% macro default__constantcontact_texts_of(column) %}
    {{- 'unnest(cast(' ~ column ~ ' as varchar[]))' -}}
{% endmacro %}

{% macro postgres__constantcontact_texts_of(column) %}
    {{- 'unnest(' ~ column ~ ')' -}}
{% endmacro %}

{#- A row for each object of a raw column. -#}
{% macro constantcontact_objects_of(column) %}
    {{- adapter.dispatch('constantcontact_objects_of', 'constantcontact')(column) -}}
{% endmacro %}

{% macro default__constantcontact_objects_of(column) %}
    {{- 'unnest(cast(' ~ column ~ ' as json[]))' -}}
{% endmacro %}

{% macro postgres__constantcontact_objects_of(column) %}
    {{- 'unnest(' ~ column ~ ')' -}}
{% endmacro %}

{#- A row for each text of an array inside an object. -#}
{% macro constantcontact_texts_inside(object, name) %}
    {{- adapter.dispatch('constantcontact_texts_inside', 'constantcontact')(object, name) -}}
{% endmacro %}

{% macro default__constantcontact_texts_inside(object, name) %}
    {{- "unnest(cast(" ~ object ~ " -> '" ~ name ~ "' as varchar[]))" -}}
{% endmacro %}

{% macro postgres__constantcontact_texts_inside(object, name) %}
    {{- "jsonb_array_elements_text(case jsonb_typeof(" ~ object ~ " -> '" ~ name ~ "')" -}}
    {{- " when 'array' then " ~ object ~ " -> '" ~ name ~ "' end)" -}}
{% endmacro %}
