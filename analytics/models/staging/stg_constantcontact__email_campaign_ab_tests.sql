select
    source_relation,
    campaign_activity_id,
    campaign_id,
    alternative_subject,
    test_size,
    winner_wait_duration as winner_wait_hours
from {{ constantcontact_raw('email_campaign_ab_tests') }} as email_campaign_ab_tests
