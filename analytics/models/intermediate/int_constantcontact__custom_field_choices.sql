{%- set choice = constantcontact_item('choice') -%}

select
    contact_custom_fields.source_relation,
    contact_custom_fields.custom_field_id,
    {{ constantcontact_text_in(choice, 'choice_id') }} as choice_id,
    max({{ constantcontact_text_in(choice, 'choice_label') }}) as choice_label,
    max(cast({{ constantcontact_text_in(choice, 'display_order') }} as integer)) as display_order
from {{ ref('stg_constantcontact__contact_custom_fields') }} as contact_custom_fields
cross join {{ constantcontact_objects_of('contact_custom_fields.choices', 'choice') }}
where {{ constantcontact_text_in(choice, 'choice_id') }} is not null
group by contact_custom_fields.source_relation, contact_custom_fields.custom_field_id, {{ constantcontact_text_in(choice, 'choice_id') }}
