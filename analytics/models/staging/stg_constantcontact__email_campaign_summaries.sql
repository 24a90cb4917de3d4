select
    source_relation,
    campaign_id,
    last_sent_date as last_sent_at,
    unique_counts
from {{ constantcontact_raw('email_campaign_summaries') }} as email_campaign_summaries
