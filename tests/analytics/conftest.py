"""The databases of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.support.postgresql import Server, postgresql
from tests.analytics.databases import Database, DuckDB, PostgreSQL

# dbt parses its project again for each other database, so that all tests share two.


@pytest.fixture(scope="session")
def duckdb_file(tmp_path_factory: pytest.TempPathFactory) -> DuckDB:
    return DuckDB(tmp_path_factory.mktemp("duckdb"))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@pytest.fixture(scope="session")
def postgresql_database(tmp_path_factory: pytest.TempPathFactory, server: Server) -> PostgreSQL:
    return PostgreSQL(tmp_path_factory.mktemp("postgresql"), server)


@pytest.fixture
def warehouse(duckdb_file: DuckDB) -> DuckDB:
    """An empty DuckDB file."""
    duckdb_file.clear()
    return duckdb_file


@pytest.fixture(params=["duckdb_file", "postgresql_database"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database, of either kind."""
    empty: Database = request.getfixturevalue(request.param)
    empty.clear()
    return empty
