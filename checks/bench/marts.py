"""Measure how long the dbt models take on many opens: `python -m checks.bench.marts`.

Runs in the environment of `make analytics`. Builds twice: over all opens, and after 1 % more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb

ROOT = Path(__file__).parent.parent.parent
CONTACTS_PER_CAMPAIGN = 100_000

CONTACTS = """
    create or replace table contacts as
    select
        md5(cast(number as text)) as contact_id,
        timestamp '2024-01-01' + number * interval '1 minute' as created_at,
        json_object('address', number || '@example.com', 'permission_to_send', 'explicit')
            as email_address,
        '["list"]' :: json as list_memberships,
        timestamp '2026-01-01' as _sdc_extracted_at
    from range({contacts}) as numbers (number)
"""
OPENS = """
    select
        'activity-' || number // {per_campaign} as campaign_activity_id,
        md5(cast(hash(number) % {contacts} as text)) as contact_id,
        'campaign-' || number // {per_campaign} as campaign_id,
        timestamp '2024-01-01' + (number // {per_campaign}) * interval '2 days'
            + (number % 20000) * interval '1 minute' as created_time,
        cast(number as integer) as occurrence,
        ['computer', 'mobile', 'tablet', 'other'][number % 4 + 1] as device_type,
        -- About 2,000 rows a second, as the API's limit allows.
        timestamp '{loaded}' + (number - {first}) // 2000 * interval '1 second'
            as _sdc_extracted_at
    from range({first}, {last}) as numbers (number)
"""


def load(file: Path, sql: str) -> None:
    """Change the raw tables."""
    with closing(duckdb.connect(str(file), config={"threads": 2})) as database:
        database.execute(sql)


def build(file: Path, *options: str) -> tuple[float, float]:
    """Build the models, and return the seconds and the peak of memory in GB."""
    command = [sys.executable, "-m", "analytics", "--no-report", *options]
    environment = {**os.environ, "TARGET_DUCKDB_FILEPATH": str(file)}
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    # Of this process and those that it waited for: dbt is the largest.
    return time.monotonic() - started, usage.ru_maxrss / 1024**2


def main() -> None:
    """Make the tables, build, add rows, and build again."""
    parser = argparse.ArgumentParser(prog="python -m checks.bench.marts", description=__doc__)
    parser.add_argument("--opens", type=int, default=20_000_000)
    parser.add_argument("--contacts", type=int, default=500_000)
    parser.add_argument("--folder", help="where the database is written (4 GB)")
    options, of_dbt = parser.parse_known_args()
    more = options.opens // 100
    today = datetime.now(timezone.utc).replace(tzinfo=None)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        file = Path(folder) / "constantcontact.duckdb"

        def opens(first: int, last: int, loaded: datetime) -> str:
            return OPENS.format(
                contacts=options.contacts,
                per_campaign=CONTACTS_PER_CAMPAIGN,
                first=first,
                last=last,
                loaded=loaded,
            )

        earlier = opens(0, options.opens, today - timedelta(days=1))
        load(file, CONTACTS.format(contacts=options.contacts))
        load(file, f"create or replace table email_opens as {earlier}")
        for name, rows in (("first build", options.opens), ("build after 1 % more", more)):
            if name != "first build":
                newest = opens(options.opens, options.opens + more, today)
                load(file, f"insert into email_opens {newest}")
            seconds, memory = build(file, *of_dbt)
            print(f"{name} ({rows:,} new opens): {seconds:.1f} s, {memory:.2f} GB", flush=True)


if __name__ == "__main__":
    main()
