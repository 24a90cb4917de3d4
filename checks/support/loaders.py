"""The targets of the loaders in meltano.yml, and how rows are read back from them."""

from __future__ import annotations

import csv
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from checks.support.comparison import Row
from checks.support.meltano import CheckFailed
from checks.support.postgresql import Server


class Target(ABC):
    """The target of a loader in meltano.yml.

    Attributes:
        loader: The name of the loader.
        settings: Its settings, in addition to those in meltano.yml.
    """

    loader: str
    settings: dict[str, Any]

    @abstractmethod
    def rows(self, stream: str) -> list[Row]:
        """Return all rows of a stream, oldest first; the last row with a key counts."""

    @abstractmethod
    def count_since(self, stream: str, since: float) -> int:
        """Return the number of rows of a stream from the run that began at a given time."""


class Database(Target):
    """A target that keeps one row for each key.

    Attributes:
        page: Its page in docs/guides/warehouses/.
        dbt_target: The target in analytics/profiles.yml.
        stored: A text that the loader logs after it has stored contacts, in batches of 20.
    """

    page: str
    dbt_target: str
    stored: str
    keys: str
    extracted_at: str

    @abstractmethod
    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query.

        Raises:
            CheckFailed: If the database rejects the query.
        """

    def rows(self, stream: str) -> list[Row]:
        """Return all rows of a table."""
        columns, rows = self.query(f"select * from {stream}")  # noqa: S608
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def count_since(self, stream: str, since: float) -> int:
        """Return the number of rows extracted since then."""
        newer = f"{self.extracted_at} >= {since}"
        _, [(count,)] = self.query(f"select count(*) from {stream} where {newer}")  # noqa: S608
        return int(count)

    def key(self, stream: str) -> set[str]:
        """Return the columns of the primary key of a table."""
        _, rows = self.query(self.keys.format(stream))
        return {column for (column,) in rows}


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


class PostgreSQL(Database):
    """A PostgreSQL database."""

    loader = "target-postgres"
    page = "postgresql.md"
    dbt_target = "postgres"
    stored = '"tags":{"stream":"contacts"'
    keys = """
        select attname from pg_index join pg_attribute on attrelid = indrelid
        where indrelid = '{}'::regclass and indisprimary and attnum = any(indkey)
    """
    extracted_at = "extract(epoch from _sdc_extracted_at)"

    def __init__(self, server: Server, schema: str = "constantcontact") -> None:
        """Use a schema of a server that runs for as long as the target is used."""
        self._server = server
        self._schema = schema
        self.settings = {
            "host": server.host,
            "port": server.port,
            "user": server.user,
            "password": "any",
            "database": server.database,
        }

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        try:
            with self._server.connect() as connection:
                connection.execute(f"set search_path = {self._schema}")
                cursor = connection.execute(sql)
                return [column.name for column in cursor.description or []], cursor.fetchall()
        except psycopg.Error as error:
            raise CheckFailed(f"PostgreSQL: {error}") from error


class Files(Target):
    """A folder with a file for each stream and run."""

    ending: str

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        self._folder = folder
        self._counts = Counter[str]()

    @abstractmethod
    def read(self, file: Path) -> list[Row]:
        """Return the rows of a file."""

    def rows(self, stream: str) -> list[Row]:
        """Return all rows of all files, whose names hold the time of their run."""
        files = sorted(self._folder.glob(f"{stream}-*{self.ending}"))
        return [row for file in files for row in self.read(file)]

    def count_since(self, stream: str, since: float) -> int:
        """Return the number of rows added since the last call."""
        earlier, self._counts[stream] = self._counts[stream], len(self.rows(stream))
        return self._counts[stream] - earlier


class Jsonl(Files):
    """Files of JSON lines."""

    loader = "target-jsonl"
    ending = ".jsonl"

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        super().__init__(folder)
        self.settings = {"destination_path": str(folder)}

    def read(self, file: Path) -> list[Row]:
        """Return the rows of a file."""
        with file.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


class Csv(Files):
    """CSV files, with a column for each property of an object: email_address__address."""

    loader = "target-csv"
    ending = ".csv"

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        super().__init__(folder)
        self.settings = {"output_path": str(folder)}

    def read(self, file: Path) -> list[Row]:
        """Return the rows of a file, with their objects rebuilt."""
        with file.open(encoding="utf-8", newline="") as lines:
            return [_nested(row) for row in csv.DictReader(lines)]


def _nested(flat: dict[str, str]) -> Row:
    row: Row = {}
    for column, text in flat.items():
        name, _, nested = column.partition("__")
        value = _value(text)
        if not nested:
            row[name] = value
        elif value is not None:
            row.setdefault(name, {})[nested] = value
    return row


def _value(text: str) -> Any:
    """Return the value of a text in a CSV file, which has no types."""
    if re.fullmatch(r"-?\d+\.0", text):
        return float(text)
    return {"True": True, "False": False, "": None}.get(text, text)
