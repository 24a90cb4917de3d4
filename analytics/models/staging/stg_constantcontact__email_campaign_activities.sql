select
    source_relation,
    campaign_activity_id,
    campaign_id,
    role,
    subject,
    preheader,
    from_name,
    from_email
from {{ constantcontact_raw('email_campaign_activities') }} as email_campaign_activities
