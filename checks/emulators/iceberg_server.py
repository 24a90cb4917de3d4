"""Answers SQL queries of Iceberg tables, with DuckDB: FOLDER."""

from __future__ import annotations

import re
import sys
from typing import Any

import duckdb
from iceberg_catalog import NAMESPACE, open_catalog
from serving import serve

folder = sys.argv[1]


def query(sql: str) -> dict[str, Any]:
    """Return the names of the columns and the rows of a query."""
    catalog = open_catalog(folder)
    named = set(re.findall(r"\w+", sql))
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        for *_, name in catalog.list_tables(NAMESPACE):
            if name in named:
                database.register(name, catalog.load_table((NAMESPACE, name)).scan().to_arrow())
        result = database.execute(sql)
        columns = [column[0] for column in result.description or []]
        return {"columns": columns, "rows": result.fetchall()}


serve(None, query)
