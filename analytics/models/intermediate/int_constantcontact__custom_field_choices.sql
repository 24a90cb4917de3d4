select
    fields.custom_field_id,
    choices.choice ->> 'choice_id' as choice_id,
    max(choices.choice ->> 'choice_label') as choice_label,
    max(cast(choices.choice ->> 'display_order' as integer)) as display_order
from {{ constantcontact_raw('contact_custom_fields') }} as fields
cross join {{ constantcontact_objects_of('fields.choices') }} as choices (choice)
where choices.choice ->> 'choice_id' is not null
group by fields.custom_field_id, choices.choice ->> 'choice_id'
