"""Other dbt projects, which install the package."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from tests.analytics.databases import ROOT, Database

PACKAGES = f"packages: [{{local: {json.dumps(str(ROOT / 'analytics'))}}}]"


def make_project(folder: Path, files: Mapping[str, str]) -> Path:
    """Write a project that installs the package, and return its folder.

    Args:
        folder: An empty folder.
        files: The texts of the project's files by their paths.
    """
    for name, text in {"packages.yml": PACKAGES, **files}.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    return folder


def dbt(project: Path, database: Database, *arguments: str) -> str:
    """Run dbt in a project over a database, and return what it prints."""
    profile = {"acme": {"target": "dev", "outputs": {"dev": {**database.profile, "threads": 2}}}}
    (project / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
    return _run(project, "dbt", "--quiet", *arguments)


def query_metrics(project: Path, metrics: str, *arguments: str) -> list[dict[str, str]]:
    """Query metrics with MetricFlow's own command, after dbt has parsed the project.

    Args:
        project: The folder of the project.
        metrics: Names, separated by commas.
        arguments: Other arguments of `mf query`.
    """
    file = project / "metrics.csv"
    _run(project, "mf", "query", "--metrics", metrics, *arguments, "--csv", str(file))
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _run(project: Path, program: str, *arguments: str) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=project,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "TZ": "US/Eastern"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
