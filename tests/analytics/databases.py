"""Databases with the raw tables that a test needs, as the loaders write them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from psycopg.types.json import Jsonb

from checks.support.postgresql import Server

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 3, 31, 3, 30)  # noqa: DTZ001 - in UTC, as loaders write it

Rows = list[tuple[Any, ...]]

# Types that are written otherwise in each database.
NESTED = ("object", "objects", "texts")
COLUMNS = {
    "contacts": """
        contact_id text, last_changed_at timestamp, email_address object, first_name text,
        last_name text, job_title text, company_name text, birthday_month integer,
        birthday_day integer, anniversary text, create_source text, created_at timestamp,
        updated_at timestamp, deleted_at text, custom_fields objects, list_memberships texts,
        taggings texts
    """,
    "contact_lists": """
        list_id text, name text, description text, favorite boolean, created_at timestamp,
        updated_at timestamp, deleted_at timestamp, membership_count integer
    """,
    "contact_custom_fields": """
        custom_field_id text, name text, label text, type text, choices objects,
        created_at timestamp, updated_at timestamp
    """,
    "events": """
        event_id text, title text, name text, status text, event_start timestamp,
        event_end timestamp, start_time timestamp, end_time timestamp, event_type text,
        location_type text, time_zone text, currency_type text, default_track object
    """,
    "email_campaigns": """
        campaign_id text, name text, type text, current_status text, created_at timestamp,
        updated_at timestamp
    """,
    "email_campaign_stats": "campaign_id text, stats object, last_refresh_time timestamp",
    "email_forwards": """
        campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp,
        occurrence integer
    """,
    "email_optouts": """
        campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp,
        occurrence integer, opt_out_reason text, _sdc_extracted_at timestamp
    """,
    "email_sends": """
        campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp,
        occurrence integer, _sdc_extracted_at timestamp
    """,
    "email_campaign_send_history": """
        campaign_activity_id text, send_id integer, campaign_id text, count integer,
        run_date timestamp, send_status text
    """,
    "email_campaign_activities": """
        campaign_activity_id text, campaign_id text, role text, subject text
    """,
    "email_campaign_activity_stats": """
        campaign_activity_id text, campaign_id text, stats object, last_refresh_time timestamp
    """,
    "email_campaign_ab_tests": """
        campaign_activity_id text, campaign_id text, alternative_subject text,
        test_size double precision, winner_wait_duration integer
    """,
    "sms_campaign_summaries": """
        campaign_id text, campaign_name text, campaign_type text, last_sent_date timestamp,
        unique_counts object
    """,
    "account": "encoded_account_id text, organization_name text, time_zone_id text",
    "email_bounces": """
        campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp,
        occurrence integer, bounce_code text, _sdc_extracted_at timestamp
    """,
    "email_opens": """
        campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp,
        occurrence integer, device_type text, _sdc_extracted_at timestamp
    """,
    "email_clicks": """
        campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp,
        occurrence integer, device_type text, url_id text, link_url text,
        _sdc_extracted_at timestamp
    """,
    "event_registrations": """
        event_id text, registration_id text, registration_status text,
        registration_time timestamp, payment_status text, tickets integer, total double precision,
        new_contact boolean, checked_in_tickets integer, eligible_checkin_tickets integer,
        _sdc_extracted_at timestamp
    """,
}
"""The columns of raw tables that models read, with object, objects and texts for nested types."""


def contact(
    id_: str,
    *,
    custom_fields: list[Any] | None = None,
    lists: list[str] | None = None,
    tags: list[str] | None = None,
    permission: str = "implicit",
    deleted: str | None = None,
    at: datetime | None = NOW,
) -> tuple[Any, ...]:
    """Return a row of contacts."""
    email = {"address": f"{id_}@example.com", "permission_to_send": permission}
    nothing = (None,) * 8
    return (id_, at, email, *nothing, at, at, deleted, custom_fields, lists, tags)


def only(models: str) -> list[str]:
    """Return the options that build some models, with the tests that need no others."""
    return ["--select", models, "--indirect-selection", "buildable"]


class DuckDB:
    """A DuckDB file."""

    raw_schema = "main"
    types = {"objects": "json", "object": "json", "texts": "json", "integer": "hugeint"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "constantcontact.duckdb"
        self.clear()

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that name the database."""
        return {"TARGET_DUCKDB_FILEPATH": str(self.file)}

    @property
    def profile(self) -> dict[str, Any]:
        """The output of a profile of dbt that names the database."""
        return {"type": "duckdb", "path": str(self.file), "schema": "acme"}

    def clear(self) -> None:
        self.file.unlink(missing_ok=True)
        self.query("select 1")

    def query(self, sql: str, *values: Any) -> Rows:
        with closing(duckdb.connect(str(self.file))) as database:
            return database.execute(sql, values).fetchall()

    def load(
        self,
        table: str,
        *rows: tuple[Any, ...],
        columns: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Replace a raw table.

        Args:
            table: Its name.
            rows: Its rows; nested values are those of Python.
            columns: Its columns, if not those of `COLUMNS`.
            schema: Its schema, if not the usual one.
        """
        columns = columns or COLUMNS[table]
        schema = schema or self.raw_schema
        name = f"{schema}.{table}"
        types = [column.split()[1] for column in columns.split(",")]
        for word, type_ in self.types.items():
            columns = columns.replace(f" {word}", f" {type_}")
        self.query(f"create schema if not exists {schema}")
        self.query(f"drop table if exists {name} cascade")
        self.query(f"create table {name} ({columns})")
        values = [
            [self.nest(value, type_) for value, type_ in zip(row, types, strict=True)]
            for row in rows
        ]
        if values:
            self.insert(f"insert into {name} values ({', '.join('?' * len(types))})", values)

    def insert(self, sql: str, rows: list[list[Any]]) -> None:
        with closing(duckdb.connect(str(self.file))) as database:
            database.executemany(sql, rows)

    def nest(self, value: Any, type_: str) -> Any:
        return json.dumps(value) if value is not None and type_ in NESTED else value

    def build(self, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m analytics`."""
        logs = ["--logs", str(self.folder / "dbt"), "--report", str(self.folder / "report.html")]
        environment = {k: v for k, v in os.environ.items() if k[:7] not in ("TARGET_", "ANALYTI")}
        return subprocess.run(
            [sys.executable, "-m", "analytics", *logs, *options],
            cwd=ROOT,
            env={**environment, **self.settings, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def report(self) -> str:
        """The report of the last build."""
        return (self.folder / "report.html").read_text("utf-8")


class PostgreSQL(DuckDB):
    """A database of a PostgreSQL server."""

    raw_schema = "constantcontact"
    types = {"objects": "jsonb[]", "object": "jsonb", "texts": "text[]", "integer": "bigint"}

    def __init__(self, folder: Path, server: Server) -> None:
        self.server = server
        super().__init__(folder)

    @property
    def settings(self) -> dict[str, str]:
        server = self.server
        return {
            "ANALYTICS_TARGET": "postgres",
            "TARGET_POSTGRES_HOST": server.host,
            "TARGET_POSTGRES_PORT": str(server.port),
            "TARGET_POSTGRES_USER": server.user,
            "TARGET_POSTGRES_DATABASE": server.database,
        }

    @property
    def profile(self) -> dict[str, Any]:
        server = self.server
        return {
            "type": "postgres", "host": server.host, "port": server.port, "user": server.user,
            "password": "", "dbname": server.database, "schema": "acme",
        }  # fmt: skip

    def clear(self) -> None:
        schemas = self.query(
            "select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$'"
        )
        for (schema,) in schemas:
            self.query(f'drop schema "{schema}" cascade')

    def query(self, sql: str, *values: Any) -> Rows:
        with closing(self.server.connect()) as database, database.cursor() as cursor:
            cursor.execute(
                sql.replace("%", "%%").replace("?", "%s") if values else sql, values or None
            )
            rows = cursor.fetchall() if cursor.description else []
            database.commit()
            return rows

    def insert(self, sql: str, rows: list[list[Any]]) -> None:
        with closing(self.server.connect()) as database, database.cursor() as cursor:
            cursor.executemany(sql.replace("?", "%s"), rows)
            database.commit()

    def nest(self, value: Any, type_: str) -> Any:
        if type_ == "objects" and value is not None:
            return [Jsonb(item) for item in value]
        return Jsonb(value) if type_ == "object" and value is not None else value


Database = DuckDB
"""Either."""
