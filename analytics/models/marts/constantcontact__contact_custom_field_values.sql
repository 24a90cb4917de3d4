with filled_in as (
    select
        contacts.source_relation,
        contacts.contact_id,
        {{ constantcontact_item('field') }} as field,
        {{ constantcontact_text_in(constantcontact_item('field'), 'custom_field_id') }} as custom_field_id
    from {{ ref('stg_constantcontact__contacts') }} as contacts
    cross join {{ constantcontact_objects_of('contacts.custom_fields', 'field') }}
),

chosen as (
    select
        filled_in.source_relation,
        filled_in.contact_id,
        filled_in.custom_field_id,
        cast({{ constantcontact_item('choice_id') }} as {{ dbt.type_string() }}) as choice_id
    from filled_in
    cross join {{ constantcontact_texts_of('filled_in.field', 'choice_id', 'choice_ids') }}
),

labels as (
    select
        chosen.source_relation,
        chosen.contact_id,
        chosen.custom_field_id,
        {{ dbt.listagg(
            'coalesce(choices.choice_label, chosen.choice_id)',
            "', '",
            'order by choices.display_order, chosen.choice_id'
        ) }} as labels
    from chosen
    left join {{ ref('int_constantcontact__custom_field_choices') }} as choices
        on chosen.source_relation = choices.source_relation
        and chosen.custom_field_id = choices.custom_field_id
        -- Contacts write 000001 for the choice that the field calls 1.
        and regexp_replace(chosen.choice_id, '^0+', '') = regexp_replace(choices.choice_id, '^0+', '')
    group by chosen.source_relation, chosen.contact_id, chosen.custom_field_id
),

texts as (
    select
        filled_in.source_relation,
        filled_in.contact_id,
        filled_in.custom_field_id,
        contact_custom_fields.name as field_name,
        contact_custom_fields.type as field_type,
        coalesce(labels.labels, nullif({{ constantcontact_text_in('filled_in.field', 'value') }}, '')) as value
    from filled_in
    left join labels
        on filled_in.source_relation = labels.source_relation
        and filled_in.contact_id = labels.contact_id
        and filled_in.custom_field_id = labels.custom_field_id
    left join {{ ref('stg_constantcontact__contact_custom_fields') }} as contact_custom_fields
        on filled_in.source_relation = contact_custom_fields.source_relation
        and filled_in.custom_field_id = contact_custom_fields.custom_field_id
)

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
from texts
