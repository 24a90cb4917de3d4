"""Builds the models in fakesnow: TABLES FOLDER, as `building` describes."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import fakesnow
import snowflake.connector
from building import build, write_marts

_TYPES = {
    "text": "varchar", "object": "variant", "objects": "variant", "texts": "variant",
    "timestamp": "timestamp_ntz", "integer": "number(38, 0)", "numeric": "float",
    "double precision": "float", "boolean": "boolean",
}  # fmt: skip
_PROFILE = {
    "type": "snowflake", "account": "any", "user": "any", "password": "any", "database": "CC",
    "schema": "ANALYTICS", "warehouse": "any", "role": "any", "threads": 1,
}  # fmt: skip

# fakesnow's, about itself.
warnings.filterwarnings("ignore")
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def load(cursor: Any, name: str, columns: dict[str, str], rows: list[dict[str, Any]]) -> None:
    """Create a table as target-snowflake does, which writes nested values as VARIANT."""
    types = {column: _TYPES[type_] for column, type_ in columns.items()}
    definitions = ", ".join(f"{column} {type_}" for column, type_ in types.items())
    cursor.execute(f"create table {name} ({definitions})")
    if rows:
        values = ", ".join(
            f"({', '.join(_literal(row.get(column), columns[column]) for column in columns)})"
            for row in rows
        )
        casts = ", ".join(
            f"parse_json(column{number})"
            if type_ == "variant"
            else f"cast(column{number} as {type_})"
            for number, type_ in enumerate(types.values(), 1)
        )
        cursor.execute(f"insert into {name} select {casts} from values {values}")


def _literal(value: Any, type_: str) -> str:
    if value is None:
        return "null"
    text = json.dumps(value) if type_ in ("object", "objects", "texts") else str(value)
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def main(tables: Path, folder: Path) -> None:
    """Load the tables, build the models and write what the marts have."""
    with fakesnow.patch():
        cursor = snowflake.connector.connect(database="CC", schema="CONSTANTCONTACT").cursor()
        for name, table in json.loads(tables.read_text("utf-8")).items():
            load(cursor, name, table["columns"], table["rows"])
        build(_PROFILE, folder)

        def query(sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
            result = cursor.execute(sql)
            return [column[0].lower() for column in result.description], result.fetchall()

        write_marts(query, folder)


main(*map(Path, sys.argv[1:]))
