"""Iceberg tables, loaded by target-s3tables into a catalog in a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checks.support.comparison import Row
from checks.support.loaders.emulator import Emulator, emulator, program
from checks.support.loaders.target import Database, pinned, without_empty_arrays

_NAME = "iceberg"


class Iceberg(Database):
    """Iceberg tables, to which each run appends."""

    loader = "target-s3tables"
    page = "iceberg.md"
    emulator = pinned("pyiceberg", "target-iceberg")
    stored = "Committed 20 rows to Iceberg table 'constantcontact.contacts'"
    extracted_at = "epoch(sdc_extracted_at)"

    def __init__(self, served: Emulator, folder: Path) -> None:
        """Use a catalog in a folder, which a process queries."""
        self._served = served
        self.command = [*program(_NAME, "iceberg_loader"), str(folder)]
        # Not used: the tables are not in Amazon's cloud.
        self.settings = {
            "region": "us-east-1",
            "account_id": "111122223333",
            "table_bucket_name": "sandbox",
        }

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        result = self._served.ask(sql=sql)
        return result["columns"], [tuple(row) for row in result["rows"]]

    def rows(self, stream: str) -> list[Row]:
        """Return all rows of a table, oldest first, without the columns of the loader."""
        sql = f"select * from {stream} order by sdc_extracted_at"  # noqa: S608
        columns, rows = self.query(sql)
        return [
            self.kept(
                {
                    column: _with_numbers(value)
                    for column, value in zip(columns, row, strict=True)
                    if not column.startswith("sdc_")
                }
            )
            for row in rows
        ]

    def kept(self, row: Row) -> Row:
        """Return a row without empty arrays: PyIceberg writes an empty one for a null."""
        kept: Row = without_empty_arrays(row)
        return kept

    def key(self, stream: str) -> set[str] | None:
        """Return None: Iceberg tables have no primary keys."""
        return None


def _with_numbers(value: Any, *, in_json: bool = False) -> Any:
    """Return a value with the JSON in it parsed, in which the loader writes numbers as texts."""
    if isinstance(value, dict):
        return {name: _with_numbers(item, in_json=in_json) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_numbers(item, in_json=in_json) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        return _with_numbers(json.loads(value), in_json=True)
    if in_json and isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+", value):
        return float(value)
    return value


@contextmanager
def emulated_iceberg(folder: Path) -> Iterator[Iceberg]:
    """Query the catalog while the target is used."""
    catalog = folder / _NAME
    with emulator(_NAME, "iceberg_server", catalog) as served:
        yield Iceberg(served, catalog)
