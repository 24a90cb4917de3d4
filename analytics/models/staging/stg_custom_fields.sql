select
    custom_field_id,
    name,
    label,
    type,
    created_at,
    updated_at
from {{ raw('contact_custom_fields') }} as contact_custom_fields
