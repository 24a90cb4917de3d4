{#- The time zone of days if it is set, otherwise that of the account, otherwise UTC. -#}
{% macro constantcontact_account_time_zone() %}
    {%- set zone = var('constantcontact_time_zone', env_var('ANALYTICS_TIME_ZONE', '')) -%}
    {%- if not zone and execute and constantcontact_is_loaded('account') -%}
        {%- set rows = run_query(
            'select max(time_zone_id) from ' ~ constantcontact_raw('account') ~ ' as account'
        ).rows -%}
        {%- set zone = rows[0][0] if rows[0][0] in modules.pytz.all_timezones else none -%}
        {%- do return(zone or 'UTC') -%}
    {%- endif -%}
    {%- do return(zone or 'UTC') -%}
{% endmacro %}

{#- A time in UTC as the clock of a time zone shows it. -#}
{% macro constantcontact_local(moment, zone) -%}
    ({{ moment }} at time zone 'UTC') at time zone '{{ zone }}'
{%- endmacro %}
