with history as (
    select
        *,
        min(dbt_valid_from) over () as first_build_at
    from {{ ref('list_membership_history') }}
)

select
    history.dbt_scd_id as list_stay_id,
    history.contact_id,
    history.list_id,
    lists.name as list_name,
    history.dbt_valid_to is null as is_current,
    -- What the first build saw had begun before.
    case when history.dbt_valid_from > history.first_build_at then history.dbt_valid_from end
        as joined_seen_at,
    history.dbt_valid_to as left_seen_at,
    case
        when history.dbt_valid_to is null then null
        when contacts.is_deleted then 'contact deleted'
        when contacts.is_unsubscribed then 'unsubscribed'
        when lists.deleted_at is not null then 'list deleted'
        else 'taken off'
    end as left_because
from history
left join {{ ref('contacts') }} as contacts on history.contact_id = contacts.contact_id
left join {{ ref('stg_contact_lists') }} as lists on history.list_id = lists.list_id
