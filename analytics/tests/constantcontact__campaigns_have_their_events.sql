-- A campaign has as many opens and clicks as its counters say.
-- Reports and counters are refreshed at different times, so they may differ for a while.
{{ config(severity='warn') }}

with engagement as (
    select
        source_relation,
        campaign_id,
        sum(opens) as opens,
        sum(clicks) as clicks
    from {{ ref('constantcontact__daily_engagement') }}
    group by source_relation, campaign_id
)

select
    campaigns.campaign_id,
    campaigns.opens as counted_opens,
    engagement.opens,
    campaigns.clicks as counted_clicks,
    engagement.clicks
from {{ ref('constantcontact__campaigns') }} as campaigns
left join engagement
    on campaigns.source_relation = engagement.source_relation
    and campaigns.campaign_id = engagement.campaign_id
where
    not campaigns.is_removed
    and (
        campaigns.opens <> coalesce(engagement.opens, 0)
        or campaigns.clicks <> coalesce(engagement.clicks, 0)
    )
