-- Unsubscribes through an email are in its report. Only the contact shows others, such as those
-- through a form or by the account.
with from_emails as (
    select
        source_relation,
        contact_id,
        happened_at as unsubscribed_at,
        campaign_id,
        campaign_activity_id,
        occurrence,
        nullif(trim(opt_out_reason), '') as reason
    from {{ ref('constantcontact__engagement_events') }}
    where kind = 'opt_out'
),

from_contacts as (
    select
        contacts.source_relation,
        contacts.contact_id,
        contacts.unsubscribed_at,
        contacts.opt_out_source,
        contacts.opt_out_reason as reason
    from {{ ref('constantcontact__contacts') }} as contacts
    left join from_emails
        on contacts.source_relation = from_emails.source_relation
        and contacts.contact_id = from_emails.contact_id
        -- Reports have minutes, contacts have seconds.
        and contacts.unsubscribed_at
        between {{ constantcontact_later('from_emails.unsubscribed_at', -1, 'hour') }}
        and {{ constantcontact_later('from_emails.unsubscribed_at', 1, 'hour') }}
    where contacts.is_unsubscribed and from_emails.contact_id is null
),

unsubscribes as (
    select
        source_relation,
        contact_id,
        unsubscribed_at,
        campaign_id,
        campaign_activity_id,
        occurrence,
        'email' as origin,
        reason
    from from_emails

    union all

    select
        source_relation,
        contact_id,
        unsubscribed_at,
        cast(null as {{ dbt.type_string() }}) as campaign_id,
        cast(null as {{ dbt.type_string() }}) as campaign_activity_id,
        0 as occurrence,
        case lower(opt_out_source) when 'account' then 'account' else 'contact' end as origin,
        reason
    from from_contacts
)

select
    unsubscribes.source_relation,
    {{ dbt.hash(
        "unsubscribes.contact_id || coalesce(unsubscribes.campaign_activity_id, '') || coalesce("
        ~ constantcontact_text_of_time('unsubscribes.unsubscribed_at')
        ~ ", '') || cast(unsubscribes.occurrence as " ~ dbt.type_string() ~ ")"
        ~ constantcontact_of_account('unsubscribes.source_relation')
    ) }} as unsubscribe_id,
    unsubscribes.contact_id,
    unsubscribes.unsubscribed_at,
    {{ constantcontact_day_of('unsubscribes.unsubscribed_at') }} as day,
    unsubscribes.origin,
    unsubscribes.campaign_id,
    unsubscribes.campaign_activity_id,
    campaigns.name as campaign_name,
    unsubscribes.reason,
    coalesce(contacts.is_unsubscribed, false) as is_still_unsubscribed
from unsubscribes
left join {{ ref('constantcontact__contacts') }} as contacts
    on unsubscribes.source_relation = contacts.source_relation
    and unsubscribes.contact_id = contacts.contact_id
left join {{ ref('constantcontact__campaigns') }} as campaigns
    on unsubscribes.source_relation = campaigns.source_relation
    and unsubscribes.campaign_id = campaigns.campaign_id
