select
    events.source_relation,
    events.engagement_event_id as bounce_id,
    events.contact_id,
    events.campaign_id,
    events.campaign_activity_id,
    events.happened_at as bounced_at,
    {{ constantcontact_day_of('events.happened_at') }} as day,
    events.bounce_code,
    -- The API may add codes.
    coalesce(codes.bounce_group, 'other') as bounce_group,
    coalesce(codes.is_delivered, false) as is_delivered,
    coalesce(codes.is_removal_recommended, false) as is_removal_recommended
from {{ ref('constantcontact__engagement_events') }} as events
left join {{ ref('constantcontact__bounce_codes') }} as codes
    on upper(events.bounce_code) = codes.bounce_code
where events.kind = 'bounce'
