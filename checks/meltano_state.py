"""`make meltano-state`: states that Meltano has merged lose no row, and cost requests only once.

Meltano merges the states of full refreshes, of `--merge-state` and of runs that end early into
earlier ones. After each such run the account changes, plain runs follow, and all rows are compared
with the account's. The last run must cost what a run without changes costs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from checks.support.comparison import compare
from checks.support.loaders.duckdb import DuckDB
from checks.support.loaders.files import Jsonl
from checks.support.loaders.target import Target
from checks.support.meltano import PROJECT, CheckFailed, Project, end_on_signals
from sandbox import Sandbox
from sandbox.server.expected import STREAMS

OUTPUT = PROJECT / "output" / "meltano-state"

#: Streams that cost no request in a run without changes.
REPORTS = (
    *("email_campaign_activity_stats", "email_campaign_send_history", "email_links"),
    *("email_opens", "email_clicks", "email_bounces", "email_optouts", "email_forwards"),
)

_FAST = {"requests_per_second": 1000}
_ENDED_EARLY = {"on_quota_exceeded": "stop"}
_REFRESH = "--full-refresh"
# A killed run counts as running for five minutes.
_FORCE = "--force"


class Job:
    """A Meltano job that syncs an account, which changes between its runs."""

    def __init__(self, folder: str, sandbox: Sandbox, make: Callable[[Any], Target]) -> None:
        """Start a project in a folder, and load the account for the first time.

        Args:
            folder: The name of the folder.
            sandbox: The server of the account.
            make: Makes the target in the folder.
        """
        self.project = Project(OUTPUT / folder, sandbox)
        self.target = make(self.project.folder)
        self.sandbox = sandbox
        self._hidden: set[str] = set()
        self.run()

    def run(self, *flags: str, **settings: Any) -> dict[str, int]:
        """Run the job; return its requests by stream."""
        settings = {**_FAST, **settings}
        run = self.project.sync(self.target.loader, self.target.settings, settings, _FORCE, *flags)
        return run.requests

    def change(self) -> None:
        """Change the account."""
        changed = self.sandbox.change()
        # No filter of the API returns these; the sweeps of contacts and of events do.
        for what in ("contacts_resubscribed", "contacts_off_lists", "registrations_changed"):
            self._hidden.update(changed[what])

    def settle(self, what: str) -> None:
        """Run twice after a change, and compare.

        Args:
            what: What has happened before.

        Raises:
            CheckFailed: If a row is missing, or the last run costs more than it must.
        """
        self.change()
        self.run()
        expected = self.sandbox.expected(set(self.project.selected))
        for name, rows in expected.items():
            missing, old = compare(self.target.rows(name), rows, STREAMS[name].key, self._hidden)
            if found := [*missing, *old]:
                message = f"{len(found)} rows of {name} are missing or old, such as {found[0]}"
                raise CheckFailed(f"{what}: {message}")
        requests = self.run()
        if again := {name: requests[name] for name in REPORTS if requests.get(name)}:
            raise CheckFailed(f"{what}: reports are read again although nothing changed: {again}")
        print(f"  {what}: no row is lost, and the second run reads no report", flush=True)


def main() -> int:
    """Run all jobs, and return an exit status."""
    end_on_signals()
    try:
        for check in (check_runs_that_are_merged, check_runs_at_the_same_time):
            with Sandbox(
                contacts=60,
                campaigns=10,
                seed=1,
                requests_per_second=0,
                segment_polls=0,
                long_lived_tokens=True,
            ) as sandbox:
                check(sandbox)
    except CheckFailed as failure:
        print(f"\nThe check failed: {failure}\nThe loaded data and the logs are in {OUTPUT}")
        return 1
    return 0


def check_runs_that_are_merged(sandbox: Sandbox) -> None:
    """Check full refreshes of all and of some streams, ended early and killed."""
    print("DuckDB: syncing a simulated account …", flush=True)
    job = Job("duckdb", sandbox, DuckDB)
    for budget in (12, 60):
        job.change()
        job.run(_REFRESH, max_requests=budget, **_ENDED_EARLY)
        job.settle(f"full refresh, ended after {budget} requests")
    for select in (["email_opens"], ["contacts", "email_clicks"]):
        job.change()
        job.run(_REFRESH, **_selection(select))
        job.settle(f"full refresh of {' and '.join(select)}")
    job.change()
    job.project.kill_tap(job.target.loader, job.target.settings, _FAST, 60, _FORCE, _REFRESH)
    job.settle("full refresh, killed at request 60")


def check_runs_at_the_same_time(sandbox: Sandbox) -> None:
    """Check two runs at the same time, whose states are merged."""
    print("JSON lines: syncing a simulated account …", flush=True)
    job = Job("jsonl", sandbox, Jsonl)
    for selects in (["email_opens"], ["email_clicks"]), (["contacts", "email_opens"], REPORTS[:3]):
        job.change()
        job.project.sync_both(
            job.target.loader,
            job.target.settings,
            {names[0]: {**_FAST, **_selection(names)} for names in selects},
            "--merge-state",
            _FORCE,
        )
        job.settle(f"{' and '.join(map(' and '.join, selects))}, in two runs at the same time")


def _selection(names: Iterable[str]) -> dict[str, Any]:
    return {"_select_filter": [*names]}


if __name__ == "__main__":
    sys.exit(main())
