-- The rows of the last build exist once, in it and before it. Rows with the same ID have the same time,
-- by which databases skip what is older.
{%- set events = ref('constantcontact__engagement_events') -%}
{%- set has_older = true -%}
{%- if execute and flags.WHICH in ('build', 'test') -%}
    {%- set has_older = run_query('select min(built_at) < max(built_at) from ' ~ events).rows[0][0] -%}
{%- endif %}

select events.engagement_event_id
from {{ events }} as events
{%- if has_older %}
inner join (
    select
        engagement_event_id,
        happened_at
    from {{ events }}
    where built_at = (select max(built_at) from {{ events }})
) as newest
    on events.engagement_event_id = newest.engagement_event_id
    and events.happened_at = newest.happened_at
{%- endif %}
group by events.engagement_event_id
having count(*) > 1
