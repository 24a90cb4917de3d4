{#- What lets a build read new engagement only. -#}

{#- Whether a model is built from nothing: at the first build, with --full-refresh, or by the variable. -#}
{% macro constantcontact_full_refresh() %}
    {#- None leaves it to the flag. -#}
    {%- do return(true if var('constantcontact_full_refresh') else none) -%}
{% endmacro %}

{#- The statement that deletes the rows of accounts that are no longer there, such as those of a single
    account that became one of several. They are built from the start.

    Args:
        counted: The model that this one counts, or None for the raw tables. -#}
{% macro constantcontact_forget_accounts(counted=none) %}
    {%- set built = load_relation(this) if execute else none -%}
    {%- if built is not none and 'source_relation' not in constantcontact_columns_of(built) -%}
        delete from {{ built }} where true
    {%- elif built is not none -%}
        delete from {{ built }}
        where
            source_relation is null
            or source_relation not in (
                {%- if counted is none -%}
                '{{ constantcontact_accounts() | join("', '") }}'
                {%- else -%}
                select distinct source_relation from {{ counted }}
                {%- endif -%}
            )
    {%- endif -%}
{% endmacro %}

{#- The times from which an incremental build has to read rows.

    Each kind of each account has its own table, and these are loaded at different times. Rows are read
    again from some minutes before the newest one, because loaders write rows in batches.

    Returns:
        Dictionaries of `account`, `kind` and `since`, a text. -#}
{% macro constantcontact_read_until() %}
    {%- set rows = run_query(
        'select source_relation, kind, '
        ~ constantcontact_text_of_time(constantcontact_later(
            'max(loaded_at)', -1 * var('constantcontact_lookback_minutes'), 'minute'
        ))
        ~ ' from ' ~ this ~ ' group by source_relation, kind order by source_relation, kind'
    ).rows if execute and 'source_relation' in constantcontact_columns_of(this) else [] -%}
    {%- set times = [] -%}
    {%- for account, kind, since in rows if since is not none -%}
        {%- do times.append({'account': account, 'kind': kind, 'since': since}) -%}
    {%- endfor -%}
    {%- do return(times) -%}
{% endmacro %}

{#- The condition that keeps the rows that an incremental build has to read: those since the times, all
    of other kinds and accounts, and those without a time. -#}
{% macro constantcontact_is_new_engagement(read_until) -%}
    {%- set known = [] -%}
    loaded_at is null
    {%- for read in read_until %}
        {%- do known.append(read.account ~ '|' ~ read.kind) %}
        or (
            source_relation = '{{ read.account }}'
            and kind = '{{ read.kind }}'
            and loaded_at >= cast('{{ read.since }}' as {{ dbt.type_timestamp() }})
        )
    {%- endfor %}
    {%- if known %}
        or source_relation || '|' || kind not in ('{{ known | join("', '") }}')
    {%- else %}
        or true
    {%- endif %}
{%- endmacro %}

{#- When a build starts, as a text: after all earlier ones, even if another clock was ahead. -#}
{% macro constantcontact_build_time() -%}
    {%- set now = run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') -%}
    {%- if is_incremental() -%}
        {%- set after = run_query(
            'select ' ~ constantcontact_text_of_time(
                constantcontact_later('max(built_at)', 1, 'millisecond')
            ) ~ ' from ' ~ this
        ).rows[0][0] -%}
        {%- do return([now, after or now] | max) -%}
    {%- endif -%}
    {%- do return(now) -%}
{%- endmacro %}

{#- The join that keeps the rows of a relation with the keys that changed since this table was built.

    Args:
        relation: What this table counts, with a column built_at.
        alias: The name of the relation in the query.
        key: Columns. -#}
{% macro constantcontact_of_changed(relation, alias, key) -%}
    {%- set counted = run_query(
        'select ' ~ constantcontact_text_of_time('max(built_at)') ~ ' from ' ~ this
    ).rows[0][0] if execute -%}
    inner join (
        select distinct {{ key | join(', ') }}
        from {{ relation }}
        where built_at > cast('{{ counted or '1970-01-01' }}' as {{ dbt.type_timestamp() }})
    ) as changed
        on
        {%- for column in key %}
        {{ alias }}.{{ column }} = changed.{{ column }}{{ ' and' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{#- The indexes of a table that is built in parts. DuckDB does without: it keeps them in memory. -#}
{% macro constantcontact_indexes(indexes) %}
    {%- do return(indexes if target.type == 'postgres' else []) -%}
{% endmacro %}

{#- Whether some rows of a relation may have the same values: sorting all rows to keep one of each
    takes far more than to find that there are none. Rows with the same hash count as same.

    Args:
        relation: A table or view.
        columns: The columns that are compared. -#}
{% macro constantcontact_may_repeat(relation, columns) %}
    {%- if not execute or flags.WHICH not in ('build', 'run') or model.resource_type != 'model' -%}
        {%- do return(true) -%}
    {%- endif -%}
    {%- set repeated = run_query(
        'select 1 from ' ~ relation ~ ' group by ' ~ constantcontact_hash(columns)
        ~ ' having count(*) > 1 limit 1'
    ).rows -%}
    {%- do return(repeated | length > 0) -%}
{% endmacro %}

{#- A number that is the same for the same values. -#}
{% macro constantcontact_hash(columns) %}
    {{- adapter.dispatch('constantcontact_hash', 'constantcontact')(columns) -}}
{% endmacro %}

{% macro default__constantcontact_hash(columns) %}
    {{- 'hash(' ~ columns | join(', ') ~ ')' -}}
{% endmacro %}

{% macro postgres__constantcontact_hash(columns) %}
    {{- 'hash_record_extended(row(' ~ columns | join(', ') ~ '), 0)' -}}
{% endmacro %}

{% macro bigquery__constantcontact_hash(columns) %}
    {{- 'farm_fingerprint(to_json_string(struct(' ~ columns | join(', ') ~ ')))' -}}
{% endmacro %}
