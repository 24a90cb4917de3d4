with contacts as (
    select
        source_relation,
        cast(count(*) as integer) as contacts,
        cast(sum(case when is_reachable then 1 else 0 end) as integer) as reachable_contacts
    from {{ ref('constantcontact__contacts') }}
    where not is_deleted
    group by source_relation
),

campaigns as (
    select
        source_relation,
        cast(sum(case when sends > 0 then 1 else 0 end) as integer) as sent_campaigns,
        min(first_sent_at) as first_sent_at,
        max(last_sent_at) as last_sent_at
    from {{ ref('constantcontact__campaigns') }}
    group by source_relation
),

streams as (
    select
        source_relation,
        max(last_read_at) as last_read_at
    from {{ ref('constantcontact__streams') }}
    group by source_relation
)

select
    account.source_relation,
    account.account_id,
    account.organization_name,
    account.website,
    account.country_code,
    account.state_code,
    account.time_zone,
    coalesce(contacts.contacts, 0) as contacts,
    coalesce(contacts.reachable_contacts, 0) as reachable_contacts,
    coalesce(campaigns.sent_campaigns, 0) as sent_campaigns,
    campaigns.first_sent_at,
    campaigns.last_sent_at,
    streams.last_read_at
from {{ ref('stg_constantcontact__account') }} as account
left join contacts on account.source_relation = contacts.source_relation
left join campaigns on account.source_relation = campaigns.source_relation
left join streams on account.source_relation = streams.source_relation
