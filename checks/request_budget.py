"""`make requests`: count the requests of syncs, and the rows they lose, for accounts of any size.

The accounts are generated in memory, and the tap runs as a command against them, as fast as it can.
Its rows are collected over all runs, the latest of each key, and compared with the account's. A
scenario fails if a row is lost, or if it takes more requests than its goal.
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
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from checks.support.table import print_lines_at_once, print_table
from checks.support.warehouse import Warehouse
from sandbox import Sandbox

TAP = [sys.executable, "-m", "tap_constantcontact"]
BUDGET_EXHAUSTED = 75  # the exit status of a run that has reached `max_requests`

#: What each scenario may take with the default account, by its letter.
GOALS = {"a": 18_700, "b": 34, "c": 104, "d": 58, "e": 722}
#: The contacts that emails are offered to, by account: few, and about as many as in real accounts.
AUDIENCES = [0, 2_500]
CAMPAIGNS = CONTACTS = 3_000

# Requests of small streams if nothing has changed: the account, lists, tags, custom fields,
# segments, changed contacts and campaigns, SMS campaigns, and events that are not over.
SMALL_STREAMS = 20
# Reports that change with opens and clicks: opens, clicks and links.
REPORTS = 3
RARE = ("forwards", "optouts", "bounces")

_IDS = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(,[0-9a-f-]{36})*|(?<=/)\d+(?=/|$)|(?<=/tracks/)[^/]+"
)


@dataclass
class Outcome:
    """The result of a scenario: of one run, or of several until it was complete."""

    name: str
    goal: int | None = None
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
        over = self.goal is not None and self.total > self.goal
        return [
            *ended,
            *lost,
            *([f"{self.total} requests exceed the goal of {self.goal}"] * over),
        ]

    @property
    def cells(self) -> tuple[Any, ...]:
        """The cells of its line in the table."""
        goal = "" if self.goal is None else self.goal
        numbers = (self.records, self.states, self.state_bytes, self.lost.total())
        return (self.name, self.runs, self.total, goal, f"{self.seconds:.1f}", *numbers)


COLUMNS = [
    *("scenario", "runs", "requests", "goal", "seconds"),
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
        # As people have them: the first refresh token stays there, the store has the present one.
        self._settings = {
            **sandbox.settings,
            "requests_per_second": 1000,
            "daily_quota": 10**9,
            "token_store": str(folder / "tokens.json"),
        }

    def run(self, outcome: Outcome, **settings: Any) -> None:
        """Run the tap once, and add its figures to an outcome."""
        earlier, began = len(self.sandbox.requests), time.monotonic()
        files = {"config": {**self._settings, **settings}, "state": self.state or {}}
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


class Scenarios:
    """The scenarios, one after the other, with one account."""

    def __init__(self, sandbox: Sandbox, goals: Mapping[str, int]) -> None:
        """Start without outcomes.

        Args:
            sandbox: The server of the account.
            goals: The goals of scenarios, by their letters; others have what their changes explain.
        """
        self.sandbox = sandbox
        self.account = sandbox.account
        self.goals = goals
        self.outcomes: list[Outcome] = []

    def run(self, changed: list[int], max_requests: int) -> None:
        """Run all scenarios.

        Args:
            changed: How many campaigns change before scenarios c and e.
            max_requests: The maximum requests of a run, when a first sync takes several.
        """
        few, many = changed
        with self._tap() as tap:
            first = self._scenario(tap, "a first sync")
            self._scenario(tap, "b no change", self._idle)
            more = self._change_campaigns(few, "opens", "clicks")
            self._scenario(tap, f"c {few} campaigns changed", self._idle + more)
            more = self._change_campaigns(few, "opens")
            self._scenario(tap, f"d {few} campaigns opened", self._idle + more)
            more = self._change_campaigns(many, "opens", "clicks")
            self._scenario(tap, f"e {many} campaigns changed", self._idle + more)
            contacts = self._change_contacts()
            more = 2 * ceil(contacts / 500)
            self._scenario(tap, f"f {contacts} contacts changed", self._idle + more)
        # Another first sync, without state.
        with self._tap() as tap:
            self._in_several_runs(tap, max_requests, first.total)

    @contextmanager
    def _tap(self) -> Iterator[Tap]:
        with tempfile.TemporaryDirectory() as folder:
            yield Tap(self.sandbox, Path(folder))

    @property
    def _idle(self) -> int:
        """The goal of a run if nothing has changed."""
        campaigns = len(self.account.campaigns)
        return ceil(campaigns / 500) + ceil(campaigns / 150) + SMALL_STREAMS

    def _scenario(self, tap: Tap, name: str, goal: int | None = None) -> Outcome:
        outcome = Outcome(name, self.goals.get(name[0], goal))
        tap.run(outcome)
        self._report(outcome, tap)
        return outcome

    def _in_several_runs(self, tap: Tap, max_requests: int, in_one: int) -> None:
        """Make a first sync in runs of few requests, in at most about twice the expected runs."""
        outcome = Outcome(f"g first sync by {max_requests}")
        for _ in range(2 * ceil(in_one / max_requests) + 5):
            tap.run(outcome, max_requests=max_requests)
            if outcome.status != BUDGET_EXHAUSTED:
                break
        # Each run reads the small streams and the changes again. An activity that is read in a
        # later run than its campaign costs the detail of the campaign once more.
        details = len(self.account.campaigns)
        outcome.goal = in_one + outcome.runs * self._idle + details
        self._report(outcome, tap)

    def _report(self, outcome: Outcome, tap: Tap) -> None:
        outcome.lost = tap.warehouse.lost(self.sandbox)
        self.outcomes.append(outcome)
        print(f"{outcome.name}: {outcome.total} requests, {outcome.seconds:.1f} s")
        for failure in outcome.failures:
            print(f"  {failure}")
        if outcome.status not in (0, BUDGET_EXHAUSTED):
            print(tap.log)

    def _change_campaigns(self, count: int, *kinds: str) -> int:
        """Add events to some campaigns, and return how many requests more that explains.

        Old and new campaigns are among them; one in ten that are clicked changes in each report.
        """
        account = self.account
        with account.lock:
            sent = [id_ for id_, campaign in account.campaigns.items() if _was_sent(campaign)]
            reached = list(filter(account.reached_by, sent))
            changing = account.rng.sample(reached, min(count, len(reached)))
            rare = RARE if "clicks" in kinds else ()
            for number, campaign_id in enumerate(changing):
                for kind in (*kinds, *(rare if number % 10 == 0 else ())):
                    account.add_events(campaign_id, kind)
            activities = sum(len(account.engagements(id_)) for id_ in changing)
        reports = REPORTS if "clicks" in kinds else 1
        # The counters of activities come ten at a time: to compare them, and as rows.
        counters = 2 * ceil(activities / 10)
        return len(changing) * reports + ceil(len(changing) / 10) * len(rare) + counters

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
    failed = [
        f"{outcome.name} (account {number})"
        for number, audience in enumerate(options.audiences, start=1)
        for outcome in outcomes_of(number, audience, options)
        if outcome.failures
    ]
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nAll scenarios passed.")
    return 1 if failed else 0


def outcomes_of(number: int, audience: int, options: argparse.Namespace) -> list[Outcome]:
    """Run the scenarios with one account, and print their figures."""
    began = time.monotonic()
    size = {"contacts": options.contacts, "campaigns": options.campaigns, "audience": audience}
    is_default = size == {"contacts": CONTACTS, "campaigns": CAMPAIGNS, "audience": 0}
    with Sandbox(**size, requests_per_second=0, daily_quota=0) as sandbox:
        sends = [len(part.sends) for part in sandbox.account.engagement.values()]
        print(
            f"\nAccount {number}: {options.campaigns:,} campaigns and {options.contacts:,} "
            f"contacts, {sum(sends) / max(1, len(sends)):,.0f} recipients of an email on average, "
            f"generated in {time.monotonic() - began:.1f} s.\n",
            flush=True,
        )
        scenarios = Scenarios(sandbox, GOALS if is_default else {})
        scenarios.run(options.changed, options.max_requests)
    print()
    print_table(COLUMNS, [outcome.cells for outcome in scenarios.outcomes])
    print()
    print_requests(scenarios.outcomes)
    return scenarios.outcomes


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="python -m checks.request_budget", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=CAMPAIGNS)
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument(
        "--audiences",
        type=int,
        nargs="+",
        default=AUDIENCES,
        help="one account for each: how many contacts its emails are offered to; 0 = few",
    )
    parser.add_argument(
        "--changed", type=int, nargs=2, default=[20, 200], help="campaigns that change in c and e"
    )
    parser.add_argument(
        "--max-requests", type=int, default=10_000, help="maximum requests of a run in scenario g"
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
