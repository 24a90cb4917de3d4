select
    coalesce(contacts.source_relation, totals.source_relation) as source_relation,
    coalesce(contacts.contact_id, totals.contact_id) as contact_id,
    case
        when {{ constantcontact_has_loaded(
            'email_sends', 'coalesce(contacts.source_relation, totals.source_relation)'
        ) }}
            then coalesce(totals.sends, 0)
    end as sends,
    {%- for name in [
        'opens', 'clicks', 'campaigns_opened', 'campaigns_clicked', 'bounces', 'opt_outs', 'forwards'
    ] %}
    coalesce(totals.{{ name }}, 0) as {{ name }},
    {%- endfor %}
    totals.first_opened_at,
    totals.last_opened_at,
    totals.first_clicked_at,
    totals.last_clicked_at,
    totals.last_engaged_at
from {{ ref('constantcontact__contacts') }} as contacts
full outer join {{ ref('int_constantcontact__contact_totals') }} as totals
    on contacts.source_relation = totals.source_relation
    and contacts.contact_id = totals.contact_id
