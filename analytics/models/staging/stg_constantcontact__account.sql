select
    source_relation,
    encoded_account_id as account_id,
    organization_name,
    website,
    upper(country_code) as country_code,
    state_code,
    time_zone_id as time_zone
from {{ constantcontact_raw('account') }} as account
