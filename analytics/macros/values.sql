{#- Convert user input to values, or to null: a cast would fail the build at the first text that does
    not fit. -#}

{#- Whether the whole text is of a pattern, which has to begin with ^ and end with $. -#}
{% macro constantcontact_matches(text, pattern) -%}
    {{- adapter.dispatch('constantcontact_matches', 'constantcontact')(text, pattern) -}}
{%- endmacro %}

{% macro default__constantcontact_matches(text, pattern) -%}
    {{ text }} ~ '{{ pattern }}'
{%- endmacro %}

{% macro snowflake__constantcontact_matches(text, pattern) -%}
    regexp_like({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro bigquery__constantcontact_matches(text, pattern) -%}
    regexp_contains({{ text }}, r'{{ pattern }}')
{%- endmacro %}

{% macro constantcontact_as_number(text) -%}
    case
        when {{ constantcontact_matches(text, '^-?[0-9]{1,20}([.][0-9]+)?$') }}
            then {{ constantcontact_decimal(text, 28, 6) }}
    end
{%- endmacro %}

{#- An exact number with some decimals. -#}
{% macro constantcontact_decimal(number, precision, scale) -%}
    {{- adapter.dispatch('constantcontact_decimal', 'constantcontact')(number, precision, scale) -}}
{%- endmacro %}

{% macro default__constantcontact_decimal(number, precision, scale) -%}
    cast({{ number }} as numeric({{ precision }}, {{ scale }}))
{%- endmacro %}

{% macro bigquery__constantcontact_decimal(number, precision, scale) -%}
    round(cast({{ number }} as numeric), {{ scale }})
{%- endmacro %}

{% macro constantcontact_as_boolean(text) -%}
    case lower({{ text }}) when 'true' then true when 'false' then false end
{%- endmacro %}

{#- A day, from 2026-01-31 or 01/31/2026, optionally followed by a time. -#}
{% macro constantcontact_as_date(text) -%}
    case
        when {{ constantcontact_matches(text, '^[12][0-9]{3}-[0-9]{2}-[0-9]{2}([T ].*)?$') }}
            then {{ constantcontact_day_of_parts(
                'substr(' ~ text ~ ', 1, 4)', 'substr(' ~ text ~ ', 6, 2)', 'substr(' ~ text ~ ', 9, 2)'
            ) }}
        when {{ constantcontact_matches(text, '^[0-9]{1,2}/[0-9]{1,2}/[12][0-9]{3}([ ].*)?$') }}
            then {{ constantcontact_day_of_parts(
                'substr(' ~ dbt.split_part(text, "'/'", 3) | trim ~ ', 1, 4)',
                dbt.split_part(text, "'/'", 1) | trim,
                dbt.split_part(text, "'/'", 2) | trim
            ) }}
    end
{%- endmacro %}

{#- Counted from the start of the year, because a cast of February 30 fails. Days that the month does
    not have are null. -#}
{% macro constantcontact_day_of_parts(year, month, day) -%}
    {%- set start = "cast(" ~ year ~ " || '-01-01' as " ~ dbt.type_timestamp() ~ ")" -%}
    {%- set month_start = dbt.dateadd('month', "(cast(" ~ month ~ " as integer) - 1)", start) -%}
    {%- set moment = dbt.dateadd('day', "(cast(" ~ day ~ " as integer) - 1)", month_start) | trim -%}
    case
        when extract(month from {{ moment }}) = cast({{ month }} as integer)
            and extract(year from {{ moment }}) = cast({{ year }} as integer)
            and cast({{ day }} as integer) > 0
            then cast({{ moment }} as date)
    end
{%- endmacro %}

{#- A time, from 2026-01-31T08:00:00Z, in UTC. A bare day is its midnight. -#}
{% macro constantcontact_as_timestamp(text) -%}
    {%- set with_time = '^[0-9-]{10}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+]00:?00)?$' -%}
    case
        when {{ constantcontact_matches(text, with_time) }}
            then case
                when {{ constantcontact_as_date(text) }} is not null
                    then cast(
                        substr({{ text }}, 1, 10) || ' ' || substr({{ text }}, 12, 8)
                        as {{ dbt.type_timestamp() }}
                    )
            end
        when {{ constantcontact_matches(text, '^[0-9/-]+$') }}
            then cast({{ constantcontact_as_date(text) }} as {{ dbt.type_timestamp() }})
    end
{%- endmacro %}

{#- A share of a whole, from 0 to 1; null if the whole is empty. -#}
{% macro constantcontact_rate(part, whole) -%}
    case when {{ whole }} > 0 then cast({{ part }} as {{ constantcontact_type('double precision') }}) / {{ whole }} end
{%- endmacro %}

{#- Whether a row was missing from a later reading of the others; false if a loader notes no times. -#}
{% macro constantcontact_is_missing(read_at, of) -%}
    coalesce(
        {{ read_at }} < {{ constantcontact_later(
            'max(' ~ read_at ~ ') over (partition by ' ~ of ~ ')',
            -1 * var('constantcontact_missing_after_minutes'),
            'minute'
        ) }},
        false
    )
{%- endmacro %}
