select
    stays.source_relation,
    stays.stay_id as tag_stay_id,
    stays.contact_id,
    stays.tag_id,
    tags.name as tag_name,
    stays.is_current,
    stays.joined_seen_at,
    stays.left_seen_at,
    case
        when stays.is_current then null
        when contacts.is_deleted then 'contact deleted'
        else 'taken off'
    end as left_because
from {{ constantcontact_stays('constantcontact__tagging_history') }} as stays
left join {{ ref('constantcontact__contacts') }} as contacts
    on stays.source_relation = contacts.source_relation
    and stays.contact_id = contacts.contact_id
left join {{ ref('stg_constantcontact__contact_tags') }} as tags
    on stays.source_relation = tags.source_relation
    and stays.tag_id = tags.tag_id
