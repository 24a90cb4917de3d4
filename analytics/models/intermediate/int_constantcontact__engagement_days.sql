{{ config(
    materialized='incremental',
    unique_key=constantcontact_key_of_campaigns(['source_relation', 'campaign_id', 'day']),
    full_refresh=constantcontact_full_refresh(),
    pre_hook="{{ constantcontact_forget_accounts() }}",
) }}

select
    source_relation,
    {{ constantcontact_day_of('happened_at') }} as day,
    campaign_id,
    {%- for kind, name in [
        ('open', 'opens'), ('click', 'clicks'), ('bounce', 'bounces'),
        ('opt_out', 'opt_outs'), ('forward', 'forwards'),
    ] %}
    cast(sum(case when kind = '{{ kind }}' then 1 else 0 end) as integer) as {{ name }},
    {%- endfor %}
    cast(count(distinct case when kind = 'open' then contact_id end) as integer) as openers,
    cast(count(distinct case when kind = 'click' then contact_id end) as integer) as clickers,
    max(built_at) as built_at
from {{ ref('constantcontact__engagement_events') }}
where
    kind <> 'send'
    {%- if is_incremental() %}
    and {{ constantcontact_of_changed_campaigns(ref('constantcontact__engagement_events')) }}
    {%- endif %}
group by source_relation, {{ constantcontact_day_of('happened_at') }}, campaign_id
