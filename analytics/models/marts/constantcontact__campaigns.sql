with sendings as (
    select
        source_relation,
        campaign_id,
        min(sent_at) as first_sent_at,
        max(sent_at) as last_sent_at
    from {{ ref('stg_constantcontact__email_campaign_send_history') }}
    group by source_relation, campaign_id
),

joined as (
    select
        coalesce(campaigns.source_relation, counters.source_relation) as source_relation,
        coalesce(campaigns.campaign_id, counters.campaign_id) as campaign_id,
        campaigns.name,
        campaigns.type,
        campaigns.status,
        coalesce(campaigns.status = 'removed', false) as is_removed,
        campaigns.created_at,
        campaigns.updated_at,
        counters.last_sent_at,
        counters.sends,
        counters.sends - counters.bounces as delivered,
        counters.unique_opens,
        counters.opens,
        counters.unique_clicks,
        counters.clicks,
        counters.mobile_opens,
        counters.bounces,
        counters.opt_outs,
        counters.forwards,
        counters.spam_reports,
        counters.not_opened,
        counters.counted_at
    from {{ ref('stg_constantcontact__email_campaigns') }} as campaigns
    full outer join {{ ref('int_constantcontact__email_campaign_counters') }} as counters
        on campaigns.source_relation = counters.source_relation
        and campaigns.campaign_id = counters.campaign_id
),

first_emails as (
    select
        source_relation,
        campaign_id,
        max(subject) as subject,
        max(from_name) as from_name
    from {{ ref('stg_constantcontact__email_campaign_activities') }}
    where role = 'primary_email'
    group by source_relation, campaign_id
)

select
    joined.source_relation,
    joined.campaign_id,
    joined.name,
    joined.type,
    joined.status,
    joined.is_removed,
    first_emails.subject,
    first_emails.from_name,
    joined.created_at,
    joined.updated_at,
    sendings.first_sent_at,
    coalesce(joined.last_sent_at, sendings.last_sent_at) as last_sent_at,
    joined.sends,
    joined.delivered,
    joined.unique_opens,
    joined.opens,
    joined.unique_clicks,
    joined.clicks,
    joined.bounces,
    joined.opt_outs,
    joined.forwards,
    joined.spam_reports,
    joined.not_opened,
    {{ constantcontact_rate('joined.unique_opens', 'joined.delivered') }} as open_rate,
    {{ constantcontact_rate('joined.unique_clicks', 'joined.delivered') }} as click_rate,
    {{ constantcontact_rate('joined.unique_clicks', 'joined.unique_opens') }} as click_to_open_rate,
    {{ constantcontact_rate('joined.bounces', 'joined.sends') }} as bounce_rate,
    {{ constantcontact_rate('joined.opt_outs', 'joined.delivered') }} as opt_out_rate,
    {{ constantcontact_rate('joined.mobile_opens', 'joined.opens') }} as mobile_open_rate,
    joined.counted_at
from joined
left join first_emails
    on joined.source_relation = first_emails.source_relation
    and joined.campaign_id = first_emails.campaign_id
left join sendings
    on joined.source_relation = sendings.source_relation
    and joined.campaign_id = sendings.campaign_id
