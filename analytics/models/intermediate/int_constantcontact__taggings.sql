select distinct
    contacts.source_relation,
    contacts.contact_id,
    cast({{ constantcontact_item('tag_id') }} as {{ dbt.type_string() }}) as tag_id
from {{ ref('stg_constantcontact__contacts') }} as contacts
cross join {{ constantcontact_texts_of('contacts.taggings', 'tag_id') }}
