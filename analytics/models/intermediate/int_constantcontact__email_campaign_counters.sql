-- A campaign without counters gets the unique counts of its summary.
select
    coalesce(counted.source_relation, summaries.source_relation) as source_relation,
    coalesce(counted.campaign_id, summaries.campaign_id) as campaign_id,
    summaries.last_sent_at,
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
        cast({{ constantcontact_text_in('counted.stats', counter) }} as integer),
        cast({{ constantcontact_text_in('summaries.unique_counts', summary) }} as integer)
    ) as {{ ours }},
    {%- endfor %}
    cast({{ constantcontact_text_in('summaries.unique_counts', 'abuse') }} as integer) as spam_reports,
    cast({{ constantcontact_text_in('counted.stats', 'em_opens_all') }} as integer) as opens,
    cast({{ constantcontact_text_in('counted.stats', 'em_clicks_all') }} as integer) as clicks,
    cast({{ constantcontact_text_in('counted.stats', 'em_opens_all_mobile') }} as integer)
    + cast({{ constantcontact_text_in('counted.stats', 'em_opens_all_tablet') }} as integer) as mobile_opens,
    counted.counted_at
from {{ ref('stg_constantcontact__email_campaign_stats') }} as counted
full outer join {{ ref('stg_constantcontact__email_campaign_summaries') }} as summaries
    on counted.source_relation = summaries.source_relation
    and counted.campaign_id = summaries.campaign_id
