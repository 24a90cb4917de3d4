"""The targets of the loaders in meltano.yml: a module and a line here for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from checks.support.loaders.bigquery import emulated_bigquery
from checks.support.loaders.dlt import DltBigQuery, DltDuckDB, loaded_by_dlt
from checks.support.loaders.duckdb import DuckDB
from checks.support.loaders.files import Csv, Jsonl
from checks.support.loaders.iceberg import emulated_iceberg
from checks.support.loaders.postgresql import temporary_postgresql
from checks.support.loaders.snowflake import emulated_snowflake
from checks.support.loaders.target import Target

#: Makes a target whose files are in a folder; raises `Skipped` where that is impossible.
TARGETS: dict[str, Callable[[Path], AbstractContextManager[Target]]] = {
    "duckdb": lambda folder: nullcontext(DuckDB(folder)),
    "postgresql": temporary_postgresql,
    "jsonl": lambda folder: nullcontext(Jsonl(folder)),
    "csv": lambda folder: nullcontext(Csv(folder)),
    "snowflake": emulated_snowflake,
    "iceberg": emulated_iceberg,
    "bigquery": emulated_bigquery,
    "dlt-duckdb": loaded_by_dlt(DltDuckDB),
    "dlt-delta": loaded_by_dlt(DESTINATION='"filesystem"', TABLE_FORMAT='"delta"'),
    "dlt-bigquery": loaded_by_dlt(
        DltBigQuery, ("bigquery-server", "bigquery_server"), DESTINATION='"bigquery"'
    ),
}
