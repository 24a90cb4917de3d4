"""A Snowflake database that fakesnow emulates, loaded by target-snowflake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checks.support.loaders.emulator import Emulator, emulator, program
from checks.support.loaders.target import Database, pinned

_NAME = "snowflake"


class Snowflake(Database):
    """A database in the memory of the emulator."""

    loader = "target-snowflake"
    emulator = pinned("fakesnow", "target-snowflake")
    page = "snowflake.md"
    stored = '"tags":{"stream":"contacts"'
    keys = "show primary keys in table {}"
    extracted_at = "date_part(epoch_millisecond, _sdc_extracted_at) / 1000"

    def __init__(self, served: Emulator) -> None:
        """Use an emulator that runs for as long as the target is used."""
        self._served = served
        self.command = [*program(_NAME, "snowflake_loader"), str(served.started["port"])]
        self.settings = {
            "account": "fakesnow",
            "user": "sandbox",
            "password": "any",
            "database": served.started["database"],
        }

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns, in lowercase, and the rows of a query."""
        result = self._served.ask(sql=sql)
        return [name.lower() for name in result["columns"]], [tuple(row) for row in result["rows"]]

    def key(self, stream: str) -> set[str]:
        """Return the columns of the primary key of a table."""
        columns, rows = self.query(self.keys.format(stream))
        return {dict(zip(columns, row, strict=True))["column_name"].lower() for row in rows}


@contextmanager
def emulated_snowflake(folder: Path) -> Iterator[Snowflake]:
    """Run the emulator while the target is used."""
    with emulator(_NAME, "snowflake_server", folder / "emulator") as served:
        yield Snowflake(served)
