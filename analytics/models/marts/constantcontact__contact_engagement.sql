with engagement as (
    select
        contact_id,
        {%- for kind, name in [
            ('send', 'sends'),
            ('open', 'opens'),
            ('click', 'clicks'),
            ('bounce', 'bounces'),
            ('opt_out', 'opt_outs'),
            ('forward', 'forwards'),
        ] %}
        sum(case when kind = '{{ kind }}' then 1 else 0 end) as {{ name }},
        {%- endfor %}
        {%- for kind, name in [('open', 'opened'), ('click', 'clicked')] %}
        count(distinct case when kind = '{{ kind }}' then campaign_id end) as campaigns_{{ name }},
        min(case when kind = '{{ kind }}' then happened_at end) as first_{{ name }}_at,
        max(case when kind = '{{ kind }}' then happened_at end) as last_{{ name }}_at,
        {%- endfor %}
        max(case when kind in ('open', 'click', 'forward') then happened_at end) as last_engaged_at
    from {{ ref('int_constantcontact__engagement') }}
    group by contact_id
)

select
    coalesce(contacts.contact_id, engagement.contact_id) as contact_id,
    {%- if constantcontact_is_loaded('email_sends') %}
    cast(coalesce(engagement.sends, 0) as integer) as sends,
    {%- else %}
    cast(null as integer) as sends,
    {%- endif %}
    {%- for name in [
        'opens', 'clicks', 'campaigns_opened', 'campaigns_clicked', 'bounces', 'opt_outs', 'forwards'
    ] %}
    cast(coalesce(engagement.{{ name }}, 0) as integer) as {{ name }},
    {%- endfor %}
    engagement.first_opened_at,
    engagement.last_opened_at,
    engagement.first_clicked_at,
    engagement.last_clicked_at,
    engagement.last_engaged_at
from {{ ref('constantcontact__contacts') }} as contacts
full outer join engagement on contacts.contact_id = engagement.contact_id
