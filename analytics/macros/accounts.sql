{#- Several accounts: each in a schema of its own, or in shared tables with the column account_id. -#}

{#- The schemas of the raw tables, if they are several; otherwise an empty list. -#}
{% macro constantcontact_schemas() %}
    {%- set names = var('constantcontact_schemas', env_var('ANALYTICS_RAW_SCHEMAS', '').split()) -%}
    {%- do return(names if names | length > 1 else []) -%}
{% endmacro %}

{#- The raw tables of a stream that exist.

    Returns:
        Dictionaries of `table`, its `columns`, `account`: the SQL of source_relation, and `name`: its
        value if the table is of one account. -#}
{% macro constantcontact_tables(stream) %}
    {%- set table = source('constantcontact', stream) -%}
    {%- set tables = [] -%}
    {%- for schema in (constantcontact_schemas() or [table.schema]) -%}
        {%- set found = adapter.get_relation(table.database, schema, table.identifier) -%}
        {%- if found is not none -%}
            {%- set columns = constantcontact_columns_of(found) -%}
            {%- set name = schema if constantcontact_schemas() else '' -%}
            {%- set account = "coalesce(account_id, '')" if 'account_id' in columns else "'" ~ name ~ "'" -%}
            {%- do tables.append({
                'table': found,
                'name': name,
                'columns': columns,
                'account': 'cast(' ~ account ~ ' as ' ~ dbt.type_string() ~ ')',
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(tables) -%}
{% endmacro %}

{#- The accounts: the values of source_relation, of all raw tables. -#}
{% macro constantcontact_accounts() %}
    {%- set accounts = [] -%}
    {%- set shared = [] -%}
    {%- for source in (graph.sources.values() if execute else []) if source.package_name == 'constantcontact' -%}
        {%- for loaded in constantcontact_tables(source.name) -%}
            {%- if 'account_id' in loaded.columns -%}
                {%- do shared.append('select distinct ' ~ loaded.account ~ ' from ' ~ loaded.table) -%}
            {%- elif loaded.name not in accounts -%}
                {%- do accounts.append(loaded.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set rows = run_query(shared | join(' union all ')).rows if shared else [] -%}
    {%- for row in rows if row[0] not in accounts -%}
        {%- do accounts.append(row[0]) -%}
    {%- endfor -%}
    {%- do return(accounts | sort or ['']) -%}
{% endmacro %}

{#- What makes the text of a key different in each account. Without several accounts, keys are as they
    were before there was a source_relation. -#}
{% macro constantcontact_of_account(source_relation) -%}
    {{ ' ' }}|| case when {{ source_relation }} = '' then '' else '|' || {{ source_relation }} end
{%- endmacro %}

{#- The condition that a stream was loaded for the account of a row. -#}
{% macro constantcontact_has_loaded(stream, source_relation) -%}
    {%- set tables = constantcontact_tables(stream) if execute else [] -%}
    {%- if not tables -%}
        false
    {%- elif constantcontact_schemas() -%}
        {{ source_relation }} in (
            {%- for loaded in tables %}
            select {{ loaded.account }}{{ ' from ' ~ loaded.table if 'account_id' in loaded.columns }}
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Give the rows of a history an account: those of builds over one account have none.

    They belong to the account whose contact they are of, so that the history of the first account
    goes on when others are added. Rows of contacts that are gone go where most of the others went. -#}
{% macro constantcontact_assign_history(history) %}
    {%- set contacts = ref('stg_constantcontact__contacts') -%}
    {%- set is_new = 'source_relation' not in constantcontact_columns_of(history) -%}
    {%- if is_new -%}
        {%- do alter_relation_add_remove_columns(
            history, [api.Column('source_relation', dbt.type_string())], none
        ) -%}
    {%- endif -%}
    {%- if is_new or constantcontact_accounts() != [''] -%}
        {%- do run_query(
            'update ' ~ history ~ ' set source_relation = coalesce((select min(contacts.source_relation)'
            ~ ' from ' ~ contacts ~ ' as contacts where contacts.contact_id = ' ~ history.identifier
            ~ ".contact_id), '') where coalesce(source_relation, '') = ''"
        ) -%}
    {%- endif -%}
    {%- if '' not in constantcontact_accounts() -%}
        {%- do run_query(
            'update ' ~ history ~ ' set source_relation = coalesce((select most.source_relation from ('
            ~ 'select source_relation, count(*) as stays from ' ~ history
            ~ " where source_relation <> '' group by source_relation order by 2 desc limit 1"
            ~ ") as most), '') where source_relation = ''"
        ) -%}
    {%- endif -%}
{% endmacro %}
