select
    source_relation,
    campaign_activity_id,
    url_id,
    campaign_id,
    link_url,
    unique_clicks,
    list_id,
    counted_at,
    {{ constantcontact_is_missing('counted_at', of='source_relation, campaign_activity_id') }} as is_missing
from {{ constantcontact_raw('email_links') }} as email_links
