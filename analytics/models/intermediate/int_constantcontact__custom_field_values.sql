with filled_in as (
    select
        contacts.contact_id,
        fields.field,
        fields.field ->> 'custom_field_id' as custom_field_id
    from {{ ref('stg_constantcontact__contacts') }} as contacts
    cross join {{ constantcontact_objects_of('contacts.custom_fields') }} as fields (field)
),

chosen as (
    select
        filled_in.contact_id,
        filled_in.custom_field_id,
        choices.choice_id
    from filled_in
    cross join {{ constantcontact_texts_inside('filled_in.field', 'choice_ids') }} as choices (choice_id)
),

labels as (
    select
        chosen.contact_id,
        chosen.custom_field_id,
        string_agg(
            coalesce(choices.choice_label, chosen.choice_id), ', '
            order by choices.display_order, chosen.choice_id
        ) as labels
    from chosen
    left join {{ ref('int_constantcontact__custom_field_choices') }} as choices
        on chosen.custom_field_id = choices.custom_field_id
        -- Contacts write 000001 for the choice that the field calls 1.
        and ltrim(chosen.choice_id, '0') = ltrim(choices.choice_id, '0')
    group by chosen.contact_id, chosen.custom_field_id
)

select
    filled_in.contact_id,
    filled_in.custom_field_id,
    fields.name as field_name,
    fields.type as field_type,
    coalesce(labels.labels, nullif(filled_in.field ->> 'value', '')) as value
from filled_in
left join labels
    on filled_in.contact_id = labels.contact_id
    and filled_in.custom_field_id = labels.custom_field_id
left join {{ ref('stg_constantcontact__contact_custom_fields') }} as fields
    on filled_in.custom_field_id = fields.custom_field_id
