{#- Times and days. Times are in UTC and, except in BigQuery, have no time zone. -#}

{#- A time some units later; earlier if the number is negative. -#}
{% macro constantcontact_later(moment, number, unit) -%}
    {#- In BigQuery, dbt's macro returns another type. -#}
    cast({{ dbt.dateadd(unit, number, moment) | trim }} as {{ dbt.type_timestamp() }})
{%- endmacro %}

{#- The text of a time, whatever the settings of the session. -#}
{% macro constantcontact_text_of_time(moment) -%}
    {{- adapter.dispatch('constantcontact_text_of_time', 'constantcontact')(moment) -}}
{%- endmacro %}

{% macro default__constantcontact_text_of_time(moment) -%}
    cast({{ moment }} as {{ dbt.type_string() }})
{%- endmacro %}

{% macro snowflake__constantcontact_text_of_time(moment) -%}
    to_varchar({{ moment }}, 'YYYY-MM-DD HH24:MI:SS.FF6')
{%- endmacro %}

{#- The time zone of each account: that of days if it is set, otherwise the account's, otherwise UTC.

    Returns:
        Pairs of source_relation and a time zone. -#}
{% macro constantcontact_account_time_zones() %}
    {%- set zone = var('constantcontact_time_zone', env_var('ANALYTICS_TIME_ZONE', '')) -%}
    {%- set zones = {} -%}
    {%- if execute and not zone -%}
        {%- for account, own in run_query(
            'select source_relation, max(time_zone_id) from ' ~ constantcontact_raw('account')
            ~ ' as account group by source_relation'
        ).rows -%}
            {%- do zones.update({account: own if own in modules.pytz.all_timezones else 'UTC'}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set pairs = [] -%}
    {%- for account in constantcontact_accounts() -%}
        {%- do pairs.append((account, zone or zones.get(account, 'UTC'))) -%}
    {%- endfor -%}
    {%- do return(pairs) -%}
{% endmacro %}

{#- A time in UTC as the clock of a time zone shows it. -#}
{% macro constantcontact_local(moment, zone) -%}
    {{- adapter.dispatch('constantcontact_local', 'constantcontact')(moment, zone) -}}
{%- endmacro %}

{% macro default__constantcontact_local(moment, zone) -%}
    ({{ moment }} at time zone 'UTC') at time zone '{{ zone }}'
{%- endmacro %}

{% macro snowflake__constantcontact_local(moment, zone) -%}
    convert_timezone('UTC', '{{ zone }}', {{ moment }})
{%- endmacro %}

{% macro bigquery__constantcontact_local(moment, zone) -%}
    datetime({{ moment }}, '{{ zone }}')
{%- endmacro %}

{#- The day of a time, in the configured time zone. -#}
{% macro constantcontact_day_of(moment) -%}
    {%- set time_zone = var('constantcontact_time_zone', env_var('ANALYTICS_TIME_ZONE', 'UTC')) -%}
    {%- if time_zone == 'UTC' -%}
        cast({{ moment }} as date)
    {%- else -%}
        cast({{ constantcontact_local(moment, time_zone) }} as date)
    {%- endif -%}
{%- endmacro %}

{#- The day of the week, from Monday (1) to Sunday (7). -#}
{% macro constantcontact_weekday_of(moment) -%}
    {{- adapter.dispatch('constantcontact_weekday_of', 'constantcontact')(moment) -}}
{%- endmacro %}

{% macro default__constantcontact_weekday_of(moment) -%}
    extract(isodow from {{ moment }})
{%- endmacro %}

{% macro snowflake__constantcontact_weekday_of(moment) -%}
    dayofweekiso({{ moment }})
{%- endmacro %}

{#- BigQuery counts from Sunday. -#}
{% macro bigquery__constantcontact_weekday_of(moment) -%}
    mod(extract(dayofweek from {{ moment }}) + 5, 7) + 1
{%- endmacro %}
