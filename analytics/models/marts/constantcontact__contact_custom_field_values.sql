select
    source_relation,
    contact_id,
    custom_field_id,
    field_name,
    field_type,
    value,
    {%- for type, column, typed in [
        (['number', 'currency'], 'value_number', constantcontact_as_number('value')),
        (['date'], 'value_date', constantcontact_as_date('value')),
        (['datetime'], 'value_timestamp', constantcontact_as_timestamp('value')),
        (['boolean'], 'value_boolean', constantcontact_as_boolean('value')),
    ] %}
    case when field_type in ('{{ type | join("', '") }}') then {{ typed }} end as {{ column }}
    {{- ',' if not loop.last }}
    {%- endfor %}
from {{ ref('int_constantcontact__custom_field_values') }}
