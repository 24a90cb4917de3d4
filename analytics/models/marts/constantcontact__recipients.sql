-- What has new events is counted again.
{{ config(
    materialized='incremental',
    unique_key=['source_relation', 'campaign_id', 'contact_id'],
    full_refresh=constantcontact_full_refresh(),
    pre_hook="{{ constantcontact_forget_accounts(ref('constantcontact__engagement_events')) }}",
    indexes=constantcontact_indexes([
        {'columns': ['source_relation', 'campaign_id', 'contact_id'], 'unique': true},
        {'columns': ['source_relation', 'contact_id']},
        {'columns': ['built_at']},
    ]),
) }}

with events as (
    select events.*
    from {{ ref('constantcontact__engagement_events') }} as events
    {%- if is_incremental() %}
    {{ constantcontact_of_changed(
        ref('constantcontact__engagement_events'),
        'events',
        ['source_relation', 'campaign_id', 'contact_id'],
    ) }}
    {%- endif %}
)

select
    source_relation,
    contact_id,
    campaign_id,
    cast(count(case when kind = 'send' then 1 end) as integer) as sends,
    {%- for kind, name, verb in [('open', 'opens', 'opened'), ('click', 'clicks', 'clicked')] %}
    cast(count(case when kind = '{{ kind }}' then 1 end) as integer) as {{ name }},
    min(case when kind = '{{ kind }}' then happened_at end) as first_{{ verb }}_at,
    max(case when kind = '{{ kind }}' then happened_at end) as last_{{ verb }}_at,
    {%- endfor %}
    {%- for kind, name in [('bounce', 'bounces'), ('opt_out', 'opt_outs'), ('forward', 'forwards')] %}
    cast(count(case when kind = '{{ kind }}' then 1 end) as integer) as {{ name }},
    {%- endfor %}
    min(case when kind = 'send' then happened_at end) as sent_at,
    max(case when kind = 'bounce' then happened_at end) as bounced_at,
    max(case when kind = 'bounce' then bounce_code end) as bounce_code,
    max(case when kind = 'opt_out' then happened_at end) as unsubscribed_at,
    max(case when kind in ('open', 'click', 'forward') then happened_at end) as last_engaged_at,
    max(built_at) as built_at
from events
group by source_relation, contact_id, campaign_id
