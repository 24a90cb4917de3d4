-- The send history has the number of sends even if single sends were not read.
with sends as (
    select
        source_relation,
        {{ constantcontact_day_of('sent_at') }} as day,
        campaign_id,
        sum(sends) as sends
    from {{ ref('stg_constantcontact__email_campaign_send_history') }}
    group by source_relation, {{ constantcontact_day_of('sent_at') }}, campaign_id
)

select
    coalesce(days.source_relation, sends.source_relation) as source_relation,
    coalesce(days.day, sends.day) as day,
    coalesce(days.campaign_id, sends.campaign_id) as campaign_id,
    cast(coalesce(sends.sends, 0) as integer) as sends,
    {%- for name in ['opens', 'clicks', 'bounces', 'opt_outs', 'forwards', 'openers', 'clickers'] %}
    coalesce(days.{{ name }}, 0) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('int_constantcontact__engagement_days') }} as days
full outer join sends
    on days.source_relation = sends.source_relation
    and days.campaign_id = sends.campaign_id
    and days.day = sends.day
