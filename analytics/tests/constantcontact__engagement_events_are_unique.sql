-- The rows of the last build exist once, in it and before it. Rows with the same ID have the same time,
-- by which databases skip what is older.
with newest as (
    select distinct
        engagement_event_id,
        happened_at
    from {{ ref('constantcontact__engagement_events') }}
    where built_at = (select max(built_at) from {{ ref('constantcontact__engagement_events') }})
)

select events.engagement_event_id
from {{ ref('constantcontact__engagement_events') }} as events
inner join newest
    on events.engagement_event_id = newest.engagement_event_id
    and events.happened_at = newest.happened_at
group by events.engagement_event_id
having count(*) > 1
