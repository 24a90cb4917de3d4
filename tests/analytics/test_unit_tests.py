"""dbt's unit tests, over databases with empty tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.analytics.databases import ROOT, Database, contact

MODELS = ROOT / "analytics" / "models"
# The models that the tests are of have to exist, with their types.
KINDS = ("model", "seed", "snapshot", "unit_test")


def test_arithmetic_of_the_models(database: Database, tmp_path: Path) -> None:
    database.load("contacts", contact("c"))
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--quiet", "build", "--profiles-dir", "."]
        + [f"--resource-type={kind}" for kind in KINDS]
        + ["--target-path", str(tmp_path), "--log-path", str(tmp_path)],
        cwd=ROOT / "analytics",
        env={**os.environ, **database.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    results = json.loads((tmp_path / "run_results.json").read_text("utf-8"))["results"]
    passed = [result for result in results if result["status"] == "pass"]
    declared = yaml.safe_load(
        (MODELS / "marts" / "_constantcontact__unit_tests.yml").read_text("utf-8")
    )
    assert len(passed) == len(declared["unit_tests"])
