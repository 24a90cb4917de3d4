"""How fast the tap is: beside others, with ever more data, and when it starts.

Contacts come from a server on this machine and go to a pipe that is read at once. A rate is of
records a second from the first record to the end of the process, so that nobody's start counts;
dlt and the bare loop, which print none, take the time themselves. All take turns, and a ratio is
the median of those of the single turns. At the end, a sandbox answers as slowly as the API does.
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

from bench.pace import LATENCY, first_sync
from bench.run import Run, serving, took
from checks.support.table import print_table

FOLDER = Path(__file__).parent
#: Name, folder of its environment, and how many times as fast as it the tap should be.
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
MOST_MEGABYTES = 80
MOST_OF_AN_IMPORT = 1.3
STARTS = 9
#: Of the four requests a second that the API allows.
LEAST_PACE = 3.6
#: Of those that are needed: the others are guesses that were wrong.
MOST_REQUESTS = 1.02
#: How much of the best rate is left with the most data: the noise of a machine that is shared.
STEADY = 0.6


class Bench:
    """Runs of the tap and of others, with files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Ask the tap for its catalog.

        Args:
            folder: where the files of all runs are.
        """
        self.folder = folder
        self.catalog = json.loads(took([*TAP, "--discover"]).output)
        self.failures: list[str] = []

    def compare(self, contacts: int, rounds: int) -> None:
        """Print a table of the tap beside others.

        Args:
            contacts: how many there are.
            rounds: how often each takes its turn.
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
        """Print a table of the tap with ever more data.

        Args:
            sizes: numbers of contacts and of campaigns.
            streams: what is read.
            what: what there is more of.
        """
        rows, rates = [], [0.0]
        for contacts, campaigns in sizes:
            with serving(contacts, campaigns) as api_url:
                run = took(self.tap(api_url, streams))
            if streams == {"contacts"}:
                self.expect(run, contacts, "the tap")
            rates.append(run.rate)
            rows.append((f"{contacts or campaigns:,}", f"{run.records:,}", *_cells([run])[:3]))
            self.check(f"{run.megabytes:.0f} MB", run.megabytes < MOST_MEGABYTES)
        print_table([what, "records", "records/s", "CPU s", "peak MB"], rows)
        self.check(f"more {what} take more time each", rates[-1] >= STEADY * max(rates))

    def keep_pace(self, contacts: int, campaigns: int) -> None:
        """Print how much of the API's requests a second a first sync uses.

        Args:
            contacts: how many the account has.
            campaigns: how many it has.
        """
        alone = first_sync(contacts, campaigns, 1, at_once=True)
        ahead = first_sync(contacts, campaigns, 8)
        self.check(f"{ahead.rate:.2f} requests a second", ahead.rate >= LEAST_PACE)
        self.check(f"{ahead.throttled} throttled", ahead.throttled <= ahead.requests / 100)
        more = (ahead.requests - ahead.throttled) / alone.requests
        self.check(f"{more:.3f} times the requests", more <= MOST_REQUESTS)
        for pace in (alone, ahead):
            self.expect(pace.run, alone.run.records, "the first sync")
        each = sum(LATENCY) / 2
        rows = [
            (
                *("one after the other", alone.requests, ""),
                *(f"{alone.requests * each:.0f} (reckoned)", f"{1 / each:.2f}"),
            ),
            (
                *("8 at a time", ahead.requests, ahead.throttled),
                *(f"{ahead.seconds:.0f}", f"{ahead.rate:.2f}"),
            ),
        ]
        print_table(["a first sync", "requests", "throttled", "seconds", "requests/s"], rows)

    def start(self) -> None:
        """Print how long it takes to start."""
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
            self.check(f"{name}: {ratio:.2f} times the import", ratio <= MOST_OF_AN_IMPORT)
            rows.append((name, f"{min(of_name):.2f}", f"{median(of_name):.2f}", f"{ratio:.2f}"))
        print_table(["start", "least s", "median s", "times the import"], rows)

    def tap(self, api_url: str, streams: set[str]) -> list[str]:
        """Return the command of the tap that reads some streams."""
        for stream in self.catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
        settings = {"api_url": api_url, "access_token": "any"}
        no_limits = {"requests_per_second": 10**6, "daily_quota": 10**9}
        config = self.file("tap", {**settings, **no_limits})
        return [*TAP, "--config", config, "--catalog", self.file("catalog", self.catalog)]

    def peers(self, api_url: str) -> dict[str, list[str]]:
        """Return the commands of the others that are installed, by their names."""
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
            folder = FOLDER.parent / f".venv-bench-{environment}"
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
        """Return a run that has read everything; note where one has not."""
        self.check(f"{name}: status {run.status}, {run.records} records", run.records == records)
        return run

    def check(self, what: str, is_met: bool) -> None:  # noqa: FBT001 - reads well
        """Note what is not as it should be."""
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
    """Return medians of some runs: rate, CPU seconds, megabytes, start; and how many there are."""
    rate, cpu = (median(getattr(run, name) for run in runs) for name in ("rate", "cpu"))
    first = median(run.first for run in runs)
    most = max(run.megabytes for run in runs)
    return f"{rate:,.0f}", f"{cpu:.1f}", f"{most:.0f}", f"{first:.1f}", f"{len(runs)}"


def main() -> int:
    """Print all tables, and tell whether every goal is met."""
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
        bench.keep_pace(*options.pace)
    print(
        f"\nNot as it should be: {'; '.join(bench.failures)}."
        if bench.failures
        else "\nAll is well."
    )
    return 1 if bench.failures else 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000, help="for the comparison")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each in the comparison")
    parser.add_argument("--growing", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--campaigns", type=int, nargs="*", default=[100, 1_000, 3_000])
    parser.add_argument(
        "--pace",
        type=int,
        nargs=2,
        default=[50_000, 60],
        help="contacts and campaigns of an account whose API takes its time",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
