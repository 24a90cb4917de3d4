{#- Convert user input to values, or to null: a cast would fail the build at the first text that does
    not fit. -#}

{% macro constantcontact_as_number(text) -%}
    case when {{ text }} ~ '^-?[0-9]{1,20}([.][0-9]+)?$' then cast({{ text }} as numeric(28, 6)) end
{%- endmacro %}

{% macro constantcontact_as_boolean(text) -%}
    case lower({{ text }}) when 'true' then true when 'false' then false end
{%- endmacro %}

{#- A day, from 2026-01-31 or 01/31/2026, optionally followed by a time. -#}
{% macro constantcontact_as_date(text) -%}
    case
        when {{ text }} ~ '^[12][0-9]{3}-[0-9]{2}-[0-9]{2}([T ].*)?$'
            then {{ constantcontact_day_of_parts(
                'substr(' ~ text ~ ', 1, 4)', 'substr(' ~ text ~ ', 6, 2)', 'substr(' ~ text ~ ', 9, 2)'
            ) }}
        when {{ text }} ~ '^[0-9]{1,2}/[0-9]{1,2}/[12][0-9]{3}([ ].*)?$'
            then {{ constantcontact_day_of_parts(
                "substr(split_part(" ~ text ~ ", '/', 3), 1, 4)",
                "split_part(" ~ text ~ ", '/', 1)",
                "split_part(" ~ text ~ ", '/', 2)"
            ) }}
    end
{%- endmacro %}

{#- Counted from the start of the year, because a cast of February 30 fails. Days that the month does
    not have are null. -#}
{% macro constantcontact_day_of_parts(year, month, day) -%}
    {%- set months = "(cast(" ~ month ~ " as integer) - 1) * interval '1 month'" -%}
    {%- set days = "(cast(" ~ day ~ " as integer) - 1) * interval '1 day'" -%}
    {%- set moment = "cast(" ~ year ~ " || '-01-01' as timestamp) + " ~ months ~ " + " ~ days -%}
    case
        when extract(month from {{ moment }}) = cast({{ month }} as integer)
            and extract(year from {{ moment }}) = cast({{ year }} as integer)
            and cast({{ day }} as integer) > 0
            then cast({{ moment }} as date)
    end
{%- endmacro %}

{#- A time, from 2026-01-31T08:00:00Z, in UTC. A bare day is its midnight. -#}
{% macro constantcontact_as_timestamp(text) -%}
    case
        when {{ text }} ~ '^[0-9-]{10}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+]00:?00)?$'
            then {{ constantcontact_as_date(text) }} + cast(substr({{ text }}, 12, 8) as interval)
        when {{ text }} ~ '^[0-9/-]+$'
            then cast({{ constantcontact_as_date(text) }} as timestamp)
    end
{%- endmacro %}

{#- A share of a whole, from 0 to 1; null if the whole is empty. -#}
{% macro constantcontact_rate(part, whole) -%}
    case when {{ whole }} > 0 then cast({{ part }} as double precision) / {{ whole }} end
{%- endmacro %}

{#- The day of a time, in the configured time zone; the API's times are in UTC. -#}
{% macro constantcontact_day_of(moment) -%}
    {%- set time_zone = var('constantcontact_time_zone', env_var('ANALYTICS_TIME_ZONE', 'UTC')) -%}
    {%- if time_zone == 'UTC' -%}
        cast({{ moment }} as date)
    {%- else -%}
        cast(({{ moment }} at time zone 'UTC') at time zone '{{ time_zone }}' as date)
    {%- endif -%}
{%- endmacro %}

{#- Whether a row was missing from a later reading of the others; false if a loader notes no times. -#}
{% macro constantcontact_is_missing(read_at, of) -%}
    coalesce(
        {{ read_at }} < max({{ read_at }}) over (partition by {{ of }})
            - {{ var('constantcontact_missing_after_minutes') }} * interval '1 minute',
        false
    )
{%- endmacro %}
