select
    coalesce(contacts.contact_id, totals.contact_id) as contact_id,
    {%- if constantcontact_is_loaded('email_sends') %}
    coalesce(totals.sends, 0) as sends,
    {%- else %}
    cast(null as integer) as sends,
    {%- endif %}
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
    on contacts.contact_id = totals.contact_id
