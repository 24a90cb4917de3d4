-- A text that is not a value of its field's type is null in the columns of contacts.
{{ config(severity='warn') }}

select
    contact_id,
    custom_field_id,
    value
from {{ ref('constantcontact__contact_custom_field_values') }}
where
    value is not null
    and field_type in ('number', 'currency', 'date', 'datetime', 'boolean')
    and value_number is null
    and value_date is null
    and value_timestamp is null
    and value_boolean is null
