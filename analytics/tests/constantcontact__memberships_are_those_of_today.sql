-- The current rows of the history are the memberships that contacts have now.
(
    select source_relation, contact_id, list_id from {{ ref('int_constantcontact__list_memberships') }}
    {{ dbt.except() }}
    select source_relation, contact_id, list_id from {{ ref('constantcontact__list_memberships') }} where is_current
)
union all
(
    select source_relation, contact_id, list_id from {{ ref('constantcontact__list_memberships') }} where is_current
    {{ dbt.except() }}
    select source_relation, contact_id, list_id from {{ ref('int_constantcontact__list_memberships') }}
)
