-- The running total of the last row of each account is its current number of contacts.
with latest as (
    select
        source_relation,
        contacts,
        row_number() over (
            partition by source_relation
            order by case when day is null then 0 else 1 end, day desc
        ) as age
    from {{ ref('constantcontact__contact_growth') }}
),

actual as (
    select
        source_relation,
        sum(case when not is_unsubscribed and not is_deleted then 1 else 0 end) as contacts
    from {{ ref('constantcontact__contacts') }}
    group by source_relation
)

select
    actual.source_relation,
    actual.contacts
from actual
left join latest
    on actual.source_relation = latest.source_relation
    and latest.age = 1
where actual.contacts <> coalesce(latest.contacts, -1)
