"""Measure how long the dbt models take on many opens: `python -m checks.bench.marts`.

Runs in the environment of `make analytics`. Builds twice: over all rows, and after 1 % more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from checks.support.postgresql import Server, postgresql

ROOT = Path(__file__).parent.parent.parent
OPENS_PER_CAMPAIGN = 100_000

CONTACTS = """
    create table {schema}.contacts as
    select
        md5(cast(number as text)) as contact_id,
        timestamp '2024-01-01' + number * interval '1 minute' as created_at,
        cast(
            '{{"address": "' || number || '@example.com", "permission_to_send": "explicit"}}'
            as {object}
        ) as email_address,
        {lists} as list_memberships,
        timestamp '2026-01-01' as _sdc_extracted_at
    from {numbers}
"""
# One row in ten is of an earlier campaign, whose email somebody opens late.
ENGAGEMENT = """
    select
        'activity-' || campaign as campaign_activity_id,
        md5(cast(number * 7919 % {contacts} as text)) as contact_id,
        'campaign-' || campaign as campaign_id,
        timestamp '2024-01-01' + newest * interval '2 days' + number % 20000 * interval '1 minute'
            as created_time,
        cast(number as integer) as occurrence,
        case number % 2 when 0 then 'computer' else 'mobile' end as device_type,
        'link-' || number % 5 as url_id,
        'https://example.com/' || number % 5 as link_url,
        -- About 2,000 rows a second, as the API's limit allows.
        timestamp '{loaded}' + (number - {first}) * interval '500 microseconds'
            as _sdc_extracted_at
    from (
        select
            number,
            newest,
            case when number % 10 = 0 then number * 31 % (newest + 1) else newest end as campaign
        from (
            select
                number,
                cast((number - number % {per_campaign}) / {per_campaign} as bigint) as newest
            from {numbers}
        ) as numbered
    ) as rows
"""


class Database(ABC):
    """An empty database.

    Attributes:
        environment: The variables that name it.
        words: What its SQL has in other words.
    """

    environment: dict[str, str]
    words: dict[str, str]

    @abstractmethod
    def execute(self, sql: str) -> None:
        """Change the raw tables."""

    @abstractmethod
    def numbers(self, first: int, last: int) -> str:
        """Return what has the numbers from the first up to the last, without it."""

    def add_contacts(self, contacts: int) -> None:
        """Create the table of contacts."""
        self.execute(CONTACTS.format(numbers=self.numbers(0, contacts), **self.words))

    def add_engagement(self, how: str, first: int, last: int, contacts: int, at: datetime) -> None:
        """Create or extend opens and clicks, of which there is one for seven opens.

        Args:
            how: The statement before the query, with {table}.
            first: Number of the first open.
            last: Number after the last one.
            contacts: How many contacts there are.
            at: When the loader starts.
        """
        rows = ENGAGEMENT.format(
            contacts=contacts,
            per_campaign=OPENS_PER_CAMPAIGN,
            first=first,
            loaded=at,
            numbers=self.numbers(first, last),
        )
        schema = self.words["schema"]
        self.execute(f"{how.format(table=f'{schema}.email_opens')} {rows}")
        self.execute(f"{how.format(table=f'{schema}.email_clicks')} {rows} where number % 7 = 0")


class DuckDB(Database):
    """A file."""

    words = {"schema": "main", "object": "json", "lists": """'["list"]' :: json"""}

    def __init__(self, folder: Path) -> None:
        """Name a file in a folder."""
        self.file = folder / "constantcontact.duckdb"
        self.environment = {"TARGET_DUCKDB_FILEPATH": str(self.file)}

    def execute(self, sql: str) -> None:
        """Change the raw tables."""
        with closing(duckdb.connect(str(self.file), config={"threads": 2})) as database:
            database.execute(sql)

    def numbers(self, first: int, last: int) -> str:
        """Return what has the numbers."""
        return f"range({first}, {last}) as numbers (number)"


class PostgreSQL(Database):
    """A server."""

    words = {"schema": "constantcontact", "object": "jsonb", "lists": "array['list']"}

    def __init__(self, server: Server) -> None:
        """Create the schema of the raw tables."""
        self.server = server
        self.environment = {
            "ANALYTICS_TARGET": "postgres",
            "TARGET_POSTGRES_HOST": server.host,
            "TARGET_POSTGRES_PORT": str(server.port),
            "TARGET_POSTGRES_USER": server.user,
            "TARGET_POSTGRES_DATABASE": server.database,
        }
        self.execute("create schema constantcontact")

    def execute(self, sql: str) -> None:
        """Change the raw tables."""
        with closing(self.server.connect()) as database:
            database.execute(sql)
            database.commit()

    def numbers(self, first: int, last: int) -> str:
        """Return what has the numbers."""
        return f"generate_series(cast({first} as bigint), {last - 1}) as numbers (number)"


@contextmanager
def empty(kind: str, folder: str | None) -> Iterator[Database]:
    """Provide an empty database of a kind."""
    if kind == "postgres":
        with postgresql() as server:
            yield PostgreSQL(server)
    else:
        with TemporaryDirectory(dir=folder) as inside:
            yield DuckDB(Path(inside))


def build(database: Database, *options: str) -> str:
    """Build the models, and return the seconds, those of processors, and the peak of memory."""
    command = [sys.executable, "-m", "analytics", "--no-report", *options]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **database.environment})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    seconds = time.monotonic() - started
    # Of this process and those that it waited for: dbt is the largest, with DuckDB inside.
    return (
        f"{seconds:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} s of processors, "
        f"{usage.ru_maxrss / 1024**2:.2f} GB"
    )


def main() -> None:
    """Make the tables, build, add rows, and build again."""
    parser = argparse.ArgumentParser(prog="python -m checks.bench.marts", description=__doc__)
    parser.add_argument("--opens", type=int, default=20_000_000)
    parser.add_argument("--contacts", type=int, default=500_000)
    parser.add_argument("--database", choices=["duckdb", "postgres"], default="duckdb")
    parser.add_argument("--folder", help="where DuckDB's file is written (8 GB)")
    options, of_dbt = parser.parse_known_args()
    opens, contacts, more = options.opens, options.contacts, options.opens // 100
    today = datetime.now(timezone.utc).replace(tzinfo=None)
    with empty(options.database, options.folder) as database:
        database.add_contacts(contacts)
        database.add_engagement(
            "create table {table} as", 0, opens, contacts, today - timedelta(days=1)
        )
        print(f"first build, {opens:,} opens: {build(database, *of_dbt)}", flush=True)
        database.add_engagement("insert into {table}", opens, opens + more, contacts, today)
        print(f"build after 1 % more: {build(database, *of_dbt)}", flush=True)


if __name__ == "__main__":
    main()
