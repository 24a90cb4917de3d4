"""The first half of `make screenshots`: load a simulated account with Meltano, and report on it."""

from __future__ import annotations

import sys

from checks.support.analytics import AB_TESTS, AnalyticsModels, check_size
from checks.support.loaders.duckdb import DuckDB
from checks.support.meltano import PROJECT, CheckFailed, Project, end_on_signals
from sandbox import Sandbox

FOLDER = PROJECT / "build" / "screenshots"


def main() -> int:
    """Write the report and return the exit status."""
    end_on_signals()
    # That of `make demo`; here the sandbox and the tap don't wait for each other.
    with Sandbox(profile="cafe", contacts=800, seed=1, requests_per_second=0) as sandbox:
        project = Project(FOLDER, sandbox, AB_TESTS)
        target = DuckDB(FOLDER)
        try:
            project.sync(target.loader, target.settings, {"requests_per_second": 1000})
            report = FOLDER / "report.html"
            AnalyticsModels(target, FOLDER).build("--report", str(report))
            check_size(report)
        except CheckFailed as failure:
            print(failure)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
