-- The current rows of the history are the memberships that contacts have now.
(
    select contact_id, list_id from {{ ref('stg_list_memberships') }}
    except
    select contact_id, list_id from {{ ref('list_memberships') }} where is_current
)
union all
(
    select contact_id, list_id from {{ ref('list_memberships') }} where is_current
    except
    select contact_id, list_id from {{ ref('stg_list_memberships') }}
)
