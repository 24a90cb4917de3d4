"""Measures the speed of the tap: compared with other tools, with growing data, and at the start.

Contacts come from a local server and go to a pipe that is read immediately. The rate is the number
of records per second from the first record to the end of the process, so that startup time does
not count. dlt and the bare loop print no records and measure the time themselves. The tools run
alternately, and each ratio is the median of the ratios of the rounds. The last measurement uses a
sandbox that responds as slowly as the API.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from os import cpu_count
from pathlib import Path
from statistics import median
from typing import Any

from checks.bench.pace import LATENCY, first_sync
from checks.bench.run import Run, serving, took
from checks.support.table import print_table

FOLDER = Path(__file__).parent
#: Name, environment, and how many times as fast the tap should be.
PEERS = (
    ("airbyte-cdk, declarative source", "airbyte-cdk", 3.0),
    ("dlt, extract step", "dlt", 1.5),
    ("singer-sdk, plain stream", "singer-sdk", 2.5),
    ("bare loop of requests and json", "requests", 0.25),
)
TAP = [sys.executable, "-m", "tap_constantcontact"]
CAMPAIGN_STREAMS = {
    *("email_campaigns", "email_campaign_activities", "email_campaign_summaries"),
    *("email_campaign_stats", "email_sends", "email_opens", "email_clicks", "email_bounces"),
}
MAX_MEGABYTES = 80
MAX_IMPORT_RATIO = 1.3
STARTS = 9
#: Contacts and campaigns of the accounts whose API responds slowly: many pages of contacts, and a
#: little of everything.
SLOW_ACCOUNTS = [(120_000, 0), (6_000, 16)]
#: Minimum requests per second, of the four that the API allows.
MIN_PACE = 3.65
#: Maximum number of requests relative to those needed. The others are wrong predictions.
MAX_REQUESTS = 1.02
#: Minimum rate with the most data relative to the best one: a shared machine is noisy.
STEADY = 0.6


class Bench:
    """Runs the tap and other tools, with their files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Discover the tap's catalog.

        Args:
            folder: Folder for the files of all runs.
        """
        self.folder = folder
        self.catalog = json.loads(took([*TAP, "--discover"]).output)
        self.failures: list[str] = []

    def compare(self, contacts: int, rounds: int) -> None:
        """Print a table that compares the tap with other tools.

        Args:
            contacts: Number of contacts.
            rounds: Number of runs of each tool.
        """
        runs: dict[str, list[Run]] = defaultdict(list)
        with serving(contacts, 0) as api_url:
            commands = {"this tap": self.tap(api_url, {"contacts"}), **self.peers(api_url)}
            for _ in range(rounds):
                for name, command in commands.items():
                    runs[name].append(self.expect(took(command), contacts, name))
        goals = {name: goal for name, _, goal in PEERS}
        rows: list[tuple[Any, ...]] = []
        for name, of_name in runs.items():
            ratios = [
                tap.rate / (run.rate or 1)
                for tap, run in zip(runs["this tap"], of_name, strict=True)
            ]
            goal = goals.get(name)
            if goal:
                self.check(f"{median(ratios):.2f} times {name}", median(ratios) >= goal)
            rows.append((name, *_cells(of_name), f"{median(ratios):.2f}", goal or ""))
        missing = [(name, *["-"] * 6, goal) for name, _, goal in PEERS if name not in runs]
        columns = [
            *(f"{contacts:,} contacts", "records/s", "CPU s", "peak MB", "first record s", "runs"),
            *("times as fast", "goal"),
        ]
        print_table(columns, rows + missing)
        for row in missing:
            print(f"{row[0]} could not be installed.")

    def grow(self, sizes: Iterable[tuple[int, int]], streams: set[str], what: str) -> None:
        """Print a table of the tap with growing data.

        Args:
            sizes: Numbers of contacts and of campaigns.
            streams: The streams to read.
            what: What grows: contacts or campaigns.
        """
        rows, rates = [], [0.0]
        for contacts, campaigns in sizes:
            with serving(contacts, campaigns) as api_url:
                run = took(self.tap(api_url, streams))
            if streams == {"contacts"}:
                self.expect(run, contacts, "the tap")
            rates.append(run.rate)
            rows.append((f"{contacts or campaigns:,}", f"{run.records:,}", *_cells([run])[:3]))
            self.check(f"{run.megabytes:.0f} MB", run.megabytes < MAX_MEGABYTES)
        print_table([what, "records", "records/s", "CPU s", "peak MB"], rows)
        self.check(f"{what} take longer each as they grow", rates[-1] >= STEADY * max(rates))

    def keep_pace(self, accounts: Iterable[tuple[int, int]]) -> None:
        """Print how many of the allowed requests per second first syncs use.

        Args:
            accounts: Their numbers of contacts and of campaigns.
        """
        rows = [row for account in accounts for row in self._paces(*account)]
        columns = ["a first sync", "requests", "throttled", "seconds", "requests/s"]
        print_table(["contacts", "campaigns", *columns], rows)

    def _paces(self, contacts: int, campaigns: int) -> list[tuple[Any, ...]]:
        alone = first_sync(contacts, campaigns, 1, at_once=True)
        ahead = first_sync(contacts, campaigns, 8)
        self.check(f"{ahead.rate:.2f} requests per second", ahead.rate >= MIN_PACE)
        self.check(f"{ahead.throttled} throttled", ahead.throttled <= ahead.requests / 100)
        more = (ahead.requests - ahead.throttled) / alone.requests
        self.check(f"{more:.3f} times the requests", more <= MAX_REQUESTS)
        for pace in (alone, ahead):
            self.expect(pace.run, alone.run.records, "the first sync")
        each = sum(LATENCY) / 2
        account = (f"{contacts:,}", campaigns)
        return [
            (
                *(*account, "one after the other", alone.requests, ""),
                *(f"{alone.requests * each:.0f} (calculated)", f"{1 / each:.2f}"),
            ),
            (
                *(*account, "8 at a time", ahead.requests, ahead.throttled),
                *(f"{ahead.seconds:.0f}", f"{ahead.rate:.2f}"),
            ),
        ]

    def start(self) -> None:
        """Print how long the tap takes to start."""
        commands = {
            "import singer_sdk": [sys.executable, "-c", "import singer_sdk"],
            "tap-constantcontact --about": [*TAP, "--about"],
            "tap-constantcontact --discover": [*TAP, "--discover"],
        }
        seconds: dict[str, list[float]] = defaultdict(list)
        for _ in range(STARTS):
            for name, command in commands.items():
                seconds[name].append(took(command).seconds)
        least = min(seconds["import singer_sdk"])
        rows = []
        for name, of_name in seconds.items():
            ratio = min(of_name) / least
            self.check(f"{name}: {ratio:.2f} times the import", ratio <= MAX_IMPORT_RATIO)
            rows.append((name, f"{min(of_name):.2f}", f"{median(of_name):.2f}", f"{ratio:.2f}"))
        print_table(["start", "least s", "median s", "times the import"], rows)

    def tap(self, api_url: str, streams: set[str]) -> list[str]:
        """Return the command that reads some streams with the tap."""
        for stream in self.catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
        settings = {"api_url": api_url, "access_token": "any"}
        no_limits = {"requests_per_second": 10**6, "daily_quota": 10**9}
        config = self.file("tap", {**settings, **no_limits})
        return [*TAP, "--config", config, "--catalog", self.file("catalog", self.catalog)]

    def peers(self, api_url: str) -> dict[str, list[str]]:
        """Return the commands of the other installed tools, by name."""
        host = api_url.removesuffix("/v3")
        config = self.file("peer", {"api_url": api_url, "host": host})
        arguments = {
            "airbyte-cdk": ["airbyte.py", config, self.file("airbyte", AIRBYTE_CATALOG)],
            "dlt": ["dlt_extract.py", api_url],
            "singer-sdk": ["plain_sdk.py", "--config", config],
            "requests": ["bare.py", api_url],
        }
        commands = {}
        for name, environment, _ in PEERS:
            folder = FOLDER.parents[1] / f".venv-bench-{environment}"
            if (folder / "made").exists():
                script, *rest = arguments[environment]
                python = str(folder / "bin" / "python")
                commands[name] = [python, str(FOLDER / "peers" / script), *rest]
        return commands

    def file(self, name: str, content: Any) -> str:
        """Write a JSON file and return its path."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content), "utf-8")
        return str(path)

    def expect(self, run: Run, records: int, name: str) -> Run:
        """Return a run, and note a failure if it has not read everything."""
        self.check(f"{name}: status {run.status}, {run.records} records", run.records == records)
        return run

    def check(self, what: str, is_met: bool) -> None:  # noqa: FBT001 - reads well
        """Note a failure if a condition is not met."""
        if not is_met:
            self.failures.append(what)


