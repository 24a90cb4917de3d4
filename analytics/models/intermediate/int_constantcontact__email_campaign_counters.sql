-- A campaign without counters gets the unique counts of its summary.
select
    coalesce(email_campaign_stats.source_relation, email_campaign_summaries.source_relation) as source_relation,
    coalesce(email_campaign_stats.campaign_id, email_campaign_summaries.campaign_id) as campaign_id,
    email_campaign_summaries.last_sent_at,
    {%- for ours, counter, summary in [
        ('sends', 'em_sends', 'sends'),
        ('unique_opens', 'em_opens', 'opens'),
        ('unique_clicks', 'em_clicks', 'clicks'),
        ('bounces', 'em_bounces', 'bounces'),
        ('opt_outs', 'em_optouts', 'optouts'),
        ('forwards', 'em_forwards', 'forwards'),
        ('not_opened', 'em_not_opened', 'not_opened'),
    ] %}
    coalesce(
        cast({{ constantcontact_text_in('email_campaign_stats.stats', counter) }} as integer),
        cast({{ constantcontact_text_in('email_campaign_summaries.unique_counts', summary) }} as integer)
    ) as {{ ours }},
    {%- endfor %}
    cast({{ constantcontact_text_in('email_campaign_summaries.unique_counts', 'abuse') }} as integer) as spam_reports,
    cast({{ constantcontact_text_in('email_campaign_stats.stats', 'em_opens_all') }} as integer) as opens,
    cast({{ constantcontact_text_in('email_campaign_stats.stats', 'em_clicks_all') }} as integer) as clicks,
    cast({{ constantcontact_text_in('email_campaign_stats.stats', 'em_opens_all_mobile') }} as integer)
    + cast({{ constantcontact_text_in('email_campaign_stats.stats', 'em_opens_all_tablet') }} as integer) as mobile_opens,
    email_campaign_stats.counted_at
from {{ ref('stg_constantcontact__email_campaign_stats') }} as email_campaign_stats
full outer join {{ ref('stg_constantcontact__email_campaign_summaries') }} as email_campaign_summaries
    on email_campaign_stats.source_relation = email_campaign_summaries.source_relation
    and email_campaign_stats.campaign_id = email_campaign_summaries.campaign_id
