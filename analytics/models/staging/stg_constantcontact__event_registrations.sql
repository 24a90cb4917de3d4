select
    source_relation,
    event_id,
    registration_id,
    lower(registration_status) as status,
    registration_time as registered_at,
    lower(payment_status) as payment_status,
    tickets,
    total,
    new_contact as is_new_contact,
    checked_in_tickets,
    eligible_checkin_tickets,
    {{ constantcontact_is_missing('_sdc_extracted_at', of='source_relation, event_id') }} as is_missing
from {{ constantcontact_raw('event_registrations') }} as event_registrations
