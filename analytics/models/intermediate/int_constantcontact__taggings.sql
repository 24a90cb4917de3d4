select distinct
    contacts.contact_id,
    taggings.tag_id
from {{ ref('stg_constantcontact__contacts') }} as contacts
cross join {{ constantcontact_texts_of('contacts.taggings') }} as taggings (tag_id)
