with clicks as (
    select
        source_relation,
        campaign_activity_id,
        url_id,
        max(campaign_id) as campaign_id,
        max(link_url) as link_url,
        count(*) as clicks,
        count(distinct contact_id) as clickers,
        min(happened_at) as first_clicked_at,
        max(happened_at) as last_clicked_at
    from {{ ref('constantcontact__engagement_events') }}
    where kind = 'click'
    group by source_relation, campaign_activity_id, url_id
),

links as (
    select
        coalesce(links.source_relation, clicks.source_relation) as source_relation,
        coalesce(links.campaign_activity_id, clicks.campaign_activity_id) as campaign_activity_id,
        coalesce(links.url_id, clicks.url_id) as url_id,
        coalesce(links.campaign_id, clicks.campaign_id) as campaign_id,
        coalesce(links.link_url, clicks.link_url) as link_url,
        cast(coalesce(links.unique_clicks, clicks.clickers, 0) as integer) as unique_clicks,
        cast(coalesce(clicks.clicks, 0) as integer) as clicks,
        clicks.first_clicked_at,
        clicks.last_clicked_at,
        coalesce(links.is_missing, false) as is_removed,
        links.counted_at
    from {{ ref('stg_constantcontact__email_links') }} as links
    full outer join clicks
        on links.source_relation = clicks.source_relation
        and links.campaign_activity_id = clicks.campaign_activity_id
        and links.url_id = clicks.url_id
)

select
    links.source_relation,
    links.campaign_activity_id,
    links.url_id,
    links.campaign_id,
    campaigns.name as campaign_name,
    links.link_url,
    links.unique_clicks,
    links.clicks,
    {{ constantcontact_rate('links.clicks', 'sum(links.clicks) over (partition by links.source_relation, links.campaign_activity_id)') }}
        as share_of_clicks,
    links.first_clicked_at,
    links.last_clicked_at,
    links.is_removed,
    links.counted_at
from links
left join {{ ref('constantcontact__campaigns') }} as campaigns
    on links.source_relation = campaigns.source_relation
    and links.campaign_id = campaigns.campaign_id
