select
    source_relation,
    campaign_id,
    name,
    type,
    -- The API returns both Done and DONE.
    lower(current_status) as status,
    created_at,
    updated_at
from {{ constantcontact_raw('email_campaigns') }} as email_campaigns
