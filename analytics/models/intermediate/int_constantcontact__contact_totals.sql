{{ config(
    materialized='incremental',
    unique_key=['source_relation', 'contact_id'],
    full_refresh=constantcontact_full_refresh(),
    pre_hook="{{ constantcontact_forget_accounts(ref('constantcontact__recipients')) }}",
    indexes=constantcontact_indexes([
        {'columns': ['source_relation', 'contact_id'], 'unique': true},
        {'columns': ['built_at']},
    ]),
) }}

-- Contacts with new events are counted again.
with recipients as (
    select recipients.*
    from {{ ref('constantcontact__recipients') }} as recipients
    {%- if is_incremental() %}
    {{ constantcontact_of_changed(
        ref('constantcontact__recipients'), 'recipients', ['source_relation', 'contact_id']
    ) }}
    {%- endif %}
)

select
    source_relation,
    contact_id,
    {%- for name in ['sends', 'opens', 'clicks', 'bounces', 'opt_outs', 'forwards'] %}
    cast(sum({{ name }}) as integer) as {{ name }},
    {%- endfor %}
    {%- for name, verb in [('opens', 'opened'), ('clicks', 'clicked')] %}
    cast(count(case when {{ name }} > 0 then 1 end) as integer) as campaigns_{{ verb }},
    min(first_{{ verb }}_at) as first_{{ verb }}_at,
    max(last_{{ verb }}_at) as last_{{ verb }}_at,
    {%- endfor %}
    max(last_engaged_at) as last_engaged_at,
    max(built_at) as built_at
from recipients
group by source_relation, contact_id
