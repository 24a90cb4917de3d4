"""The database that the models are in: that of profiles.yml, by the same environment variables."""

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
"""The folder of the dbt project, which dbt runs in."""

Row = dict[str, Any]


class Unusable(Exception):
    """There is no such database, or it has not what was asked for."""


class Warehouse:
    """The database of the profile.

    Attributes:
        time_zone: The one that days are of.
    """

    def __init__(self) -> None:
        """Read the profile.

        Raises:
            Unusable: There is no such target, or no such file.
        """
        text = (PROJECT / "profiles.yml").read_text(encoding="utf-8")
        filled_in = jinja2.Template(text).render(env_var=os.environ.get)
        profile = yaml.safe_load(filled_in)["constantcontact"]
        name = profile["target"]
        if name not in profile["outputs"]:
            known = ", ".join(profile["outputs"])
            raise Unusable(f"ANALYTICS_TARGET is {name}, which is none of {known}.")
        self._profile = profile["outputs"][name]
        self.time_zone = os.environ.get("ANALYTICS_TIME_ZONE", "UTC")
        if self._profile["type"] == "duckdb" and not self._file.exists():
            raise Unusable(
                f"There is no database {self._file}. Load one with meltano run "
                "tap-constantcontact target-duckdb, or name yours in TARGET_DUCKDB_FILEPATH."
            )

    @property
    def _file(self) -> Path:
        return PROJECT.joinpath(str(self._profile["path"])).resolve()

    def reach(self) -> None:
        """See whether the database can be reached.

        Raises:
            Unusable: It cannot; says why.
        """
        with self._cursor():
            pass

    def rows(self, sql: str) -> list[Row]:
        """Return the rows of a query, whose tables are the marts.

        Raises:
            Unusable: The database refuses it.
        """
        with self._cursor() as cursor:
            cursor.execute(f"set search_path = '{self._profile['schema']}'")
            cursor.execute(f"set timezone = '{self.time_zone}'")  # of current_date
            cursor.execute(sql)
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        try:
            with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
                yield cursor
        except (duckdb.Error, psycopg2.Error) as error:
            raise Unusable(f"The database says: {error}") from error

    def _connect(self) -> Any:
        profile = self._profile
        if profile["type"] == "duckdb":
            return duckdb.connect(str(self._file), read_only=True)
        login = {name: profile[name] for name in ("host", "port", "user", "password", "dbname")}
        return psycopg2.connect(**login)
