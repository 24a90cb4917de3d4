{#- The columns are unique together in each account, and none of them is null. -#}
{% test constantcontact_unique_together(model, columns) %}
select source_relation, {{ columns | join(', ') }}
from {{ model }}
group by source_relation, {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}

{#- The column is unique in each account, except for nulls. -#}
{% test constantcontact_unique(model, column_name) %}
select source_relation, {{ column_name }}
from {{ model }}
where {{ column_name }} is not null
group by source_relation, {{ column_name }}
having count(*) > 1
{% endtest %}
