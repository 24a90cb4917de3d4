with counted as (
    select
        campaign_id,
        campaign_name as name,
        last_sent_date as last_sent_at,
        cast(unique_counts ->> 'sends' as integer) as sends,
        cast(unique_counts ->> 'delivers' as integer) as delivered,
        cast(unique_counts ->> 'clicks' as integer) as unique_clicks,
        cast(unique_counts ->> 'optouts' as integer) as opt_outs
    from {{ constantcontact_raw('sms_campaign_summaries') }} as summaries
)

select
    *,
    {{ constantcontact_rate('unique_clicks', 'delivered') }} as click_rate,
    {{ constantcontact_rate('opt_outs', 'delivered') }} as opt_out_rate
from counted
