"""`make demo`: sync a simulated account into DuckDB with Meltano, twice, and check every row.

The dbt models are built on the result, and a report is written.
"""

from __future__ import annotations

import sys
from typing import Any

from checks.support.analytics import AB_TESTS, AnalyticsModels, check_size
from checks.support.loaders.duckdb import DuckDB
from checks.support.meltano import PROJECT, CheckFailed, Project, Run, end_on_signals
from checks.support.table import print_lines_at_once, print_table
from checks.targets import check
from sandbox import Sandbox

# The history of a year and a half is read at a raised limit, all that follows at the API's.
LIMIT, RAISED_LIMIT = 4, 40
# Some arrive closer together than they were sent; without a pace, most would be too many.
MOST_REJECTED = 0.1

OUTPUT = PROJECT / "output" / "demo"
REPORT = OUTPUT / "report.html"

# Of the models, as in the report: `percents` of the API counts clicks by opens.
_CAMPAIGNS = """
    select name, delivered, cast(round(100 * open_rate) as int) || '%' as opened,
           cast(round(100 * click_rate) as int) || '%' as clicked
    from analytics.constantcontact__campaigns
    where open_rate is not null and name is not null and not is_removed
    order by last_sent_at desc nulls last, name
    limit 5
"""

_WHAT_NEXT = """
What next:
  the simulated account, by hand    make sandbox
  an account of yours               docs/get-started/sign-in.md
  what the models have              docs/guides/analytics.md"""


def main() -> int:
    """Run the demo and return its exit status."""
    print_lines_at_once()
    end_on_signals()
    with Sandbox(profile="cafe", contacts=800, seed=1, requests_per_second=RAISED_LIMIT) as sandbox:
        project = Project(OUTPUT, sandbox, AB_TESTS)
        try:
            demonstrate(project, sandbox)
        except CheckFailed as failure:
            log = project.log.relative_to(PROJECT)
            print(f"\nThe demo failed: {failure}\nThe full log is in {log}")
            return 1
    return 0


def demonstrate(project: Project, sandbox: Sandbox) -> None:
    """Sync the account, change it, sync it again, and report.

    Raises:
        CheckFailed: If a run fails or a row is missing.
    """
    target = DuckDB(OUTPUT)
    models = AnalyticsModels(target, OUTPUT)
    account = sandbox.account
    print(
        f"A simulated café with {len(account.contacts)} contacts and {len(account.campaigns)} "
        "campaigns is served on this machine.\n"
        f"It allows {LIMIT} requests a second, as the API does. For the first run it allows "
        f"{RAISED_LIMIT}:\nthat run reads the history of eighteen months."
    )
    print("First run: meltano run tap-constantcontact target-duckdb (installs both first) …")
    first = project.sync(target.loader, target.settings, {"requests_per_second": RAISED_LIMIT})
    check_pace(sandbox, 0)
    check(target, first, sandbox, project.selected)
    print(f"done in {first.seconds:.0f} s. Building the models of analytics/ on the tables …")
    models.build("--no-report")
    models.check(sandbox)
    print("done. The account changes:")
    changed = sandbox.change()
    for what, ids in changed.items():
        print(f"  {what.replace('_', ' ')}: {len(ids)}")
    # No filter of the API returns these; the sweeps of contacts and of events do.
    contacts = {*changed["contacts_resubscribed"], *changed["contacts_off_lists"]}
    canceled = {*changed["registrations_changed"]}
    events = {event for event, own in account.registrations.items() if canceled & own.keys()}
    hidden = contacts | canceled | events
    print("Second run: the changes that the API exposes, and the small tables …")
    sandbox.limit_requests(LIMIT)
    before = len(sandbox.requests)
    second = project.sync(target.loader, target.settings)
    check_pace(sandbox, before)
    check(target, second, sandbox, project.selected, hidden)
    print(f"done in {second.seconds:.0f} s.\n")
    print_runs(first, second)
    print(
        "\nThe database holds every row that the tap sent, and every row of the account with its "
        f"values.\n{len(contacts)} contacts and {len(canceled)} registration for a past event have "
        "changes that no filter exposes:\nthe next daily and weekly sweeps load them."
    )
    print("\nBuilding the models again, now with a report …")
    models.build("--report", str(REPORT))
    check_size(REPORT)
    compared = models.check(sandbox, hidden)
    print(f"done: {compared} figures of the models are those of the account.")
    print("\nThe last campaigns, as in the report:")
    print_table(*target.query(_CAMPAIGNS))
    print(f"\nThe database is {target.file.relative_to(PROJECT)}.")
    print(f"The report is {REPORT.relative_to(PROJECT)}: open it in a browser.")
    print(_WHAT_NEXT)


def check_pace(sandbox: Sandbox, before: int) -> None:
    """Check that a run kept to the limit of requests per second.

    Args:
        sandbox: The server of the account, which rejects what is above its limit.
        before: How many requests it had before the run.

    Raises:
        CheckFailed: If it rejected more than a few requests.
    """
    statuses = [request.status for request in sandbox.requests[before:]]
    if (rejected := statuses.count(429)) > MOST_REJECTED * len(statuses):
        raise CheckFailed(f"{rejected} of {len(statuses)} requests were above the limit")


def print_runs(first: Run, second: Run) -> None:
    """Print the rows and requests of both runs, a line for each stream."""
    rows: list[tuple[Any, ...]] = [
        (name, *(of.get(name, 0) for run in (first, second) for of in (run.rows, run.requests)))
        for name in first.rows
    ]
    totals = ("total", *(sum(row[column] for row in rows) for column in range(1, 5)))
    columns = ["stream", "rows, 1st run", "requests", "rows, 2nd run", "requests"]
    print_table(columns, [*rows, totals])


if __name__ == "__main__":
    sys.exit(main())
