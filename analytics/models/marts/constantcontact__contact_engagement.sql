with engagement as (
    select
        source_relation,
        contact_id,
        {%- for name in ['sends', 'opens', 'clicks', 'bounces', 'opt_outs', 'forwards'] %}
        sum({{ name }}) as {{ name }},
        {%- endfor %}
        {%- for name, verb in [('opens', 'opened'), ('clicks', 'clicked')] %}
        sum(case when {{ name }} > 0 then 1 else 0 end) as campaigns_{{ verb }},
        min(first_{{ verb }}_at) as first_{{ verb }}_at,
        max(last_{{ verb }}_at) as last_{{ verb }}_at,
        {%- endfor %}
        max(last_engaged_at) as last_engaged_at
    from {{ ref('constantcontact__recipients') }}
    group by source_relation, contact_id
)

select
    coalesce(contacts.source_relation, engagement.source_relation) as source_relation,
    coalesce(contacts.contact_id, engagement.contact_id) as contact_id,
    case
        when {{ constantcontact_has_loaded(
            'email_sends', 'coalesce(contacts.source_relation, engagement.source_relation)'
        ) }}
            then cast(coalesce(engagement.sends, 0) as integer)
    end as sends,
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
full outer join engagement
    on contacts.source_relation = engagement.source_relation
    and contacts.contact_id = engagement.contact_id
