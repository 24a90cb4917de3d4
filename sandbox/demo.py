"""`make demo`: a made-up account goes through Meltano into DuckDB, twice, and every row is counted.

Runs in the environment that has Meltano; the tap and the target get environments of their own from
Meltano, as they do for every user.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sandbox import Sandbox

PROJECT = Path(__file__).parent.parent
OUTPUT = PROJECT / "output" / "demo"
DATABASE = OUTPUT / "constantcontact.duckdb"
LOG = OUTPUT / "meltano.log"

_SUMMARY = re.compile(r"Run ended after .* Records: (?P<streams>.*)")
_STREAM = re.compile(r"(\w+) (\d+) \((\d+) requests\)")

_CAMPAIGNS = """
    select name, stats ->> 'em_sends' as sends, percents ->> 'open' as "open %",
           percents ->> 'click' as "click %"
    from email_campaigns join email_campaign_stats using (campaign_id)
    where sends > 0
    order by updated_at desc
    limit 5
"""


class DemoFailed(Exception):
    """The demo did not do what it promises."""


@dataclass
class Run:
    """What one run sent: rows and requests, by stream."""

    rows: dict[str, int]
    requests: dict[str, int]
    began: float
    seconds: float


def main() -> int:
    """Run the demo and return its exit status."""
    # Ends by itself when it is terminated, so that no child stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    try:
        with Sandbox(contacts=600, campaigns=10, seed=1) as sandbox:
            demonstrate(sandbox)
    except DemoFailed as failure:
        print(f"\nThe demo failed: {failure}\nThe whole log is in {LOG.relative_to(PROJECT)}")
        return 1
    return 0


def demonstrate(sandbox: Sandbox) -> None:
    """Sync the account, change it, sync it again, and report.

    Raises:
        DemoFailed: a run failed, or a row is missing.
    """
    print("A made-up account with 600 contacts and 10 campaigns is served on this machine.")
    print("First run: meltano run tap-constantcontact target-duckdb (installs both first) …")
    first = sync(sandbox)
    check(sandbox, first)
    print(f"done in {first.seconds:.0f} s. The account changes:")
    for what, ids in sandbox.change().items():
        print(f"  {what.replace('_', ' ')}: {len(ids)}")
    print("Second run: only what has changed since, and the small tables …")
    second = sync(sandbox)
    check(sandbox, second)
    print(f"done in {second.seconds:.0f} s.\n")
    print_runs(first, second)
    print("\nEvery row that the tap sent is in the database, and every row of the account.")
    print("\nThe last campaigns:")
    print_table(*query(_CAMPAIGNS))
    print(f"\nThe database is {DATABASE.relative_to(PROJECT)}.")


def sync(sandbox: Sandbox) -> Run:
    """Run Meltano against the sandbox and return what the tap says it sent.

    Raises:
        DemoFailed: Meltano failed.
    """
    began = time.time()
    output = meltano(sandbox, "run", "tap-constantcontact", "target-duckdb")
    summary = _SUMMARY.search(output)
    if summary is None:
        message = "the tap did not say what it sent"
        raise DemoFailed(message)
    streams = _STREAM.findall(summary["streams"])
    return Run(
        rows={name: int(rows) for name, rows, _ in streams},
        requests={name: int(requests) for name, _, requests in streams},
        began=began,
        seconds=time.time() - began,
    )


def meltano(sandbox: Sandbox, *arguments: str) -> str:
    """Run a command of Meltano and return what it printed; it leaves no process behind.

    Raises:
        DemoFailed: it ended with an error.
    """
    command = [str(Path(sys.executable).with_name("meltano")), *arguments]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=PROJECT,
        env=environment(sandbox),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with LOG.open("a", encoding="utf-8") as log:
        log.write(output)
    if process.returncode:
        last = "\n".join(output.splitlines()[-15:])
        message = f"meltano {' '.join(arguments)} ended with {process.returncode}:\n{last}"
        raise DemoFailed(message)
    return output


def environment(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment of Meltano: the sandbox's login, and a state of its own."""
    settings = {**sandbox.settings, "token_store": str(OUTPUT / "tokens.json")}
    return {
        **os.environ,
        **{f"TAP_CONSTANTCONTACT_{name.upper()}": str(value) for name, value in settings.items()},
        "TARGET_DUCKDB_FILEPATH": str(DATABASE),
        "MELTANO_DATABASE_URI": f"sqlite:///{OUTPUT / 'meltano.db'}",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
        "NO_COLOR": "1",
    }


def check(sandbox: Sandbox, run: Run) -> None:
    """Compare the database with what the tap sent, and with the account.

    Raises:
        DemoFailed: a row is missing, or is there that should not be.
    """
    for name, sent in run.rows.items():
        since = f"epoch(_sdc_extracted_at) >= {run.began}"
        _, [(loaded,)] = query(f"select count(*) from {name} where {since}")  # noqa: S608
        if loaded != sent:
            message = f"the tap sent {sent} rows of {name}, of which the database has {loaded}"
            raise DemoFailed(message)
    expected = sandbox.expected()
    for name in run.rows:
        _, rows = query(f"select {', '.join(_key_of(name))} from {name}")  # noqa: S608
        difference = {tuple(row) for row in rows} ^ set(expected[name])
        if difference:
            message = f"{len(difference)} rows of {name} differ between account and database"
            raise DemoFailed(message)


def query(sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the names of the columns and the rows of a query."""
    with closing(duckdb.connect(str(DATABASE), read_only=True)) as database:
        result = database.execute(sql)
        return [column[0] for column in result.description or []], result.fetchall()


def print_runs(first: Run, second: Run) -> None:
    """Print rows and requests of both runs, a line for each stream."""
    rows: list[tuple[Any, ...]] = [
        (name, run_1, first.requests[name], second.rows.get(name, 0), second.requests[name])
        for name, run_1 in first.rows.items()
    ]
    totals = ("together", *(sum(row[column] for row in rows) for column in range(1, 5)))
    columns = ["stream", "rows, 1st run", "requests", "rows, 2nd run", "requests"]
    print_table(columns, [*rows, totals])


def print_table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Print rows under their columns: texts to the left, numbers to the right."""
    lines = [columns, *([str(value) for value in row] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        first = line[0].ljust(widths[0])
        others = [text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join([first, *others]).rstrip())


def _key_of(table: str) -> list[str]:
    """Return the columns of a table's primary key, which the target takes from the stream."""
    sql = f"""
        select constraint_column_names from duckdb_constraints()
        where table_name = '{table}' and constraint_type = 'PRIMARY KEY'
    """  # noqa: S608
    _, [(columns,)] = query(sql)
    return list(columns)


if __name__ == "__main__":
    sys.exit(main())
