select
    source_relation,
    tag_id,
    name,
    tag_source,
    created_at,
    contacts_count as api_contacts
from {{ constantcontact_raw('contact_tags') }} as contact_tags
