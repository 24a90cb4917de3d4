"""A DuckDB file, loaded by target-duckdb."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from checks.support.loaders.target import Database
from checks.support.meltano import CheckFailed


class DuckDB(Database):
    """A DuckDB file."""

    loader = "target-duckdb"
    page = "duckdb.md"
    dbt_target = "duckdb"
    # Contacts are loaded before them.
    stored = 'Loading 20 rows into \'"constantcontact"."main"."segment_contacts"\''
    keys = """
        select unnest(constraint_column_names) from duckdb_constraints()
        where table_name = '{}' and constraint_type = 'PRIMARY KEY'
    """
    extracted_at = "epoch(_sdc_extracted_at)"

    def __init__(self, folder: Path) -> None:
        """Use a file, which may not exist yet."""
        self.file = folder / "constantcontact.duckdb"
        self.settings = {"filepath": str(self.file)}

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        try:
            with closing(duckdb.connect(str(self.file), read_only=True)) as database:
                result = database.execute(sql)
                return [column[0] for column in result.description or []], result.fetchall()
        except duckdb.Error as error:
            raise CheckFailed(f"DuckDB: {error}") from error
