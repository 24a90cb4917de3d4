select
    source_relation,
    campaign_id,
    stats,
    last_refresh_time as counted_at
from {{ constantcontact_raw('email_campaign_stats') }} as email_campaign_stats
