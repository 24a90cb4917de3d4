select
    source_relation,
    campaign_id,
    campaign_name as name,
    campaign_type as type,
    last_sent_date as last_sent_at,
    {%- for ours, counter in [
        ('sends', 'sends'), ('delivered', 'delivers'), ('bounces', 'bounces'),
        ('unique_clicks', 'clicks'), ('opt_outs', 'optouts'),
    ] %}
    cast({{ constantcontact_text_in('unique_counts', counter) }} as integer) as {{ ours }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ constantcontact_raw('sms_campaign_summaries') }} as sms_campaign_summaries
