-- The campaigns with new events are counted again.
{{ config(
    materialized='incremental',
    unique_key=constantcontact_key_of_campaigns(['source_relation', 'campaign_id', 'contact_id']),
    full_refresh=constantcontact_full_refresh(),
    pre_hook="{{ constantcontact_forget_accounts() }}",
) }}

select
    source_relation,
    contact_id,
    campaign_id,
    cast(sum(case when kind = 'send' then 1 else 0 end) as integer) as sends,
    {%- for kind, name, verb in [('open', 'opens', 'opened'), ('click', 'clicks', 'clicked')] %}
    cast(sum(case when kind = '{{ kind }}' then 1 else 0 end) as integer) as {{ name }},
    min(case when kind = '{{ kind }}' then happened_at end) as first_{{ verb }}_at,
    max(case when kind = '{{ kind }}' then happened_at end) as last_{{ verb }}_at,
    {%- endfor %}
    {%- for kind, name in [('bounce', 'bounces'), ('opt_out', 'opt_outs'), ('forward', 'forwards')] %}
    cast(sum(case when kind = '{{ kind }}' then 1 else 0 end) as integer) as {{ name }},
    {%- endfor %}
    min(case when kind = 'send' then happened_at end) as sent_at,
    max(case when kind = 'bounce' then happened_at end) as bounced_at,
    max(case when kind = 'bounce' then bounce_code end) as bounce_code,
    max(case when kind = 'opt_out' then happened_at end) as unsubscribed_at,
    max(case when kind in ('open', 'click', 'forward') then happened_at end) as last_engaged_at,
    max(built_at) as built_at
from {{ ref('constantcontact__engagement_events') }}
{%- if is_incremental() %}
where {{ constantcontact_of_changed_campaigns(ref('constantcontact__engagement_events')) }}
{%- endif %}
group by source_relation, contact_id, campaign_id
