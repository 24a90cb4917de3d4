{#- What stops a build before it draws wrong conclusions from tables that are missing or incomplete. -#}

{#- Check that each schema has tables of the tap, and name those that are missing.

    Runs before each command; does nothing if no model or snapshot of this package is selected. -#}
{% macro constantcontact_check_sources() %}
    {%- set own = [] -%}
    {%- for resource in (selected_resources if execute else []) -%}
        {%- if resource.split('.')[:2] in [['model', 'constantcontact'], ['snapshot', 'constantcontact']] -%}
            {%- do own.append(resource) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if own and flags.WHICH in ('build', 'run', 'snapshot') -%}
        {%- set tables = [] -%}
        {%- for source in graph.sources.values() if source.package_name == 'constantcontact' -%}
            {%- do tables.append(source) -%}
        {%- endfor -%}
        {%- set schemas = constantcontact_schemas() or [tables[0].schema] -%}
        {%- for schema in schemas -%}
            {%- set missing = [] -%}
            {%- for table in tables -%}
                {%- if adapter.get_relation(table.database, schema, table.identifier) is none -%}
                    {%- do missing.append(table.name) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- if missing | length == tables | length -%}
                {%- do constantcontact_refuse_schema(schema, missing) -%}
            {%- elif missing -%}
                {%- do print(
                    'Not loaded, and empty in the models: ' ~ missing | sort | join(', ') ~ ' (schema '
                    ~ schema ~ ').'
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Fail because a schema has no table of the tap, and name the schemas that have some. -#}
{% macro constantcontact_refuse_schema(schema, tables) %}
    {%- set found = run_query(
        'select table_schema, count(*) from ' ~ constantcontact_all_tables()
        ~ " where lower(table_name) in ('" ~ tables | join("', '")
        ~ "') group by table_schema order by 2 desc, 1"
    ).rows -%}
    {%- set elsewhere = [] -%}
    {%- for name, number in found -%}
        {%- do elsewhere.append(name ~ ' (' ~ number ~ ')') -%}
    {%- endfor -%}
    {%- do exceptions.raise_compiler_error(
        'No table of the tap in schema ' ~ schema ~ '. '
        ~ (
            'Schemas that have some: ' ~ elsewhere | join(', ') ~ '. '
            ~ (
                'Correct ANALYTICS_RAW_SCHEMAS, or the variable constantcontact_schemas.'
                if constantcontact_schemas()
                else 'Set ANALYTICS_RAW_SCHEMA, or the variable constantcontact_schema, to '
                ~ found[0][0] ~ '.'
            )
            if elsewhere
            else 'No other schema of this database has one either: load the database first.'
        )
    ) -%}
{% endmacro %}

{#- The tables of the database, in all schemas. -#}
{% macro constantcontact_all_tables() %}
    {{- adapter.dispatch('constantcontact_all_tables', 'constantcontact')() -}}
{% endmacro %}

{% macro default__constantcontact_all_tables() %}
    {{- 'information_schema.tables' -}}
{% endmacro %}

{% macro bigquery__constantcontact_all_tables() %}
    {{- '`' ~ target.project ~ '`.`region-' ~ (target.location or 'us') | lower
        ~ '`.information_schema.tables' -}}
{% endmacro %}

{#- Fail if a build would end stays only because contacts were not loaded, or not in full.

    Runs before a snapshot. A deleted contact keeps its row, so that contacts do not disappear from a
    table that was loaded in full.

    Args:
        column: The column of contacts that has the memberships.
        current: The model of the current memberships.
        key: The column that identifies a list or tag. -#}
{% macro constantcontact_check_history(column, current, key) %}
    {#- Outside of conditions, where dbt sees that snapshots depend on it. -#}
    {%- set contacts = ref('stg_constantcontact__contacts') -%}
    {%- set history = load_relation(this) if execute else none -%}
    {%- if history is not none -%}
        {%- if not var('constantcontact_allow_shrinking') -%}
            {%- do constantcontact_check_contacts(history, column) -%}
        {%- endif -%}
        {%- do constantcontact_assign_history(history) -%}
        {%- if not var('constantcontact_allow_shrinking') -%}
            {%- for stays in run_query(
                'select source_relation, count(*), count(distinct contact_id) from ' ~ history
                ~ ' where dbt_valid_to is null group by source_relation order by source_relation'
            ).rows -%}
                {%- do constantcontact_check_shares(history, contacts, ref(current), key, stays) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- Fail if the table contacts, or its column of memberships, was not loaded. -#}
{% macro constantcontact_check_contacts(history, column) %}
    {%- set stays = run_query(
        'select count(*) from ' ~ history ~ ' where dbt_valid_to is null'
    ).rows[0][0] -%}
    {%- if stays > 0 -%}
        {%- set tables = constantcontact_tables('contacts') -%}
        {%- if not tables -%}
            {%- do constantcontact_refuse_history(
                'There is no table ' ~ source('constantcontact', 'contacts'), stays
            ) -%}
        {%- endif -%}
        {%- for loaded in tables if column not in loaded.columns -%}
            {%- do constantcontact_refuse_history(
                'The table ' ~ loaded.table ~ ' has no column ' ~ column, stays
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Fail if too many contacts of an account are not loaded, or too many that are lost what they had. -#}
{% macro constantcontact_check_shares(history, contacts, members, key, stays) %}
    {%- set share = var('constantcontact_max_shrinkage') -%}
    {%- set account = stays[0] -%}
    {%- set table = source('constantcontact', 'contacts') -%}
    {%- set of_account = " where history.dbt_valid_to is null and history.source_relation = '" ~ account ~ "'" -%}
    {%- set same = ' on history.source_relation = {0}.source_relation and history.contact_id = {0}.contact_id' -%}
    {%- set gone = run_query(
        'select count(distinct history.contact_id) from ' ~ history ~ ' as history left join ' ~ contacts
        ~ ' as contacts' ~ same.format('contacts') ~ of_account ~ ' and contacts.contact_id is null'
    ).rows[0][0] -%}
    {%- if gone > share * stays[2] -%}
        {%- do constantcontact_refuse_history(
            gone ~ ' of ' ~ stays[2] ~ ' contacts' ~ (' of ' ~ account if account)
            ~ ' are missing from ' ~ (table.identifier if account else table), stays[1]
        ) -%}
    {%- endif -%}
    {#- Contacts that were deleted or unsubscribed left for a reason. -#}
    {%- set lost = run_query(
        'select count(*) from ' ~ history ~ ' as history join ' ~ contacts ~ ' as contacts'
        ~ same.format('contacts') ~ ' left join ' ~ members ~ ' as members' ~ same.format('members')
        ~ ' and history.' ~ key ~ ' = members.' ~ key ~ of_account
        ~ ' and members.contact_id is null and not contacts.is_deleted'
        ~ " and coalesce(contacts.permission_to_send, '') <> 'unsubscribed'"
    ).rows[0][0] -%}
    {#- A handful is a large share of a small account. -#}
    {%- if lost >= 20 and lost > share * stays[1] -%}
        {%- do constantcontact_refuse_history(
            lost ~ ' of ' ~ stays[1] ~ ' current rows' ~ (' of ' ~ account if account)
            ~ ' would end though their contacts are still subscribed', stays[1]
        ) -%}
    {%- endif -%}
{% endmacro %}

{#- Fail because a build would damage the history. -#}
{% macro constantcontact_refuse_history(reason, stays) %}
    {%- do exceptions.raise_compiler_error(
        reason ~ '. The history in ' ~ this ~ ' (' ~ stays ~ ' current rows) was not changed, because '
        ~ 'this cannot be undone. Load contacts in full and build again. If so many have really left, '
        ~ 'run make analytics ANALYTICS="--allow-shrinking" once, or set the variable '
        ~ 'constantcontact_allow_shrinking to true for one build.'
    ) -%}
{% endmacro %}

{#- Fail if a loader flattened an object into columns, in whose place the models would read nulls. -#}
{% macro constantcontact_check_nesting(table, columns, loaded) %}
    {%- for column in columns if column.data_type == 'object' and column.name not in loaded -%}
        {%- for name in loaded if name.startswith(column.name ~ '__') -%}
            {%- do exceptions.raise_compiler_error(
                'The table ' ~ table ~ ' has the column ' ~ name ~ ' in place of ' ~ column.name
                ~ ': the loader flattened it. Turn flattening off (flattening_enabled: false), and '
                ~ 'load the stream again.'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
{% endmacro %}
