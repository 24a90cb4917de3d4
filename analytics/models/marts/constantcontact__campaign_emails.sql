-- A campaign can be sent again to those who did not open it: a resend is an activity of its own.
with sendings as (
    select
        source_relation,
        campaign_activity_id,
        max(campaign_id) as campaign_id,
        min(sent_at) as first_sent_at,
        max(sent_at) as last_sent_at
    from {{ ref('stg_constantcontact__email_campaign_send_history') }}
    group by source_relation, campaign_activity_id
),

emails as (
    select
        coalesce(
            activities.source_relation, counters.source_relation, sendings.source_relation
        ) as source_relation,
        coalesce(
            activities.campaign_activity_id,
            counters.campaign_activity_id,
            sendings.campaign_activity_id
        ) as campaign_activity_id,
        coalesce(activities.campaign_id, counters.campaign_id, sendings.campaign_id) as campaign_id,
        activities.role,
        activities.subject,
        activities.preheader,
        activities.from_name,
        sendings.first_sent_at,
        sendings.last_sent_at,
        counters.sends,
        counters.sends - counters.bounces as delivered,
        counters.unique_opens,
        counters.opens,
        counters.unique_clicks,
        counters.clicks,
        counters.bounces,
        counters.vacation_replies,
        counters.opt_outs,
        counters.forwards,
        counters.spam_reports,
        counters.counted_at
    from {{ ref('stg_constantcontact__email_campaign_activities') }} as activities
    full outer join {{ ref('stg_constantcontact__email_campaign_activity_stats') }} as counters
        on activities.source_relation = counters.source_relation
        and activities.campaign_activity_id = counters.campaign_activity_id
    full outer join sendings
        on coalesce(activities.source_relation, counters.source_relation) = sendings.source_relation
        and coalesce(activities.campaign_activity_id, counters.campaign_activity_id)
        = sendings.campaign_activity_id
    -- The web version of an email.
    where coalesce(activities.role, '') <> 'permalink'
),

rated as (
    select
        emails.*,
        coalesce(role = 'resend', false) as is_resend,
        {{ constantcontact_rate('unique_opens', 'delivered') }} as open_rate,
        {{ constantcontact_rate('unique_clicks', 'delivered') }} as click_rate,
        {{ constantcontact_rate('unique_clicks', 'unique_opens') }} as click_to_open_rate,
        {{ constantcontact_rate('bounces', 'sends') }} as bounce_rate,
        {{ constantcontact_rate('opt_outs', 'delivered') }} as opt_out_rate
    from emails
),

first_emails as (
    select
        source_relation,
        campaign_id,
        max(subject) as subject,
        max(open_rate) as open_rate,
        max(click_rate) as click_rate
    from rated
    where role = 'primary_email'
    group by source_relation, campaign_id
)

select
    rated.source_relation,
    rated.campaign_activity_id,
    rated.campaign_id,
    campaigns.name as campaign_name,
    rated.role,
    rated.is_resend,
    rated.subject,
    rated.preheader,
    rated.from_name,
    rated.first_sent_at,
    rated.last_sent_at,
    rated.sends,
    rated.delivered,
    rated.unique_opens,
    rated.opens,
    rated.unique_clicks,
    rated.clicks,
    rated.bounces,
    rated.vacation_replies,
    rated.opt_outs,
    rated.forwards,
    rated.spam_reports,
    rated.open_rate,
    rated.click_rate,
    rated.click_to_open_rate,
    rated.bounce_rate,
    rated.opt_out_rate,
    case when rated.is_resend then first_emails.subject end as first_send_subject,
    case when rated.is_resend then first_emails.open_rate end as first_send_open_rate,
    case when rated.is_resend then first_emails.click_rate end as first_send_click_rate,
    rated.counted_at
from rated
left join first_emails
    on rated.source_relation = first_emails.source_relation
    and rated.campaign_id = first_emails.campaign_id
left join {{ ref('stg_constantcontact__email_campaigns') }} as campaigns
    on rated.source_relation = campaigns.source_relation
    and rated.campaign_id = campaigns.campaign_id
