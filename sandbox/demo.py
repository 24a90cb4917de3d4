"""`make demo`: a made-up account goes through Meltano into DuckDB, twice, and every row is counted.

`make all-streams` does the same with all streams, as fast as it can.

Runs in the environment that has Meltano; the tap and the target get environments of their own from
Meltano, as they do for every user.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sandbox import Sandbox
from sandbox.rows import column_of, plain, print_table, unsteady

PROJECT = Path(__file__).parent.parent
OUTPUT = PROJECT / "output" / "demo"
DATABASE = OUTPUT / "constantcontact.duckdb"
LOG = OUTPUT / "meltano.log"

_SUMMARY = re.compile(r"Run ended after .* Records: (?P<streams>.*)")
_STREAM = re.compile(r"(\w+) (\d+) \((\d+) requests\)")
_SELECTED = re.compile(r"^ +- (\w+)\.\*$", re.MULTILINE)

# Whoever ends the demo ends its children too.
_ENDED_BY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)

_CAMPAIGNS = """
    select name, stats ->> 'em_sends' as sends, percents ->> 'open' as "open %",
           percents ->> 'click' as "click %"
    from email_campaigns join email_campaign_stats using (campaign_id)
    where sends::int > 0
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all-streams", action="store_true", help="sync every stream, fast")
    all_streams = parser.parse_args().all_streams
    for signum in _ENDED_BY:
        signal.signal(signum, end)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    make_project()
    try:
        if all_streams:
            with Sandbox(contacts=60, campaigns=10, seed=1, requests_per_second=0) as sandbox:
                sync_all_streams(sandbox)
        else:
            with Sandbox(contacts=600, campaigns=8, seed=1) as sandbox:
                demonstrate(sandbox)
    except DemoFailed as failure:
        print(f"\nThe demo failed: {failure}\nThe whole log is in {LOG.relative_to(PROJECT)}")
        return 1
    return 0


def end(signum: int, _frame: object) -> None:
    """End in good order, whatever signals follow."""
    for other in _ENDED_BY:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + signum)


def make_project() -> None:
    """Copy meltano.yml to a folder of its own: an `.env` of the user is not for the demo."""
    project = (PROJECT / "meltano.yml").read_text(encoding="utf-8")
    here = f"pip_url: -e {shlex.quote(str(PROJECT))}"
    (OUTPUT / "meltano.yml").write_text(project.replace("pip_url: -e .", here), encoding="utf-8")


def demonstrate(sandbox: Sandbox) -> None:
    """Sync the account, change it, sync it again, and report.

    Raises:
        DemoFailed: a run failed, or a row is missing.
    """
    print("A made-up account with 600 contacts and 8 campaigns is served on this machine.")
    print("First run: meltano run tap-constantcontact target-duckdb (installs both first) …")
    first = sync(sandbox)
    check(sandbox, first, selected_by_default())
    print(f"done in {first.seconds:.0f} s. The account changes:")
    changed = sandbox.change()
    for what, ids in changed.items():
        print(f"  {what.replace('_', ' ')}: {len(ids)}")
    # No filter of the API shows these; the daily sweep brings them.
    hidden = {*changed["contacts_resubscribed"], *changed["contacts_moved"]}
    print("Second run: what the API shows as changed, and the small tables …")
    second = sync(sandbox)
    check(sandbox, second, selected_by_default(), hidden)
    print(f"done in {second.seconds:.0f} s.\n")
    print_runs(first, second)
    print(
        "\nEvery row that the tap sent is in the database, and every row of the account, with its "
        f"values.\n{len(hidden)} contacts changed in ways that no filter shows: they come with the "
        "next daily sweep."
    )
    print("\nThe last campaigns:")
    print_table(*query(_CAMPAIGNS))
    print(f"\nThe database is {DATABASE.relative_to(PROJECT)}.")


def sync_all_streams(sandbox: Sandbox) -> None:
    """Sync every stream, change the account, and sync again; compare all values each time.

    Raises:
        DemoFailed: a run failed, or a row is missing.
    """
    account = sandbox.account
    everything = {
        **sandbox.partner_settings,
        "landing_page_activity_ids": json.dumps(list(account.landing_pages)),
        "v2_contact_ids": json.dumps([str(id_) for id_ in account.v2_contact_ids]),
        "v2_list_ids": json.dumps([str(id_) for id_ in account.v2_list_ids]),
        "v2_email_campaign_ids": json.dumps([str(id_) for id_ in account.v2_campaign_ids]),
        "report_start": "-1825d",
        "requests_per_second": "1000",
        "contacts_sweep_days": "0",
        "_select": '["*.*"]',
    }
    streams = sorted(sandbox.expected())
    for number in ("First", "Second"):
        run = sync(sandbox, **everything)
        check(sandbox, run, streams)
        print(f"{number} run: {len(run.rows)} streams, {sum(run.rows.values())} rows in DuckDB,")
        print(f"each with the values of the account, in {sum(run.requests.values())} requests.")
        sandbox.change()


