select
    campaign_activity_id,
    campaign_id,
    alternative_subject,
    test_size,
    -- A number of the API, which loaders may store with decimals.
    cast(winner_wait_duration as integer) as winner_wait_hours
from {{ constantcontact_raw('email_campaign_ab_tests') }} as email_campaign_ab_tests
