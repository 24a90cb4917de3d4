select distinct
    contacts.source_relation,
    contacts.contact_id,
    cast({{ constantcontact_item('list_id') }} as {{ dbt.type_string() }}) as list_id
from {{ ref('stg_constantcontact__contacts') }} as contacts
cross join {{ constantcontact_texts_of('contacts.list_memberships', 'list_id') }}
