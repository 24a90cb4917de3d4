select distinct
    contacts.contact_id,
    memberships.list_id
from {{ ref('stg_contacts') }} as contacts
cross join {{ texts_of('contacts.list_memberships') }} as memberships (list_id)
