with registrations as (
    select
        source_relation,
        event_id,
        count(*) as registrations,
        {%- for status in ['registered', 'pending', 'canceled'] %}
        sum(case when status = '{{ status }}' then 1 else 0 end) as {{ status }},
        {%- endfor %}
        sum(case when status = 'registered' then coalesce(tickets, 0) else 0 end) as tickets,
        sum(case when status = 'registered' and checked_in_tickets > 0 then 1 else 0 end) as attended,
        sum(coalesce(checked_in_tickets, 0)) as checked_in_tickets,
        sum(case when status = 'registered' and is_new_contact then 1 else 0 end) as new_contacts,
        sum(case when payment_status = 'paid' then coalesce(total, 0) else 0 end) as paid,
        min(registered_at) as first_registered_at,
        max(registered_at) as last_registered_at
    from {{ ref('stg_constantcontact__event_registrations') }}
    where not is_missing
    group by source_relation, event_id
)

select
    events.source_relation,
    events.event_id,
    events.title,
    events.status,
    events.event_type,
    events.starts_at,
    events.ends_at,
    events.time_zone,
    events.capacity,
    {%- for name in [
        'registrations', 'registered', 'pending', 'canceled', 'tickets', 'attended',
        'checked_in_tickets', 'new_contacts',
    ] %}
    cast(coalesce(registrations.{{ name }}, 0) as integer) as {{ name }},
    {%- endfor %}
    {{ constantcontact_rate('registrations.attended', 'registrations.registered') }} as attendance_rate,
    {{ constantcontact_decimal('coalesce(registrations.paid, 0)', 18, 2) }} as paid,
    events.currency,
    registrations.first_registered_at,
    registrations.last_registered_at
from {{ ref('stg_constantcontact__events') }} as events
left join registrations
    on events.source_relation = registrations.source_relation
    and events.event_id = registrations.event_id
