"""The pipes of the README and of the page on the command line, as a shell runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from shutil import which

import pytest
from support.tap import STREAMS, TapCommand

from sandbox import Sandbox

TARGET = os.environ.get("TARGET_JSONL")

ROOT = Path(__file__).parent.parent


def commands_of(page: str) -> list[str]:
    """The commands of a page that run the tap, or make a file for it."""
    lines = (ROOT / page).read_text("utf-8").splitlines()
    return [line[2:] for line in lines if line.startswith(("$ tap-", "$ tail", "$ echo"))]


COMMANDS = commands_of("docs/reference/command-line.md")

Rows = dict[str, list[str]]


class Shell:
    """Runs commands in a folder where config.json has the settings for a sandbox."""

    def __init__(self, tap: TapCommand, sandbox: Sandbox) -> None:
        self.folder = tap.folder
        (tap.folder / "config.json").write_text(json.dumps(tap.settings(sandbox)))
        programs = [
            Path(sys.executable).parent,
            *([Path(TARGET).parent.absolute()] if TARGET else []),
        ]
        self._path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])

    def run(self, command: str) -> str:
        """Return what a command prints; its programs must succeed, except a tap before a head."""
        done = subprocess.run(
            ["bash", *(() if "| head" in command else ("-o", "pipefail")), "-c", command],
            cwd=self.folder,
            env={**os.environ, "PATH": self._path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not re.search("Traceback|ERROR|CRITICAL", done.stderr), done.stderr
        return done.stdout

    @property
    def files(self) -> Rows:
        """The lines of the files that a target has written, by stream."""
        rows: Rows = {}
        for path in sorted(self.folder.glob("*-*.jsonl")):
            rows.setdefault(path.name.split("-")[0], []).extend(path.read_text().splitlines())
        return rows


@pytest.fixture
def shell(tap: TapCommand, sandbox: Sandbox) -> Shell:
    return Shell(tap, sandbox)


@pytest.mark.skipif(TARGET is None, reason="TARGET_JSONL does not name a target: use make test")
@pytest.mark.e2e
def test_docs_pipe_into_target_jsonl_loads_rows_and_changes(shell: Shell, sandbox: Sandbox) -> None:
    first, tail, second, *_ = COMMANDS
    shell.run(first)
    expected = sandbox.expected()
    assert {name: len(lines) for name, lines in shell.files.items()} == {
        name: len(expected[name])
        for name, stream in STREAMS.items()
        if stream.selected_by_default and expected[name]
    }
    shell.run(tail)
    state = json.loads((shell.folder / "state.json").read_text())
    assert state["bookmarks"]["contacts"]["replication_key_value"]

    before = shell.files["contacts"]
    changed = sandbox.change()
    shell.run(second)
    came = {json.loads(line)["contact_id"] for line in shell.files["contacts"][len(before) :]}
    assert {*changed["contacts_added"], *changed["contacts_edited"]} <= came
    assert len(came) < len(before)


@pytest.mark.skipif(TARGET is None, reason="TARGET_JSONL does not name a target: use make test")
@pytest.mark.e2e
def test_readme_pipe_takes_the_login_from_dotenv(shell: Shell, sandbox: Sandbox) -> None:
    config = shell.folder / "config.json"
    settings = json.loads(config.read_text())
    config.unlink()
    lines = [f"TAP_CONSTANTCONTACT_{name.upper()}={value}" for name, value in settings.items()]
    (shell.folder / ".env").write_text("\n".join(lines))
    (pipe,) = (command for command in commands_of("README.md") if "|" in command)
    shell.run(pipe)
    assert len(shell.files["contacts"]) == len(sandbox.expected()["contacts"])


@pytest.mark.skipif(TARGET is None, reason="TARGET_JSONL does not name a target: use make test")
@pytest.mark.skipif(which("flock") is None, reason="there is no flock")
@pytest.mark.e2e
def test_docs_script_for_cron_resumes_and_runs_once_at_a_time(
    shell: Shell, sandbox: Sandbox
) -> None:
    page = (ROOT / "docs/guides/pipe-and-cron.md").read_text("utf-8")
    (script,) = re.findall(r'^```bash title="sync.sh"\n(.*?)^```', page, re.DOTALL | re.MULTILINE)
    (shell.folder / "sync.sh").write_text(script)
    shell.run("bash sync.sh")
    first = len(shell.files["contacts"])
    assert first == len(sandbox.expected()["contacts"])
    shell.run("bash sync.sh")
    assert len(shell.files["contacts"]) == first

    requests = len(sandbox.requests)
    shell.run("flock sync.lock bash sync.sh")
    assert len(sandbox.requests) == requests


@pytest.mark.e2e
def test_docs_look_at_records_takes_a_few_requests(shell: Shell, sandbox: Sandbox) -> None:
    make, look = (command for command in COMMANDS if "few.json" in command)
    shell.run(make)
    lines = [json.loads(line) for line in shell.run(look).splitlines()]
    records = Counter(line["stream"] for line in lines if line["type"] == "RECORD")
    assert set(records) == {"contacts", "segments"}
    assert max(records.values()) <= 5
    assert len(sandbox.requests) < 12
