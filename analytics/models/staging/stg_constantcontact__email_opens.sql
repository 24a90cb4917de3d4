select
    source_relation,
    campaign_activity_id,
    contact_id,
    campaign_id,
    created_time as happened_at,
    occurrence,
    device_type,
    cast(_sdc_extracted_at as {{ dbt.type_timestamp() }}) as loaded_at
from {{ constantcontact_raw('email_opens') }} as email_opens
