"""`make analytics`: build the models on the loaded tables, test them, and write the report."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from analytics.report import write
from analytics.warehouse import PROJECT, Unusable, Warehouse

OUTPUT = PROJECT.parent / "output"


def main() -> int:
    """Build the models and write the report, and return an exit status."""
    parser = argparse.ArgumentParser(
        prog="make analytics",
        description=__doc__,
        epilog="Other options, such as --select and --full-refresh, are those of dbt build.",
    )
    parser.add_argument(
        "--report", type=Path, default=OUTPUT / "report.html", help="file of the report"
    )
    parser.add_argument(
        "--account", metavar="NAME", help="account of the report, if the tables have several"
    )
    parser.add_argument("--no-report", action="store_true", help="build the models only")
    parser.add_argument("--strict", action="store_true", help="treat warnings of tests as errors")
    parser.add_argument("--logs", type=Path, default=OUTPUT / "dbt", help="folder for dbt's files")
    parser.add_argument(
        "--allow-shrinking",
        action="store_true",
        help="let many contacts leave lists and tags at once, as in docs/guides/analytics.md",
    )
    options, of_dbt = parser.parse_known_args()
    if options.allow_shrinking:
        of_dbt += ["--vars", json.dumps({"constantcontact_allow_shrinking": True})]
    if file := os.environ.get("TARGET_DUCKDB_FILEPATH"):
        # dbt runs in another folder.
        os.environ["TARGET_DUCKDB_FILEPATH"] = str(Path(file).resolve())
    try:
        warehouse = Warehouse()
        warehouse.reach()
        if not build(options.logs.resolve(), *of_dbt, strict=options.strict):
            return 1
        if not options.no_report:
            warehouse.choose(options.account)
            write(warehouse, options.report.resolve())
            print(f"The report is {options.report}.")
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def build(logs: Path, *of_dbt: str, strict: bool) -> bool:
    """Build the models and test them, and return whether that succeeded.

    Args:
        logs: Folder for dbt's files.
        of_dbt: Options of `dbt build`.
        strict: Whether warnings of tests count as failures.
    """
    dbt = str(Path(sys.executable).with_name("dbt"))
    folders = ["--profiles-dir", str(PROJECT), "--target-path", str(logs), "--log-path", str(logs)]
    # The code of the models has been tested, whatever the tables have.
    no_unit_tests = ["--exclude-resource-type", "unit_test"]
    # In another process: dbt keeps the database open, and profiles.yml has paths relative to cwd.
    status = subprocess.run(
        [dbt, "build", "--quiet", *no_unit_tests, *folders, *of_dbt],
        cwd=PROJECT,
        check=False,
    ).returncode
    if status:
        return False
    results = json.loads((logs / "run_results.json").read_text(encoding="utf-8"))["results"]
    warnings = [result["unique_id"] for result in results if result["status"] == "warn"]
    print(f"{len(results)} models and tests were built, {len(warnings)} of them with warnings.")
    return not (strict and warnings)


if __name__ == "__main__":
    sys.exit(main())