AIRBYTE_CATALOG = {
    "streams": [
        {
            "stream": {
                "name": "contacts",
                "json_schema": {"type": "object"},
                "supported_sync_modes": ["full_refresh"],
            },
            "sync_mode": "full_refresh",
            "destination_sync_mode": "overwrite",
        }
    ]
}


def _cells(runs: list[Run]) -> tuple[str, ...]:
    """Return cells on some runs: rate, CPU seconds, megabytes, first record, number of runs."""
    rate, cpu = (median(getattr(run, name) for run in runs) for name in ("rate", "cpu"))
    first = median(run.first for run in runs)
    most = max(run.megabytes for run in runs)
    return f"{rate:,.0f}", f"{cpu:.1f}", f"{most:.0f}", f"{first:.1f}", f"{len(runs)}"


def main() -> int:
    """Print all tables, and return whether every goal is met as an exit status."""
    options = parser().parse_args()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, {platform.system()} {platform.machine()}, {cpu_count()} cores\n")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.start()
        print()
        bench.compare(options.contacts, options.rounds)
        print()
        bench.grow([(size, 0) for size in options.growing], {"contacts"}, "contacts")
        print()
        bench.grow([(0, size) for size in options.campaigns], CAMPAIGN_STREAMS, "campaigns")
        print()
        bench.keep_pace(options.pace or SLOW_ACCOUNTS)
    print(f"\nGoals missed: {'; '.join(bench.failures)}." if bench.failures else "\nAll goals met.")
    return 1 if bench.failures else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m checks.bench", description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000, help="contacts to compare with")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each tool to compare")
    parser.add_argument("--growing", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--campaigns", type=int, nargs="*", default=[100, 1_000, 3_000])
    parser.add_argument(
        "--pace",
        type=int,
        nargs=2,
        action="append",
        metavar=("CONTACTS", "CAMPAIGNS"),
        help="an account whose API responds slowly; can be repeated",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
