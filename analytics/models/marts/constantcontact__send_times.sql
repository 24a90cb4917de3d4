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

{%- for name, relation, column, counts in [
    ('emails', 'constantcontact__campaign_emails', 'first_sent_at', {
        'emails': 'count(*)', 'delivered': 'sum(delivered)',
        'unique_opens': 'sum(unique_opens)', 'unique_clicks': 'sum(unique_clicks)',
    }),
    ('opened', 'constantcontact__recipients', 'first_opened_at', {'first_opens': 'count(*)'}),
    ('clicked', 'constantcontact__recipients', 'first_clicked_at', {'first_clicks': 'count(*)'}),
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
    from {{ ref(relation) }}
    where {{ column }} is not null and source_relation = '{{ account }}'
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
