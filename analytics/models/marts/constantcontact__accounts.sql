with contacts as (
    select
        cast(count(*) as integer) as contacts,
        cast(sum(case when is_reachable then 1 else 0 end) as integer) as reachable_contacts
    from {{ ref('constantcontact__contacts') }}
    where not is_deleted
),

campaigns as (
    select
        cast(sum(case when sends > 0 then 1 else 0 end) as integer) as sent_campaigns,
        min(first_sent_at) as first_sent_at,
        max(last_sent_at) as last_sent_at
    from {{ ref('constantcontact__campaigns') }}
),

streams as (
    select max(last_read_at) as last_read_at
    from {{ ref('constantcontact__streams') }}
)

select
    account.account_id,
    account.organization_name,
    account.website,
    account.country_code,
    account.state_code,
    account.time_zone,
    contacts.contacts,
    coalesce(contacts.reachable_contacts, 0) as reachable_contacts,
    coalesce(campaigns.sent_campaigns, 0) as sent_campaigns,
    campaigns.first_sent_at,
    campaigns.last_sent_at,
    streams.last_read_at
from {{ ref('stg_constantcontact__account') }} as account
cross join contacts
cross join campaigns
cross join streams
