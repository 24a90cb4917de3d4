-- depends_on: {{ source('constantcontact', 'contact_custom_fields') }}
{%- set fields = constantcontact_custom_fields() %}
{%- set is_unsubscribed = "coalesce(contacts.permission_to_send, '') = 'unsubscribed'" %}

with custom_fields as (
    select
        source_relation,
        contact_id
        {%- for field in fields %},
        {%- set value = 'case when ' ~ field.is_it ~ ' then ' ~ field.value ~ ' end' %}
        {{ dbt.bool_or(value) if field.value == 'value_boolean' else 'max(' ~ value ~ ')' }}
        as {{ field.column }}
        {%- endfor %}
    from {{ ref('constantcontact__contact_custom_field_values') }}
    group by source_relation, contact_id
)

select
    contacts.source_relation,
    contacts.contact_id,
    contacts.email_address,
    contacts.first_name,
    contacts.last_name,
    contacts.job_title,
    contacts.company_name,
    contacts.birthday_month,
    contacts.birthday_day,
    contacts.anniversary,
    contacts.create_source,
    contacts.permission_to_send,
    not contacts.is_deleted
        and coalesce(contacts.permission_to_send, '') in ('explicit', 'implicit') as is_reachable,
    {{ is_unsubscribed }} as is_unsubscribed,
    contacts.is_deleted,
    -- Some have no created_at.
    coalesce(
        contacts.created_at,
        contacts.opted_in_at,
        contacts.email_updated_at,
        contacts.updated_at,
        contacts.last_changed_at
    ) as added_at,
    contacts.opted_in_at,
    contacts.opt_in_source,
    case
        when {{ is_unsubscribed }}
            then coalesce(
                contacts.opted_out_at,
                contacts.email_updated_at,
                contacts.updated_at,
                contacts.last_changed_at
            )
    end as unsubscribed_at,
    contacts.opt_out_source,
    contacts.opt_out_reason,
    case
        when contacts.is_deleted
            then coalesce(contacts.deleted_on, cast(contacts.last_changed_at as date))
    end as deleted_on,
    contacts.last_changed_at
    {%- for field in fields %},
    custom_fields.{{ field.column }}
    {%- endfor %}
from {{ ref('stg_constantcontact__contacts') }} as contacts
left join custom_fields
    on contacts.source_relation = custom_fields.source_relation
    and contacts.contact_id = custom_fields.contact_id
