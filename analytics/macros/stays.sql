{#- How long a contact was on a list or had a tag, according to the builds: rows of a snapshot. -#}
{% macro constantcontact_stays(history) -%}
(
    select
        *,
        dbt_scd_id as stay_id,
        dbt_valid_to is null as is_current,
        -- Rows of the first build of an account started before it.
        case when dbt_valid_from > min(dbt_valid_from) over (partition by source_relation) then dbt_valid_from end
            as joined_seen_at,
        dbt_valid_to as left_seen_at
    from {{ ref(history) }}
)
{%- endmacro %}

{#- Set the time zone of the session, since dbt's snapshots take the time of a build from its clock.
    Overriding dbt's macro would change the snapshots of other projects. -#}
{% macro constantcontact_use_utc() -%}
    {{- adapter.dispatch('constantcontact_use_utc', 'constantcontact')() -}}
{%- endmacro %}

{% macro default__constantcontact_use_utc() -%}
{%- endmacro %}

{% macro duckdb__constantcontact_use_utc() -%}
    set TimeZone = 'UTC'
{%- endmacro %}

{% macro postgres__constantcontact_use_utc() -%}
    set local timezone to 'UTC'
{%- endmacro %}
