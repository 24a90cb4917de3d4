"""A command whose stdout takes nothing ends in words on stderr, however its output is buffered."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.processes import Processes
from support.tap import TapProcess

from sandbox import Sandbox

TAP = [sys.executable, "-m", "tap_constantcontact"]
SOURCE = [sys.executable, "-m", "tap_constantcontact.airbyte"]
CHECK = [sys.executable, "-m", "tap_constantcontact.check"]
LOGIN = [sys.executable, "-m", "tap_constantcontact.login"]
NO_SPACE = "A file: No space left on device. Check its path and its permissions"


def commands(tap: TapProcess, sandbox: Sandbox) -> list[list[str]]:
    """Return a command for each way in which a program writes its result."""
    settings = tap.settings(sandbox)
    config = tap.folder / "check.json"
    config.write_text(json.dumps(settings))
    return [
        [*TAP, "--version"],
        [*TAP, "--help"],
        [*TAP, "--about"],
        [*TAP, "--discover"],
        tap.command(settings, select=["account"]),
        [*SOURCE, "--version"],
        [*SOURCE, "--help"],
        [*SOURCE, "spec"],
        [*SOURCE, "check", "--config", str(config)],
        [*LOGIN, "--help"],
        [*LOGIN, "--status", "--config", str(config)],
        [*CHECK, "--help"],
        [*CHECK, "--config", str(config)],
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_full_disk_ends_every_command_in_words(tap_process: TapProcess, sandbox: Sandbox) -> None:
    def run(command: list[str]) -> tuple[int, str]:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
            )
        return done.returncode, done.stderr

    with ThreadPoolExecutor(2) as threads:
        ended = zip(
            commands(tap_process, sandbox),
            threads.map(run, commands(tap_process, sandbox)),
            strict=True,
        )
        wrong = {
            " ".join(command[2:]): (status, said)
            for command, (status, said) in ended
            if status != 1
            or not said.endswith(f"{NO_SPACE} [docs: troubleshooting#file-access]\n")
            or "Exception ignored" in said
        }
    assert wrong == {}


def test_closed_pipe_ends_commands_quietly_with_the_status_of_sigpipe(
    processes: Processes, tap_process: TapProcess, sandbox: Sandbox
) -> None:
    config = tap_process.folder / "check.json"
    config.write_text(json.dumps(tap_process.settings(sandbox)))
    ended = []
    check = [*CHECK, "--config", str(config)]
    # argparse and click end on their own if nothing is buffered.
    for command, unbuffered in (
        ([*TAP, "--about"], ""),
        ([*LOGIN, "--help"], ""),
        (check, ""),
        (check, "1"),
    ):
        run = processes.start(command, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
        assert run.stdout
        run.stdout.close()
        _, said = run.communicate(timeout=60)
        ended.append((run.returncode, said))
    assert ended == 4 * [(141, "")]


def test_closed_stdout_is_named(tap_process: TapProcess, sandbox: Sandbox) -> None:
    command = shlex.join(tap_process.command(tap_process.settings(sandbox), select=["account"]))
    done = subprocess.run(
        ["sh", "-c", f"{command} >&-"], stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "stdout: it is closed. Check its path and its permissions "
        "[docs: troubleshooting#file-access]\n"
    )
