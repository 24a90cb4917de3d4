{{ config(
    materialized='incremental',
    unique_key=['source_relation', 'campaign_id', 'day'],
    full_refresh=constantcontact_full_refresh(),
    pre_hook="{{ constantcontact_forget_accounts(ref('constantcontact__engagement_events')) }}",
    indexes=constantcontact_indexes([
        {'columns': ['source_relation', 'campaign_id', 'day'], 'unique': true},
        {'columns': ['built_at']},
    ]),
) }}

with days as (
    select
        *,
        {{ constantcontact_day_of('happened_at') }} as day
    from {{ ref('constantcontact__engagement_events') }}
    where kind <> 'send'
),

-- Days with new events are counted again.
events as (
    select days.*
    from days
    {%- if is_incremental() %}
    {{ constantcontact_of_changed('days', 'days', ['source_relation', 'campaign_id', 'day']) }}
    {%- endif %}
)

select
    source_relation,
    day,
    campaign_id,
    {%- for kind, name in [
        ('open', 'opens'), ('click', 'clicks'), ('bounce', 'bounces'),
        ('opt_out', 'opt_outs'), ('forward', 'forwards'),
    ] %}
    cast(count(case when kind = '{{ kind }}' then 1 end) as integer) as {{ name }},
    {%- endfor %}
    cast(count(distinct case when kind = 'open' then contact_id end) as integer) as openers,
    cast(count(distinct case when kind = 'click' then contact_id end) as integer) as clickers,
    max(built_at) as built_at
from events
group by source_relation, day, campaign_id
