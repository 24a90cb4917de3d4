"""The database with the models: the one in profiles.yml, set by environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import psycopg2
import yaml

PROJECT = Path(__file__).parent
"""The folder of the dbt project, where dbt runs."""

Row = dict[str, Any]


class Unusable(Exception):
    """Raised when the database does not exist, or a query fails."""


class Warehouse:
    """The database of the profile.

    Attributes:
        time_zone: The time zone of days.
    """

    def __init__(self) -> None:
        """Read the profile.

        Raises:
            Unusable: The target or the file does not exist.
        """
        text = (PROJECT / "profiles.yml").read_text(encoding="utf-8")
        filled_in = jinja2.Template(text).render(env_var=os.environ.get)
        profile = yaml.safe_load(filled_in)["constantcontact"]
        name = profile["target"]
        if name not in profile["outputs"]:
            known = ", ".join(profile["outputs"])
            raise Unusable(f"Invalid ANALYTICS_TARGET: {name} (must be one of {known}).")
        self._profile = profile["outputs"][name]
        self.time_zone = os.environ.get("ANALYTICS_TIME_ZONE", "UTC")
        if self._profile["type"] == "duckdb" and not self._file.exists():
            raise Unusable(
                f"No database at {self._file}. Load one with meltano run tap-constantcontact "
                "target-duckdb, or set TARGET_DUCKDB_FILEPATH to yours."
            )

    @property
    def _file(self) -> Path:
        return PROJECT.joinpath(str(self._profile["path"])).resolve()

    def reach(self) -> None:
        """Check that the database can be reached.

        Raises:
            Unusable: It can't be reached.
        """
        with self._cursor():
            pass

    def rows(self, sql: str) -> list[Row]:
        """Return the rows of a query, whose tables are the marts.

        Raises:
            Unusable: The query fails.
        """
        with self._cursor() as cursor:
            cursor.execute(f"set search_path = '{self._profile['schema']}'")
            cursor.execute(f"set timezone = '{self.time_zone}'")  # for current_date
            cursor.execute(sql)
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        try:
            with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
                yield cursor
        except (duckdb.Error, psycopg2.Error) as error:
            raise Unusable(f"Database error: {error}") from error

    def _connect(self) -> Any:
        profile = self._profile
        if profile["type"] == "duckdb":
            return duckdb.connect(str(self._file), read_only=True)
        login = {name: profile[name] for name in ("host", "port", "user", "password", "dbname")}
        return psycopg2.connect(**login)
