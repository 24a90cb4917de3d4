select
    source_relation,
    custom_field_id,
    name,
    label,
    type,
    choices,
    created_at,
    updated_at
from {{ constantcontact_raw('contact_custom_fields') }} as contact_custom_fields
