"""Ctrl-C while a command still imports what it needs."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest
from support.processes import Processes
from support.tap import PROJECT

from tap_constantcontact import entry_points

MODULES = {
    "tap": "tap_constantcontact",
    "login": "tap_constantcontact.login",
    "source": "tap_constantcontact.airbyte",
}
INTERRUPT_AT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("imported", ["singer_sdk", "tap_constantcontact.streams.xrefs"])
@pytest.mark.parametrize("command", MODULES)
def test_interrupt_during_import_is_quiet(
    tmp_path: Path, processes: Processes, command: str, imported: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT_AT.format(name=imported))
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    script = f"from tap_constantcontact.entry_points import {command}; {command}()"
    for arguments in (["-m", MODULES[command]], ["-c", script]):
        run = processes.start([sys.executable, *arguments, "--help"], env=env, cwd=PROJECT)
        assert run.communicate(timeout=60) == ("", "")
        assert run.returncode == (-signal.SIGINT if command == "source" else 130)


def test_ignored_interrupt_stays_ignored(processes: Processes) -> None:
    """A shell that isn't interactive starts jobs in the background so."""
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "from tap_constantcontact import entry_points; entry_points.tap()"
    )
    run = processes.start([sys.executable, "-c", script, "--version"], cwd=PROJECT)
    assert "tap-constantcontact" in run.communicate(timeout=60)[0]


def test_installed_commands_start_there() -> None:
    scripts = re.findall(
        r'^([\w-]+) = "tap_constantcontact\.entry_points:(\w+)"$',
        (PROJECT / "pyproject.toml").read_text("utf-8"),
        re.MULTILINE,
    )
    assert scripts == [
        ("tap-constantcontact", "tap"),
        ("tap-constantcontact-check", "check"),
        ("tap-constantcontact-login", "login"),
        ("source-constantcontact", "source"),
    ]
    assert all(callable(getattr(entry_points, name)) for _, name in scripts)
