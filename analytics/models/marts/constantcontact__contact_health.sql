{%- set engaged_days = var('constantcontact_engaged_days') -%}
{%- set cold_days = var('constantcontact_cold_days') -%}
{%- set new_days = var('constantcontact_new_days') -%}

with present as (
    -- Data that is old must not make contacts look cold.
    select
        source_relation,
        coalesce(
            max(last_read_at),
            cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as {{ dbt.type_timestamp() }})
        ) as moment
    from {{ ref('constantcontact__streams') }}
    group by source_relation
),

last_campaign as (
    select
        source_relation,
        max(last_sent_at) as sent_at
    from {{ ref('constantcontact__campaigns') }}
    group by source_relation
),

contacts as (
    select
        contacts.source_relation,
        contacts.contact_id,
        contacts.added_at,
        engagement.last_opened_at,
        engagement.last_clicked_at,
        engagement.last_engaged_at,
        present.moment,
        -- Nobody can open what was not sent.
        contacts.added_at > {{ constantcontact_later('present.moment', -1 * new_days, 'day') }}
        or last_campaign.sent_at is null
        or contacts.added_at >= last_campaign.sent_at as is_new
    from {{ ref('constantcontact__contacts') }} as contacts
    left join {{ ref('constantcontact__contact_engagement') }} as engagement
        on contacts.source_relation = engagement.source_relation
        and contacts.contact_id = engagement.contact_id
    inner join present on contacts.source_relation = present.source_relation
    left join last_campaign on contacts.source_relation = last_campaign.source_relation
    where contacts.is_reachable
)

select
    source_relation,
    contact_id,
    added_at,
    {%- for name, column in [('health', 'last_engaged_at'), ('health_by_clicks', 'last_clicked_at')] %}
    case
        when {{ column }} > {{ constantcontact_later('moment', -1 * engaged_days, 'day') }} then 'engaged'
        when {{ column }} > {{ constantcontact_later('moment', -1 * cold_days, 'day') }} then 'cooling'
        when {{ column }} is null and coalesce(is_new, false) then 'too new to tell'
        else 'cold'
    end as {{ name }},
    {%- endfor %}
    last_opened_at,
    last_clicked_at,
    last_engaged_at
from contacts
