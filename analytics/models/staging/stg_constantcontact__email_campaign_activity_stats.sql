select
    source_relation,
    campaign_activity_id,
    campaign_id,
    {%- for ours, counter in [
        ('sends', 'em_sends'),
        ('unique_opens', 'em_opens'),
        ('opens', 'em_opens_all'),
        ('unique_clicks', 'em_clicks'),
        ('clicks', 'em_clicks_all'),
        ('bounces', 'em_bounces'),
        ('vacation_replies', 'em_bounces_vacation'),
        ('opt_outs', 'em_optouts'),
        ('forwards', 'em_forwards'),
        ('spam_reports', 'em_abuse'),
    ] %}
    cast({{ constantcontact_text_in('stats', counter) }} as integer) as {{ ours }},
    {%- endfor %}
    last_refresh_time as counted_at
from {{ constantcontact_raw('email_campaign_activity_stats') }} as email_campaign_activity_stats
