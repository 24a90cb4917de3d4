select
    tests.source_relation,
    tests.campaign_activity_id,
    coalesce(tests.campaign_id, emails.campaign_id) as campaign_id,
    emails.campaign_name,
    emails.subject,
    tests.alternative_subject,
    tests.test_size,
    tests.winner_wait_hours,
    emails.first_sent_at,
    {{ constantcontact_later('emails.first_sent_at', 'tests.winner_wait_hours', 'hour') }} as winner_chosen_at,
    emails.sends,
    emails.delivered,
    emails.unique_opens,
    emails.unique_clicks,
    emails.open_rate,
    emails.click_rate
from {{ ref('stg_constantcontact__email_campaign_ab_tests') }} as tests
left join {{ ref('constantcontact__campaign_emails') }} as emails
    on tests.source_relation = emails.source_relation
    and tests.campaign_activity_id = emails.campaign_activity_id
