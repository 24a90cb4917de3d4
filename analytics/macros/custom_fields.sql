{#- Return the columns of custom fields. Fields of several accounts share a column if they have the
    same name and kind of values.

    Returns:
        Dictionaries of `label`, `column` (its name, quoted), `value` (the column of
        contact_custom_field_values with values of this type) and `is_it` (the condition that a value
        is of the field), oldest field first. -#}
{% macro constantcontact_custom_fields() %}
    {%- set fields = {} -%}
    {%- if execute and constantcontact_is_loaded('contact_custom_fields') -%}
        {%- set rows = run_query(
            'select source_relation, custom_field_id, coalesce(name, label, custom_field_id), label, type from '
            ~ constantcontact_raw('contact_custom_fields')
            ~ ' as fields order by source_relation, created_at, custom_field_id'
        ).rows -%}
        {%- set taken = {} -%}
        {%- for account, id, name, label, type in rows -%}
            {%- set value = constantcontact_value_column(type) -%}
            {#- By other fields of this account, and by fields of others with other values. -#}
            {%- set others = taken.setdefault(account, []) | list -%}
            {%- for column, field in fields.items() if field.value != value -%}
                {%- do others.append(column) -%}
            {%- endfor -%}
            {%- set column = constantcontact_column_name(name, others) -%}
            {%- do taken[account].append(column) -%}
            {%- set is_it = "(source_relation = '" ~ account ~ "' and custom_field_id = '" ~ id ~ "')" -%}
            {%- if column in fields -%}
                {%- do fields[column].update({'is_it': fields[column].is_it ~ ' or ' ~ is_it}) -%}
            {%- else -%}
                {%- do fields.update({column: {
                    'label': label,
                    'column': constantcontact_quoted(column),
                    'value': value,
                    'is_it': is_it,
                }}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(fields.values() | list) -%}
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
