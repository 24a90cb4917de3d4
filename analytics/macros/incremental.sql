{#- What lets a build read new engagement only. -#}

{#- Whether a model is built from nothing: at the first build, with --full-refresh, or by the variable. -#}
{% macro constantcontact_full_refresh() %}
    {#- None leaves it to the flag. -#}
    {%- do return(true if var('constantcontact_full_refresh') else none) -%}
{% endmacro %}

{#- The unique key of a model whose campaigns are counted again as a whole. BigQuery can't delete and
    insert, but merge: by the key of a row. Rows of a campaign do not disappear. -#}
{% macro constantcontact_key_of_campaigns(columns) %}
    {%- do return(columns if target.type == 'bigquery' else 'campaign_id') -%}
{% endmacro %}

{#- The condition that keeps the rows that an incremental build has to read.

    Each kind has its own stream, which are loaded at different times. Rows are read again from some
    minutes before the newest one, because loaders write rows in batches. Rows without a time are
    always read. -#}
{% macro constantcontact_is_new_engagement() %}
    {%- set rows = run_query(
        'select kind, '
        ~ constantcontact_text_of_time(constantcontact_later(
            'max(loaded_at)', -1 * var('constantcontact_lookback_minutes'), 'minute'
        ))
        ~ ' from ' ~ this ~ ' group by kind order by kind'
    ).rows if execute else [] -%}
    {%- set known = [] -%}
    loaded_at is null
    {%- for kind, since in rows if since is not none %}
        {%- do known.append(kind) %}
        or (kind = '{{ kind }}' and loaded_at >= cast('{{ since }}' as {{ dbt.type_timestamp() }}))
    {%- endfor %}
    {%- if known %}
        or kind not in ('{{ known | join("', '") }}')
    {%- else %}
        or true
    {%- endif %}
{%- endmacro %}

{#- The condition that keeps the engagement of campaigns with events that this table has not counted. -#}
{% macro constantcontact_of_changed_campaigns(events) -%}
    campaign_id in (
        select changed.campaign_id
        from {{ events }} as changed
        where
            changed.built_at > (
                select coalesce(max(counted.built_at), cast('1970-01-01' as {{ dbt.type_timestamp() }}))
                from {{ this }} as counted
            )
    )
{%- endmacro %}
