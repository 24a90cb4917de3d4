with changes as (
    select
        source_relation,
        {{ constantcontact_day_of('added_at') }} as day,
        1 as added,
        0 as unsubscribed,
        0 as deleted
    from {{ ref('constantcontact__contacts') }}

    union all

    select
        source_relation,
        {{ constantcontact_day_of('unsubscribed_at') }} as day,
        0 as added,
        1 as unsubscribed,
        0 as deleted
    from {{ ref('constantcontact__contacts') }}
    where is_unsubscribed

    union all

    -- Contacts that unsubscribed before they were deleted already count as lost.
    select
        source_relation,
        deleted_on as day,
        0 as added,
        0 as unsubscribed,
        1 as deleted
    from {{ ref('constantcontact__contacts') }}
    where is_deleted and not is_unsubscribed
),

days as (
    select
        source_relation,
        day,
        cast(sum(added) as integer) as added,
        cast(sum(unsubscribed) as integer) as unsubscribed,
        cast(sum(deleted) as integer) as deleted
    from changes
    group by source_relation, day
)

select
    source_relation,
    day,
    added,
    unsubscribed,
    deleted,
    added - unsubscribed - deleted as net,
    cast(
        sum(added - unsubscribed - deleted) over (
            partition by source_relation
            order by case when day is null then 1 else 0 end, day rows unbounded preceding
        ) as integer
    ) as contacts
from days
