"""A PostgreSQL database, loaded by target-postgres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from checks.support.loaders.target import Database
from checks.support.meltano import CheckFailed
from checks.support.postgresql import Server, postgresql


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


@contextmanager
def temporary_postgresql(_: Path) -> Iterator[PostgreSQL]:
    """Run a server while the target is used."""
    with postgresql() as server:
        yield PostgreSQL(server)
