-- depends_on: {{ source('constantcontact', 'account') }}, {{ source('constantcontact', 'contacts') }}
{%- set accounts = constantcontact_account_time_zones() %}

with accounts as (
    {%- for account, zone in accounts %}
    select
        cast('{{ account }}' as {{ dbt.type_string() }}) as source_relation,
        '{{ zone }}' as time_zone
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

hours as (
    {%- for weekday in range(1, 8) %}
    {%- for hour in range(24) %}
    select {{ weekday }} as weekday, {{ hour }} as hour
    {{- ' union all' if not (weekday == 7 and hour == 23) }}
    {%- endfor %}
    {%- endfor %}
),

-- Many recipients opened in the same minute: only minutes are converted to local time.
{%- for verb in ['opened', 'clicked'] %}
{{ verb }}_minutes as (
    select
        source_relation,
        first_{{ verb }}_at,
        count(*) as recipients
    from {{ ref('constantcontact__recipients') }}
    group by source_relation, first_{{ verb }}_at
),
{%- endfor %}

{%- for name, relation, column, counts in [
    ('emails', ref('constantcontact__campaign_emails'), 'first_sent_at', {
        'emails': 'count(*)', 'delivered': 'sum(delivered)',
        'unique_opens': 'sum(unique_opens)', 'unique_clicks': 'sum(unique_clicks)',
    }),
    ('opened', 'opened_minutes', 'first_opened_at', {'first_opens': 'sum(recipients)'}),
    ('clicked', 'clicked_minutes', 'first_clicked_at', {'first_clicks': 'sum(recipients)'}),
] %}

{{ name }} as (
    {%- for account, zone in accounts %}
    select
        source_relation,
        cast({{ constantcontact_weekday_of(constantcontact_local(column, zone)) }} as integer) as weekday,
        cast(extract(hour from {{ constantcontact_local(column, zone) }}) as integer) as hour,
        {%- for count, value in counts.items() %}
        cast({{ value }} as integer) as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    where {{ column }} is not null and source_relation = '{{ account }}'
    {%- if name == 'emails' %}
        -- These go to contacts that did not open the first email, whatever the hour.
        and not is_resend
    {%- endif %}
    group by 1, 2, 3
    {{ 'union all' if not loop.last }}
    {%- endfor %}
){{ ',' if not loop.last }}
{%- endfor %}

select
    accounts.source_relation,
    hours.weekday,
    hours.hour,
    accounts.time_zone,
    coalesce(emails.emails, 0) as emails,
    coalesce(emails.delivered, 0) as delivered,
    coalesce(emails.unique_opens, 0) as unique_opens,
    coalesce(emails.unique_clicks, 0) as unique_clicks,
    {{ constantcontact_rate('emails.unique_opens', 'emails.delivered') }} as open_rate,
    {{ constantcontact_rate('emails.unique_clicks', 'emails.delivered') }} as click_rate,
    coalesce(opened.first_opens, 0) as first_opens,
    coalesce(clicked.first_clicks, 0) as first_clicks
from accounts
cross join hours
left join emails
    on accounts.source_relation = emails.source_relation
    and hours.weekday = emails.weekday
    and hours.hour = emails.hour
left join opened
    on accounts.source_relation = opened.source_relation
    and hours.weekday = opened.weekday
    and hours.hour = opened.hour
left join clicked
    on accounts.source_relation = clicked.source_relation
    and hours.weekday = clicked.weekday
    and hours.hour = clicked.hour
