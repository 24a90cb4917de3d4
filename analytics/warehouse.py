"""The database with the models: the one in profiles.yml, set by environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
import jinja2
import psycopg2
import yaml

PROJECT = Path(__file__).parent
"""The folder of the dbt project, where dbt runs."""

Row = dict[str, Any]


@dataclass(frozen=True)
class LoadedData:
    """What the loader has read.

    Attributes:
        streams: The streams with a table.
        read_at: When the newest row was read, in UTC; the present if the loader notes no times.
        is_dated: Whether the loader notes times.
    """

    streams: frozenset[str]
    read_at: datetime
    is_dated: bool


class Unusable(Exception):
    """Raised when the database does not exist, or a query fails."""


class Warehouse:
    """The database of the profile.

    Attributes:
        zone_of_days: The time zone that days of the marts are of.
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
        self._account: str | None = None
        self.zone_of_days = os.environ.get("ANALYTICS_TIME_ZONE", "UTC")
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

    def choose(self, account: str | None) -> None:
        """Choose the account whose rows queries see.

        Args:
            account: Its source_relation; None if the marts have one account only.

        Raises:
            Unusable: There is no such account, or several to choose from.
        """
        rows = self._query(
            "select distinct source_relation from constantcontact__streams order by 1"
        )
        names = [row["source_relation"] for row in rows]
        if account is None and len(names) == 1:
            return
        if account not in names:
            problem = f"Unknown account: {account}" if account else "The report is of one account"
            raise Unusable(
                f"{problem}. The tables have {', '.join(filter(None, names)) or 'only one'}. "
                'Choose one with make analytics ANALYTICS="--account NAME".'
            )
        self._account = account

    @cached_property
    def data(self) -> LoadedData:
        """What the loader has read, according to the marts.

        Raises:
            Unusable: There are no marts.
        """
        rows = self._query("select * from constantcontact__streams")
        read_at = max((row["last_read_at"] for row in rows if row["last_read_at"]), default=None)
        return LoadedData(
            frozenset(row["stream"] for row in rows if row["is_loaded"]),
            read_at or datetime.now(timezone.utc).replace(tzinfo=None),
            is_dated=read_at is not None,
        )

    @cached_property
    def account(self) -> Row:
        """The name of the account and its time zone; both are None if it is not known.

        Raises:
            Unusable: There are no marts.
        """
        rows = self._query(
            "select organization_name as name, time_zone from constantcontact__accounts"
        )
        return rows[0] if len(rows) == 1 else {"name": None, "time_zone": None}

    @cached_property
    def time_zone(self) -> str:
        """The time zone of times: the one that is set, else the account's, else UTC."""
        zone = os.environ.get("ANALYTICS_TIME_ZONE") or self.account["time_zone"] or "UTC"
        try:
            ZoneInfo(zone)
        except (ValueError, ZoneInfoNotFoundError):
            return self.zone_of_days
        return str(zone)

    @cached_property
    def variables(self) -> Row:
        """The variables of the dbt project, by name."""
        text = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
        return dict(yaml.safe_load(text)["vars"]["constantcontact"])

    def local(self, moment: datetime) -> datetime:
        """Return a time in UTC as that of the time zone of times."""
        return moment.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(self.time_zone))

    def rows(self, sql: str) -> list[Row]:
        """Return the rows of a query.

        Args:
            sql: The query. Its tables are those of the models; `:now` and `:today` are when the
                data was read.

        Raises:
            Unusable: The query fails.
        """
        now = self.data.read_at
        zone = ZoneInfo(self.zone_of_days)
        today = now.replace(tzinfo=timezone.utc).astimezone(zone).date()
        return self._query(
            sql.replace(":now", f"timestamp '{now}'").replace(":today", f"date '{today}'")
        )

    def _query(self, sql: str) -> list[Row]:
        with self._cursor() as cursor:
            cursor.execute(f"set search_path = {self._search_path}")
            if self._account is not None:
                self._hide_other_accounts(cursor)
            cursor.execute(sql)
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def _hide_other_accounts(self, cursor: Any) -> None:
        """Put temporary views before all tables, with the rows of the account."""
        schemas = "', '".join(self._schemas)
        cursor.execute(
            "select table_schema, table_name from information_schema.columns "  # noqa: S608
            f"where column_name = 'source_relation' and table_schema in ('{schemas}')"
        )
        account = str(self._account).replace("'", "''")
        for schema, table in cursor.fetchall():
            cursor.execute(
                f'create temp view "{table}" as select * from "{schema}"."{table}" '  # noqa: S608
                f"where source_relation = '{account}'"
            )

    @property
    def _search_path(self) -> str:
        if self._profile["type"] == "duckdb":
            return f"'{','.join(self._schemas)}'"
        return ", ".join(f'"{name}"' for name in self._schemas)

    @property
    def _schemas(self) -> list[str]:
        schema = self._profile["schema"]
        return [schema, f"{schema}_staging", f"{schema}_history"]

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
