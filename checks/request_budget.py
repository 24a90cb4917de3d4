"""`make requests`: count the requests of syncs, and the rows they lose, for an account of any size.

The account is generated in memory, and the tap runs as a command against it, as fast as it can. Its
rows are collected over all runs, the latest of each key, and compared with the account's.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from checks.support.comparison import column_of, normalize, volatile_properties
from checks.support.table import print_lines_at_once, print_table
from sandbox import Sandbox
from sandbox.server.expected import OCCURRENCE

TAP = [sys.executable, "-m", "tap_constantcontact"]
BUDGET_EXHAUSTED = 75  # the exit status of a run that has reached `max_requests`

SMALL_STREAMS = 50
"""Requests of small streams: the account, lists, tags, segments, events, and the two requests for
changed contacts."""

REPORTS = re.compile(
    "email_(sends|opens|unique_opens|did_not_opens|clicks|forwards|optouts|bounces|links)"
)
_IDS = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(,[0-9a-f-]{36})*|(?<=/)\d+(?=/|$)|(?<=/tracks/)[^/]+"
)


@dataclass
class Warehouse:
    """The rows that a target would hold after some runs.

    Attributes:
        keys: The primary keys of the expected streams.
        lines: The lines of RECORD messages, by stream and key.
    """

    keys: dict[str, list[str]]
    lines: dict[str, dict[tuple[str, ...], str]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, message: dict[str, Any], line: str) -> None:
        """Add a RECORD message."""
        stream = message["stream"]
        key = tuple(str(message["record"][name]) for name in self.keys[stream])
        self.lines[stream][key] = line

    def lost(self, sandbox: Sandbox) -> Counter[str]:
        """Count the rows of the account that are missing or outdated here, by stream."""
        lost = Counter[str]()
        for stream, names in self.keys.items():
            # One stream at a time: all at once would take much memory.
            expected = sandbox.expected({stream})[stream].values()
            # The order of rows within a minute does not matter.
            kept = [name for name in names if name != OCCURRENCE]
            held = defaultdict(list)
            for line in self.lines[stream].values():
                # In the form of contacts, so that most values are equal right away.
                row = json.loads(line.replace(".000Z", "Z"))["record"]
                held[_key(row, kept)].append(row)
            ignored = volatile_properties(names) | {OCCURRENCE}
            for wanted in expected:
                rows = held[_key(wanted, kept)]
                found = next((row for row in rows if _agrees(row, wanted, ignored)), None)
                if found is None:
                    lost[stream] += 1
                else:
                    rows.remove(found)
        return lost


def _key(row: dict[str, Any], names: list[str]) -> tuple[Any, ...]:
    return tuple(normalize(row[name]) for name in names)


def _agrees(row: dict[str, Any], wanted: dict[str, Any], ignored: Collection[str]) -> bool:
    """Return whether a row has all wanted values, except ignored ones."""
    return all(
        value == row.get(name) or normalize(value) == normalize(row.get(column_of(name)))
        for name, value in wanted.items()
        if name not in ignored
    )


@dataclass
class Outcome:
    """The result of a scenario: of one run, or of several until it was complete."""

    name: str
    bound: int | None = None
    runs: int = 0
    status: int = 0
    seconds: float = 0.0
    records: int = 0
    states: int = 0
    state_bytes: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """The number of requests."""
        return self.requests.total()

    @property
    def failures(self) -> list[str]:
        """The failures of the scenario, in words."""
        lost = [f"{count} rows of {stream} lost" for stream, count in self.lost.items()]
        ended = [f"ended with status {self.status}"] if self.status else []
        over = self.bound is not None and self.total > self.bound
        return [
            *ended,
            *lost,
            *([f"{self.total} requests exceed the bound of {self.bound}"] * over),
        ]

    @property
    def cells(self) -> tuple[Any, ...]:
        """The cells of its line in the table."""
        bound = "" if self.bound is None else self.bound
        numbers = (self.records, self.states, self.state_bytes, self.lost.total())
        return (self.name, self.runs, self.total, bound, f"{self.seconds:.1f}", *numbers)


COLUMNS = [
    *("scenario", "runs", "requests", "bound", "seconds"),
    *("records", "STATEs", "last STATE bytes", "rows lost"),
]


def discovered() -> dict[str, list[str]]:
    """Return the keys of the streams that the tap selects by default."""
    catalog = json.loads(subprocess.check_output([*TAP, "--discover"], stderr=subprocess.DEVNULL))
    return {
        stream["tap_stream_id"]: stream["key_properties"]
        for stream in catalog["streams"]
        for entry in stream["metadata"]
        if not entry["breadcrumb"] and entry["metadata"].get("selected")
    }


class Tap:
    """The tap as a user runs it: a command with a config file, a state and a target."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        """Prepare a first run.

        Args:
            sandbox: The server of the account.
            folder: The folder for the files of the tap.
        """
        self.sandbox = sandbox
        self.folder = folder
        self.warehouse = Warehouse(discovered())
        self.state: Any = None

    def run(self, outcome: Outcome, **settings: Any) -> None:
        """Run the tap once, and add its figures to an outcome."""
        earlier, began = len(self.sandbox.requests), time.monotonic()
        files = {"config": {**self._settings(), **settings}, "state": self.state or {}}
        command = TAP.copy()
        for name, content in files.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            command += [f"--{name}", str(path)]
        environment = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
        with (
            (self.folder / "tap.log").open("w", encoding="utf-8") as log,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            ) as process,
        ):
            for line in process.stdout or ():
                self._handle(line, outcome)
        outcome.runs += 1
        outcome.status = process.returncode
        outcome.seconds += time.monotonic() - began
        outcome.requests.update(
            _endpoint(request.path) for request in self.sandbox.requests[earlier:]
        )

    @property
    def log(self) -> str:
        """The last lines of the last run's log."""
        return "\n".join((self.folder / "tap.log").read_text(encoding="utf-8").splitlines()[-15:])

    def _handle(self, line: str, outcome: Outcome) -> None:
        message = json.loads(line)
        if message["type"] == "STATE":
            self.state = message["value"]
            outcome.states += 1
            outcome.state_bytes = len(line.encode())
        if message["type"] == "RECORD":
            self.warehouse.add(message, line)
            outcome.records += 1

    def _settings(self) -> dict[str, Any]:
        no_limits = {"requests_per_second": 1000, "daily_quota": 10**9}
        return {
            **self.sandbox.settings,
            **no_limits,
            "token_store": str(self.folder / "tokens.json"),
        }


