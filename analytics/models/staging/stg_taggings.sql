select distinct
    contacts.contact_id,
    taggings.tag_id
from {{ ref('stg_contacts') }} as contacts
cross join {{ texts_of('contacts.taggings') }} as taggings (tag_id)
