-- Nobody was on a list before it existed. In some databases, the greatest of a time and null is null.
{%- set joined_at = '''coalesce(
    memberships.joined_seen_at,
    greatest(
        coalesce(contacts.added_at, lists.created_at), coalesce(lists.created_at, contacts.added_at)
    )
)''' %}

with stays as (
    select
        memberships.source_relation,
        memberships.list_id,
        {{ constantcontact_day_of(joined_at) }} as joined_on,
        {{ constantcontact_day_of('memberships.left_seen_at') }} as left_on
    from {{ ref('constantcontact__list_memberships') }} as memberships
    left join {{ ref('constantcontact__contacts') }} as contacts
        on memberships.source_relation = contacts.source_relation
        and memberships.contact_id = contacts.contact_id
    left join {{ ref('stg_constantcontact__contact_lists') }} as lists
        on memberships.source_relation = lists.source_relation
        and memberships.list_id = lists.list_id
),

changes as (
    select
        source_relation,
        list_id,
        joined_on as day,
        1 as joined,
        0 as departed
    from stays

    union all

    select
        source_relation,
        list_id,
        left_on as day,
        0 as joined,
        1 as departed
    from stays
    where left_on is not null
),

days as (
    select
        source_relation,
        list_id,
        day,
        cast(sum(joined) as integer) as joined,
        cast(sum(departed) as integer) as departed
    from changes
    group by source_relation, list_id, day
)

select
    days.source_relation,
    days.list_id,
    lists.name as list_name,
    days.day,
    days.joined,
    days.departed,
    days.joined - days.departed as net,
    cast(
        sum(days.joined - days.departed)
            over (
                partition by days.source_relation, days.list_id
                order by case when days.day is null then 1 else 0 end, days.day rows unbounded preceding
            ) as integer
    ) as members
from days
left join {{ ref('stg_constantcontact__contact_lists') }} as lists
    on days.source_relation = lists.source_relation
    and days.list_id = lists.list_id
