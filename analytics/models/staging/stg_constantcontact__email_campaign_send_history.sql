select
    source_relation,
    campaign_activity_id,
    send_id,
    campaign_id,
    run_date as sent_at,
    coalesce(count, 0) as sends
from {{ constantcontact_raw('email_campaign_send_history') }} as email_campaign_send_history
where upper(coalesce(send_status, 'COMPLETED')) = 'COMPLETED'
