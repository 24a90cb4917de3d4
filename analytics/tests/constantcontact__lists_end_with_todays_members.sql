-- The running total of the last row of each list is its current number of members.
with latest as (
    select
        source_relation,
        list_id,
        members,
        row_number() over (
            partition by source_relation, list_id
            order by case when day is null then 0 else 1 end, day desc
        ) as age
    from {{ ref('constantcontact__list_growth') }}
),

actual as (
    select
        source_relation,
        list_id,
        sum(case when is_current then 1 else 0 end) as members
    from {{ ref('constantcontact__list_memberships') }}
    group by source_relation, list_id
)

select
    actual.list_id,
    actual.members,
    latest.members as grown_to
from actual
left join latest
    on actual.source_relation = latest.source_relation
    and actual.list_id = latest.list_id
    and latest.age = 1
where actual.members <> coalesce(latest.members, -1)
