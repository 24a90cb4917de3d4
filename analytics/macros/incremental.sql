{#- What lets a build read new engagement only. -#}

{#- Whether a model is built from nothing: at the first build, with --full-refresh, or by the variable. -#}
{% macro constantcontact_full_refresh() %}
    {#- None leaves it to the flag. -#}
    {%- do return(true if var('constantcontact_full_refresh') else none) -%}
{% endmacro %}

{#- The statement that deletes the rows of accounts that the raw tables no longer have, such as those
    of a single account that became one of several. They are built from the start. -#}
{% macro constantcontact_forget_accounts() %}
    {%- set built = load_relation(this) if execute else none -%}
    {%- if built is not none and 'source_relation' not in constantcontact_columns_of(built) -%}
        delete from {{ built }} where true
    {%- elif built is not none -%}
        delete from {{ built }}
        where
            source_relation is null
            or source_relation not in ('{{ constantcontact_accounts() | join("', '") }}')
    {%- endif -%}
{% endmacro %}

{#- The unique key of a model whose campaigns are counted again as a whole. BigQuery can't delete and
    insert, but merge: by the key of a row. Rows of a campaign do not disappear. -#}
{% macro constantcontact_key_of_campaigns(columns) %}
    {%- do return(columns if target.type == 'bigquery' else 'campaign_id') -%}
{% endmacro %}

{#- The condition that keeps the rows that an incremental build has to read.

    Each kind of each account has its own table, which are loaded at different times. Rows are read again from some
    minutes before the newest one, because loaders write rows in batches. Rows without a time are
    always read. -#}
{% macro constantcontact_is_new_engagement() %}
    {%- set rows = run_query(
        'select source_relation, kind, '
        ~ constantcontact_text_of_time(constantcontact_later(
            'max(loaded_at)', -1 * var('constantcontact_lookback_minutes'), 'minute'
        ))
        ~ ' from ' ~ this ~ ' group by source_relation, kind order by source_relation, kind'
    ).rows if execute and 'source_relation' in constantcontact_columns_of(this) else [] -%}
    {%- set known = [] -%}
    loaded_at is null
    {%- for account, kind, since in rows if since is not none %}
        {%- do known.append(account ~ '|' ~ kind) %}
        or (source_relation = '{{ account }}' and kind = '{{ kind }}' and loaded_at >= cast('{{ since }}' as {{ dbt.type_timestamp() }}))
    {%- endfor %}
    {%- if known %}
        or source_relation || '|' || kind not in ('{{ known | join("', '") }}')
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
