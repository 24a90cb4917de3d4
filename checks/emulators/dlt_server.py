"""Answers SQL queries of what dlt has loaded, a DuckDB file or Delta tables: FOLDER."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable
from serving import serve

folder = Path(sys.argv[1])
file = folder / "tap_constantcontact.duckdb"
tables = folder / "lake" / "constantcontact"


def query(sql: str) -> dict[str, Any]:
    """Return the names of the columns and the rows of a query."""
    with duckdb.connect(file if file.exists() else ":memory:", read_only=file.exists()) as database:
        database.execute("set timezone = 'UTC'")
        if file.exists():
            database.execute("set search_path = 'constantcontact'")
        for name in re.findall(r"\w+", sql):
            if DeltaTable.is_deltatable(str(tables / name)):
                database.register(name, DeltaTable(tables / name).to_pyarrow_table())
        result = database.execute(sql)
        columns = [column[0] for column in result.description or []]
        return {"columns": columns, "rows": result.fetchall()}


serve(None, query)