class Scenarios:
    """The scenarios, one after the other, with one account."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Start without outcomes."""
        self.sandbox = sandbox
        self.account = sandbox.account
        self.outcomes: list[Outcome] = []

    def run(self, changed: list[int], max_requests: int) -> None:
        """Run all scenarios.

        Args:
            changed: How many campaigns change before scenarios c and d.
            max_requests: The maximum requests of a run, when a first sync takes several.
        """
        with self._tap() as tap:
            first = self._scenario(tap, "a first sync")
            self._scenario(tap, "b no change", self._unchanged_bound)
            for letter, count in zip("cd", changed, strict=True):
                activities = self._change_campaigns(count)
                more = activities * (2 + self._reports(tap))
                self._scenario(
                    tap, f"{letter} {count} campaigns changed", self._unchanged_bound + more
                )
            contacts = self._change_contacts()
            more = 2 * ceil(contacts / 500)
            self._scenario(tap, f"e {contacts} contacts changed", self._unchanged_bound + more)
        # Another first sync, without state.
        with self._tap() as tap:
            self._in_several_runs(tap, max_requests, first.total)

    @contextmanager
    def _tap(self) -> Iterator[Tap]:
        with tempfile.TemporaryDirectory() as folder:
            yield Tap(self.sandbox, Path(folder))

    @property
    def _unchanged_bound(self) -> int:
        """The maximum number of requests of a run if nothing has changed."""
        campaigns = len(self.account.campaigns)
        return ceil(campaigns / 500) + ceil(campaigns / 150) + SMALL_STREAMS

    @staticmethod
    def _reports(tap: Tap) -> int:
        return sum(REPORTS.fullmatch(stream) is not None for stream in tap.warehouse.keys)

    def _scenario(self, tap: Tap, name: str, bound: int | None = None) -> Outcome:
        outcome = Outcome(name, bound)
        tap.run(outcome)
        self._report(outcome, tap)
        return outcome

    def _in_several_runs(self, tap: Tap, max_requests: int, in_one: int) -> None:
        """Make a first sync in runs of few requests, in at most about twice the expected runs."""
        outcome = Outcome(f"f first sync by {max_requests}")
        for _ in range(2 * ceil(in_one / max_requests) + 5):
            tap.run(outcome, max_requests=max_requests)
            if outcome.status != BUDGET_EXHAUSTED:
                break
        # Each run reads the small streams and the changes again. An activity that is read in a
        # later run than its campaign costs the detail of the campaign once more.
        details = len(self.account.campaigns)
        outcome.bound = in_one + outcome.runs * self._unchanged_bound + details
        self._report(outcome, tap)

    def _report(self, outcome: Outcome, tap: Tap) -> None:
        outcome.lost = tap.warehouse.lost(self.sandbox)
        self.outcomes.append(outcome)
        print(f"{outcome.name}: {outcome.total} requests, {outcome.seconds:.1f} s")
        for failure in outcome.failures:
            print(f"  {failure}")
        if outcome.status not in (0, BUDGET_EXHAUSTED):
            print(tap.log)

    def _change_campaigns(self, count: int) -> int:
        """Add events to some campaigns, and return how many sent activities those have.

        Old and new campaigns are among them; one in ten changes in each of its reports.
        """
        account = self.account
        with account.lock:
            sent = [id_ for id_, campaign in account.campaigns.items() if _was_sent(campaign)]
            reached = list(filter(account.reached_by, sent))
            changing = account.rng.sample(reached, min(count, len(reached)))
            for number, campaign_id in enumerate(changing):
                rare = ("forwards", "optouts", "bounces") if number % 10 == 0 else ()
                for kind in ("opens", "clicks", *rare):
                    account.add_events(campaign_id, kind)
            return sum(len(account.engagements(id_)) for id_ in changing)

    def _change_contacts(self) -> int:
        """Edit one contact in a hundred, and unsubscribe one in five hundred."""
        account = self.account
        with account.lock:
            living = [id_ for id_, row in account.contacts.items() if "deleted_at" not in row]
            with_email = [id_ for id_ in living if "email_address" in account.contacts[id_]]
            edited = account.rng.sample(living, len(living) // 100)
            leaving = account.rng.sample(with_email, len(with_email) // 500)
            for contact_id in edited:
                account.edit(contact_id, last_name="Renamed")
            for contact_id in leaving:
                account.unsubscribe(contact_id)
            return len({*edited, *leaving})


def main() -> int:
    """Run the scenarios, print their figures, and return an exit status."""
    print_lines_at_once()
    options = parser().parse_args()
    began = time.monotonic()
    size = {"contacts": options.contacts, "campaigns": options.campaigns}
    with Sandbox(**size, requests_per_second=0, daily_quota=0) as sandbox:
        print(
            f"An account of {options.campaigns:,} campaigns and {options.contacts:,} contacts, "
            f"generated in {time.monotonic() - began:.1f} s.\n"
        )
        scenarios = Scenarios(sandbox)
        scenarios.run(options.changed, options.max_requests)
    print()
    print_table(COLUMNS, [outcome.cells for outcome in scenarios.outcomes])
    print()
    print_requests(scenarios.outcomes)
    failed = [outcome.name for outcome in scenarios.outcomes if outcome.failures]
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nAll scenarios passed.")
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="python -m checks.request_budget", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=360)
    parser.add_argument("--contacts", type=int, default=5_000)
    parser.add_argument(
        "--changed", type=int, nargs=2, default=[20, 200], help="campaigns that change in c and d"
    )
    parser.add_argument(
        "--max-requests", type=int, default=1_000, help="maximum requests of a run in scenario f"
    )
    return parser


def print_requests(outcomes: list[Outcome]) -> None:
    """Print the requests of each scenario, a line for each endpoint."""
    endpoints = sorted({path for outcome in outcomes for path in outcome.requests})
    columns = ["requests to", *(outcome.name[0] for outcome in outcomes)]
    print_table(
        columns,
        [(path, *(outcome.requests[path] for outcome in outcomes)) for path in endpoints],
    )


def _endpoint(path: str) -> str:
    """Return a path without ids."""
    return _IDS.sub("*", path.removeprefix("/v3"))


def _was_sent(campaign: dict[str, Any]) -> bool:
    return bool(campaign["current_status"] == "Done")


if __name__ == "__main__":
    sys.exit(main())
