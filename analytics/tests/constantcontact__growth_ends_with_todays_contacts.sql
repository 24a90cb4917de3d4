-- The running total of the last row is the current number of contacts.
with latest as (
    select contacts
    from {{ ref('constantcontact__contact_growth') }}
    order by day desc nulls first
    limit 1
),

actual as (
    select count(*) as contacts
    from {{ ref('constantcontact__contacts') }}
    where not is_unsubscribed and not is_deleted
)

select actual.contacts
from actual
cross join latest
where actual.contacts <> latest.contacts
