{{ config(
    materialized='incremental',
    unique_key='engagement_event_id',
    full_refresh=constantcontact_full_refresh(),
    pre_hook="{{ constantcontact_forget_accounts() }}",
) }}

with new_rows as (
    select
        *,
        {{ dbt.hash(
            "kind || '|' || campaign_activity_id || '|' || contact_id || '|' || coalesce(url_id, '')"
            ~ " || '|' || " ~ constantcontact_text_of_time('happened_at')
            ~ " || '|' || cast(occurrence as " ~ dbt.type_string() ~ ")"
            ~ constantcontact_of_account('source_relation')
        ) }} as engagement_event_id
    from {{ ref('int_constantcontact__engagement') }}
    {%- if is_incremental() %}
    where
        {{ constantcontact_is_new_engagement() }}
    {%- endif %}
),

-- A loader that appends has each reading of a report.
readings as (
    select
        *,
        row_number() over (
            partition by engagement_event_id order by loaded_at desc nulls last
        ) as reading
    from new_rows
    {%- if is_incremental() %}
    -- Without what the last build had already.
    where
        not exists (
            select 1
            from {{ this }} as built
            where
                built.engagement_event_id = new_rows.engagement_event_id
                and built.loaded_at = new_rows.loaded_at
        )
    {%- endif %}
)

select
    source_relation,
    engagement_event_id,
    kind,
    campaign_id,
    campaign_activity_id,
    contact_id,
    happened_at,
    occurrence,
    device_type,
    url_id,
    link_url,
    bounce_code,
    opt_out_reason,
    loaded_at,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as {{ dbt.type_timestamp() }}) as built_at
from readings
where reading = 1