def sync(sandbox: Sandbox, **settings: str) -> Run:
    """Run Meltano against the sandbox and return what the tap says it sent.

    Args:
        sandbox: what serves the account.
        settings: further settings of the tap.

    Raises:
        DemoFailed: Meltano failed.
    """
    began = time.time()
    environment = environment_of(sandbox, settings)
    output = meltano(environment, "run", "tap-constantcontact", "target-duckdb")
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


def meltano(environment: dict[str, str], *arguments: str) -> str:
    """Run a command of Meltano and return what it printed; it leaves no process behind.

    Raises:
        DemoFailed: it ended with an error.
    """
    command = [str(Path(sys.executable).with_name("meltano")), *arguments]
    process: subprocess.Popen[str] | None = None
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=OUTPUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        output, _ = process.communicate()
    finally:
        if process and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with LOG.open("a", encoding="utf-8") as log:
        log.write(output)
    if process.returncode:
        last = "\n".join(output.splitlines()[-15:])
        message = f"meltano {' '.join(arguments)} ended with {process.returncode}:\n{last}"
        raise DemoFailed(message)
    return output


def environment_of(sandbox: Sandbox, further: dict[str, str]) -> dict[str, str]:
    """Return the environment of Meltano: the sandbox's login, and nothing of the user's."""
    settings = {**sandbox.settings, **further, "token_store": str(OUTPUT / "tokens.json")}
    users = ("TAP_CONSTANTCONTACT_", "TARGET_DUCKDB_", "MELTANO_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(users)},
        **{f"TAP_CONSTANTCONTACT_{name.upper()}": str(value) for name, value in settings.items()},
        "TARGET_DUCKDB_FILEPATH": str(DATABASE),
        "MELTANO_DATABASE_URI": f"sqlite:///{OUTPUT / 'meltano.db'}",
        # Plugins are installed once, in the project's own folder.
        "MELTANO_SYS_DIR_ROOT": str(PROJECT / ".meltano"),
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
        "NO_COLOR": "1",
        "NO_PROXY": sandbox.options.host,
        "no_proxy": sandbox.options.host,
    }


def selected_by_default() -> list[str]:
    """Return the streams that meltano.yml selects."""
    return _SELECTED.findall((OUTPUT / "meltano.yml").read_text(encoding="utf-8"))


def check(
    sandbox: Sandbox, run: Run, streams: Collection[str], hidden: Collection[str] = ()
) -> None:
    """Compare the database with what the tap sent, and with the account.

    Args:
        sandbox: what serves the account.
        run: the run that has just ended.
        streams: the streams that it had to read.
        hidden: ids of rows whose values may be older than the account's.

    Raises:
        DemoFailed: a row is missing or differs.
    """
    expected = sandbox.expected(set(streams))
    for name in streams:
        sent = run.rows.get(name, 0)
        since = f"epoch(_sdc_extracted_at) >= {run.began}"
        _, [(loaded,)] = query(f"select count(*) from {name} where {since}")  # noqa: S608
        if loaded != sent:
            message = f"the tap sent {sent} rows of {name}, of which the database has {loaded}"
            raise DemoFailed(message)
        check_rows(name, expected[name], hidden)


def check_rows(
    table: str, expected: dict[tuple[Any, ...], dict[str, Any]], hidden: Collection[str]
) -> None:
    """Compare a table with the rows of the account, value by value.

    Raises:
        DemoFailed: a row is missing, or there without need, or has another value.
    """
    columns, rows = query(f"select * from {table}")  # noqa: S608
    key = _key_of(table)
    loaded = {}
    for values in rows:
        row = dict(zip(columns, values, strict=True))
        loaded[tuple(plain(row[name]) for name in key)] = row
    wanted = {tuple(map(plain, key_of_row)): row for key_of_row, row in expected.items()}
    # A row that the account has no more, such as the draft of a resend, stays in the database.
    if missing := wanted.keys() - loaded.keys():
        message = f"{len(missing)} rows of {table} are not in the database"
        raise DemoFailed(message)
    if "occurrence" in key:  # which of several rows at one time is the first does not matter
        return
    ignored = unsteady(key)
    for key_of_row, row in wanted.items():
        for column, value in row.items():
            same = plain(value) == plain(loaded[key_of_row].get(column_of(column)))
            if not same and column not in ignored and key_of_row[0] not in hidden:
                message = f"{column} of the row {key_of_row} of {table} differs from the account's"
                raise DemoFailed(message)


def query(sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the names of the columns and the rows of a query."""
    with closing(duckdb.connect(str(DATABASE), read_only=True)) as database:
        result = database.execute(sql)
        return [column[0] for column in result.description or []], result.fetchall()


def print_runs(first: Run, second: Run) -> None:
    """Print rows and requests of both runs, a line for each stream."""
    rows: list[tuple[Any, ...]] = [
        (name, *(of.get(name, 0) for run in (first, second) for of in (run.rows, run.requests)))
        for name in first.rows
    ]
    totals = ("together", *(sum(row[column] for row in rows) for column in range(1, 5)))
    columns = ["stream", "rows, 1st run", "requests", "rows, 2nd run", "requests"]
    print_table(columns, [*rows, totals])


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
