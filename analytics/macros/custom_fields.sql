{#- Return the custom fields of the account, each of which becomes a column.

    Returns:
        Dictionaries of `id`, `label`, `type`, `column` (its name, quoted) and `value` (the column of
        contact_custom_field_values with values of this type), oldest field first. -#}
{% macro constantcontact_custom_fields() %}
    {%- set fields = [] -%}
    {%- if execute and constantcontact_is_loaded('contact_custom_fields') -%}
        {%- set rows = run_query(
            'select custom_field_id, coalesce(name, label, custom_field_id), label, type from '
            ~ constantcontact_raw('contact_custom_fields') ~ ' order by created_at, custom_field_id'
        ).rows -%}
        {%- set taken = [] -%}
        {%- for id, name, label, type in rows -%}
            {%- set column = constantcontact_column_name(name, taken) -%}
            {%- do taken.append(column) -%}
            {%- do fields.append({
                'id': id,
                'label': label,
                'type': type,
                'column': constantcontact_quoted(column),
                'value': constantcontact_value_column(type),
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(fields) -%}
{% endmacro %}

{#- Derive the name of a column from the name of a field. It begins with custom_ to avoid conflicts,
    can have letters of any script, fits in PostgreSQL's limit, and gets a number if it is taken. -#}
{% macro constantcontact_column_name(name, taken) %}
    {%- set words = modules.re.sub('\W+', '_', name | lower).strip('_') -%}
    {%- set short = ('custom_' ~ words).encode('utf-8')[:58].decode('utf-8', 'ignore') -%}
    {%- set names = [short] -%}
    {%- for number in range(2, taken | length + 2) -%}
        {%- do names.append(short ~ '_' ~ number) -%}
    {%- endfor -%}
    {%- do return(names | reject('in', taken) | first) -%}
{% endmacro %}

{#- The name of a column, quoted because it can have letters of any script. -#}
{% macro constantcontact_quoted(column) %}
    {{- adapter.dispatch('constantcontact_quoted', 'constantcontact')(column) -}}
{% endmacro %}

{% macro default__constantcontact_quoted(column) %}
    {{- adapter.quote(column) -}}
{% endmacro %}

{#- In capitals it needs no quotes in queries. -#}
{% macro snowflake__constantcontact_quoted(column) %}
    {{- adapter.quote(column | upper) -}}
{% endmacro %}

{#- The column of contact_custom_field_values for a type of custom fields. -#}
{% macro constantcontact_value_column(type) %}
    {%- do return({
        'number': 'value_number',
        'currency': 'value_number',
        'date': 'value_date',
        'datetime': 'value_timestamp',
        'boolean': 'value_boolean',
    }.get(type, 'value')) -%}
{% endmacro %}
