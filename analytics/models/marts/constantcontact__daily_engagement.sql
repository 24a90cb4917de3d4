with events as (
    select
        {{ constantcontact_day_of('happened_at') }} as day,
        campaign_id,
        contact_id,
        kind,
        0 as sends
    from {{ ref('int_constantcontact__engagement') }}
    where kind <> 'send'

    union all

    -- The send history has the number even if single sends were not read.
    select
        {{ constantcontact_day_of('sent_at') }} as day,
        campaign_id,
        null as contact_id,
        'send' as kind,
        sends
    from {{ ref('stg_constantcontact__email_campaign_send_history') }}
)

select
    day,
    campaign_id,
    cast(sum(sends) as integer) as sends,
    {%- for kind, name in [
        ('open', 'opens'), ('click', 'clicks'), ('bounce', 'bounces'),
        ('opt_out', 'opt_outs'), ('forward', 'forwards'),
    ] %}
    cast(sum(case when kind = '{{ kind }}' then 1 else 0 end) as integer) as {{ name }},
    {%- endfor %}
    cast(count(distinct case when kind = 'open' then contact_id end) as integer) as openers,
    cast(count(distinct case when kind = 'click' then contact_id end) as integer) as clickers
from events
group by day, campaign_id
