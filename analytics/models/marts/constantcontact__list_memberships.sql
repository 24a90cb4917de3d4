select
    stays.source_relation,
    stays.stay_id as list_stay_id,
    stays.contact_id,
    stays.list_id,
    lists.name as list_name,
    stays.is_current,
    stays.joined_seen_at,
    stays.left_seen_at,
    case
        when stays.is_current then null
        when contacts.is_deleted then 'contact deleted'
        when contacts.is_unsubscribed then 'unsubscribed'
        when lists.deleted_at is not null then 'list deleted'
        else 'taken off'
    end as left_because
from {{ constantcontact_stays('constantcontact__list_membership_history') }} as stays
left join {{ ref('constantcontact__contacts') }} as contacts
    on stays.source_relation = contacts.source_relation
    and stays.contact_id = contacts.contact_id
left join {{ ref('stg_constantcontact__contact_lists') }} as lists
    on stays.source_relation = lists.source_relation
    and stays.list_id = lists.list_id
