{#- How long something was on something, as far as the builds have seen it: rows of a snapshot. -#}
{% macro stays(history) -%}
(
    select
        *,
        dbt_scd_id as stay_id,
        dbt_valid_to is null as is_current,
        -- What the first build saw had begun before.
        case when dbt_valid_from > min(dbt_valid_from) over () then dbt_valid_from end
            as joined_seen_at,
        dbt_valid_to as left_seen_at
    from {{ ref(history) }}
)
{%- endmacro %}

{#- The time of a build, in UTC, whatever the time zone of the session is. -#}
{% macro postgres__snapshot_get_time() -%}
    now() at time zone 'UTC'
{%- endmacro %}
