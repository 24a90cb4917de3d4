-- The rows of the last build exist once, in it and before it.
select events.engagement_event_id
from {{ ref('constantcontact__engagement_events') }} as events
where
    events.engagement_event_id in (
        select newest.engagement_event_id
        from {{ ref('constantcontact__engagement_events') }} as newest
        where newest.built_at = (
            select max(built_at) from {{ ref('constantcontact__engagement_events') }}
        )
    )
group by events.engagement_event_id
having count(*) > 1
