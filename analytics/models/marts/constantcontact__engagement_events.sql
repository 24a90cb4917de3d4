{#- The time is part of the ID's text already; databases skip older rows by it. -#}
{{ config(
    materialized='incremental',
    unique_key=['engagement_event_id', 'happened_at'],
    full_refresh=constantcontact_full_refresh(),
    pre_hook="{{ constantcontact_forget_accounts() }}",
    indexes=constantcontact_indexes([
        {'columns': ['engagement_event_id'], 'unique': true},
        {'columns': ['campaign_id', 'contact_id']},
        {'columns': ['kind']},
        {'columns': ['built_at']},
        {'columns': ['loaded_at'], 'type': 'brin'},
    ]),
) }}
{%- set key = ['source_relation', 'kind', 'campaign_activity_id', 'contact_id', 'happened_at', 'occurrence'] %}
{%- set read_until = constantcontact_read_until() if is_incremental() else [] %}
{#- A loader that appends has each reading of a report. -#}
{%- set may_repeat = is_incremental() or constantcontact_may_repeat(
    ref('int_constantcontact__engagement'), key + ["coalesce(url_id, '')"]
) %}

with new_rows as (
    select *
    from {{ ref('int_constantcontact__engagement') }}
    {%- if is_incremental() %}
    where
        {{ constantcontact_is_new_engagement(read_until) }}
    {%- endif %}
),

changed as (
    select
        new_rows.*,
        {{ dbt.hash(
            "new_rows.kind || '|' || new_rows.campaign_activity_id || '|' || new_rows.contact_id"
            ~ " || '|' || coalesce(new_rows.url_id, '')"
            ~ " || '|' || " ~ constantcontact_text_of_time('new_rows.happened_at')
            ~ " || '|' || cast(new_rows.occurrence as " ~ dbt.type_string() ~ ")"
            ~ constantcontact_of_account('new_rows.source_relation')
        ) }} as engagement_event_id
    from new_rows
    {%- if read_until %}
    -- Without what the table has from the same reading or a later one.
    left join (
        select *
        from {{ this }}
        where loaded_at >= cast('{{ read_until | map(attribute='since') | min }}' as {{ dbt.type_timestamp() }})
    ) as built
        on coalesce(new_rows.url_id, '') = coalesce(built.url_id, '')
        {%- for column in key %}
        and new_rows.{{ column }} = built.{{ column }}
        {%- endfor %}
        and new_rows.loaded_at <= built.loaded_at
    where built.engagement_event_id is null
    {%- endif %}
)

{%- if may_repeat %},

readings as (
    select
        *,
        row_number() over (
            partition by engagement_event_id order by loaded_at desc nulls last
        ) as reading
    from changed
)
{%- endif %}

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
    cast('{{ constantcontact_build_time() }}' as {{ dbt.type_timestamp() }}) as built_at
{%- if may_repeat %}
from readings
where reading = 1
{%- else %}
from changed
{%- endif %}
