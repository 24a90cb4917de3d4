"""The installed commands in an environment whose packages do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent
COMMANDS = ["tap-constantcontact", "source-constantcontact", "tap-constantcontact-login"]


def install_old(folder: Path, name: str, version: str) -> None:
    """Put an old release of a package before the one that is installed."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("from . import validators\n")
    (folder / name / "validators.py").write_text("")
    (folder / name / "exceptions.py").write_text("class ValidationError(Exception): ...\n")
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def run(command: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / command, *arguments],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.e2e
@pytest.mark.parametrize("command", COMMANDS)
def test_package_that_another_one_replaced_is_named(tmp_path: Path, command: str) -> None:
    # `pip install target-jsonl` into the environment of the tap does this.
    install_old(tmp_path, "jsonschema", "2.6.0")
    done = run(command, tmp_path, "--version")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Can't start: jsonschema 2.6.0 is installed, but tap-constantcontact requires "
        "jsonschema>=4.23. Another package, such as a target, has replaced it: install each into "
        "a virtual environment of its own\n"
    )


@pytest.mark.e2e
def test_other_failure_to_start_is_shown_in_full(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise ImportError('broken')\n")
    done = run("tap-constantcontact", tmp_path, "--version")
    assert done.returncode == 1
    assert done.stderr.endswith("ImportError: broken\n")
