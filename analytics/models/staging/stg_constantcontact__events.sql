select
    source_relation,
    event_id,
    coalesce(title, name) as title,
    name,
    lower(status) as status,
    event_type,
    location_type,
    coalesce(event_start, start_time) as starts_at,
    coalesce(event_end, end_time) as ends_at,
    time_zone,
    currency_type as currency,
    cast({{ constantcontact_text_in('default_track', 'overall_ticket_capacity') }} as integer) as capacity
from {{ constantcontact_raw('events') }} as events
