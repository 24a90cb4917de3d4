select
    encoded_account_id as account_id,
    organization_name as name,
    time_zone_id as time_zone
from {{ constantcontact_raw('account') }} as account
