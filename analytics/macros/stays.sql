{#- How long a contact was on a list or had a tag, according to the builds: rows of a snapshot. -#}
{% macro stays(history) -%}
(
    select
        *,
        dbt_scd_id as stay_id,
        dbt_valid_to is null as is_current,
        -- Rows of the first build started before it.
        case when dbt_valid_from > min(dbt_valid_from) over () then dbt_valid_from end
            as joined_seen_at,
        dbt_valid_to as left_seen_at
    from {{ ref(history) }}
)
{%- endmacro %}

{#- The time of a build, in UTC, regardless of the time zone of the session. -#}
{% macro postgres__snapshot_get_time() -%}
    now() at time zone 'UTC'
{%- endmacro %}
