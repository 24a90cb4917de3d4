with campaigns as (
    select
        source_relation,
        campaign_id,
        name,
        type,
        last_sent_at,
        sends,
        coalesce(delivered, sends - bounces) as delivered,
        bounces,
        unique_clicks,
        opt_outs
    from {{ ref('stg_constantcontact__sms_campaign_summaries') }}
)

select
    source_relation,
    campaign_id,
    name,
    type,
    last_sent_at,
    sends,
    delivered,
    bounces,
    unique_clicks,
    opt_outs,
    {{ constantcontact_rate('unique_clicks', 'delivered') }} as click_rate,
    {{ constantcontact_rate('bounces', 'sends') }} as bounce_rate,
    {{ constantcontact_rate('opt_outs', 'delivered') }} as opt_out_rate
from campaigns
