{%- set choice = constantcontact_item('choice') -%}

select
    fields.source_relation,
    fields.custom_field_id,
    {{ constantcontact_text_in(choice, 'choice_id') }} as choice_id,
    max({{ constantcontact_text_in(choice, 'choice_label') }}) as choice_label,
    max(cast({{ constantcontact_text_in(choice, 'display_order') }} as integer)) as display_order
from {{ ref('stg_constantcontact__contact_custom_fields') }} as fields
cross join {{ constantcontact_objects_of('fields.choices', 'choice') }}
where {{ constantcontact_text_in(choice, 'choice_id') }} is not null
group by fields.source_relation, fields.custom_field_id, {{ constantcontact_text_in(choice, 'choice_id') }}
