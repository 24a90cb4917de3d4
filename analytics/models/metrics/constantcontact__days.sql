-- The days that MetricFlow draws time lines from.
with days as (
    {{ dbt.date_spine('day', "cast('1995-01-01' as date)", "cast('2051-01-01' as date)") }}
)

select cast(date_day as date) as day
from days
