select distinct
    contacts.contact_id,
    memberships.list_id
from {{ ref('stg_constantcontact__contacts') }} as contacts
cross join {{ constantcontact_texts_of('contacts.list_memberships') }} as memberships (list_id)
