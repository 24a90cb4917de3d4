select
    source_relation,
    list_id,
    name,
    description,
    favorite as is_favorite,
    created_at,
    deleted_at,
    membership_count as api_members
from {{ constantcontact_raw('contact_lists') }} as contact_lists
