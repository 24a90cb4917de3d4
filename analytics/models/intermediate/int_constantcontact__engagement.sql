{%- set columns = {
    'send': ('email_sends', {}),
    'open': ('email_opens', {'device_type': 'device_type'}),
    'click': ('email_clicks', {
        'device_type': 'device_type', 'url_id': 'url_id', 'link_url': 'link_url',
    }),
    'bounce': ('email_bounces', {'bounce_code': 'bounce_code'}),
    'opt_out': ('email_optouts', {'opt_out_reason': 'opt_out_reason'}),
    'forward': ('email_forwards', {}),
} -%}

{% for kind, (stream, own) in columns.items() %}
select
    source_relation,
    '{{ kind }}' as kind,
    campaign_activity_id,
    contact_id,
    campaign_id,
    happened_at,
    occurrence,
    {%- for column in ['device_type', 'url_id', 'link_url', 'bounce_code', 'opt_out_reason'] %}
    cast({{ own.get(column, 'null') }} as {{ dbt.type_string() }}) as {{ column }},
    {%- endfor %}
    loaded_at
from {{ ref('stg_constantcontact__' ~ stream) }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
