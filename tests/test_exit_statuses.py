"""The installed commands end with the exit statuses that their help lists."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from support.tap import TapCommand, TapProcess

from sandbox import Sandbox

DONE, FAILED, WRONG_USE, QUOTA_EXHAUSTED = 0, 1, 2, 75


class Case(NamedTuple):
    """A command line, its exit status, and what it says on stdout or stderr."""

    command: str
    status: int
    says: str


CASES = [
    Case("tap-constantcontact --config good --catalog account", DONE, "Run ended after"),
    Case("tap-constantcontact --config bad", FAILED, "Invalid start_date: 'soon'"),
    Case("tap-constantcontact --config nowhere", FAILED, "nowhere: No such file"),
    Case("tap-constantcontact --nonsense", WRONG_USE, "No such option"),
    Case("tap-constantcontact --config one --catalog account", QUOTA_EXHAUSTED, "max_requests"),
    Case("source-constantcontact check --config good", DONE, "SUCCEEDED"),
    Case("source-constantcontact check --config bad", DONE, "Invalid start_date: 'soon'"),
    Case("source-constantcontact discover --config nowhere", FAILED, "No such file"),
    Case("source-constantcontact", WRONG_USE, "required: command"),
    Case(
        "source-constantcontact read --config one --catalog configured",
        QUOTA_EXHAUSTED,
        "max_requests",
    ),
    Case("tap-constantcontact-login --status --config good", DONE, "Scopes"),
    Case("tap-constantcontact-login --status --config bad", FAILED, "Invalid start_date: 'soon'"),
    Case("tap-constantcontact-login --timeout soon", WRONG_USE, "invalid seconds value"),
    Case("tap-constantcontact-check --config good", DONE, "Confirmed"),
    Case("tap-constantcontact-check --config bad", FAILED, "Invalid start_date: 'soon'"),
    Case(
        "tap-constantcontact-check --max-requests 0", WRONG_USE, "must be an integer from 3 to 60"
    ),
]


def write_files(tap: TapCommand, sandbox: Sandbox) -> None:
    """Write the files that the command lines name."""
    streams = ["account", "contacts", "contact_tags"]
    chosen = [
        {"stream": {"name": name, "json_schema": {}}, "sync_mode": "full_refresh"}
        for name in streams
    ]
    files = {
        "good": tap.settings(sandbox),
        "bad": tap.settings(sandbox, start_date="soon"),
        "one": tap.settings(sandbox, max_requests=1),
        "account": tap.catalog(streams),
        "configured": {"streams": chosen},
    }
    for name, content in files.items():
        (tap.folder / name).write_text(json.dumps(content))


def test_exit_statuses_of_commands(tap_process: TapProcess, sandbox: Sandbox) -> None:
    write_files(tap_process, sandbox)
    programs = Path(sys.executable).parent

    def ended(case: Case) -> tuple[int, str]:
        done = subprocess.run(
            f"{programs}/{case.command}".split(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tap_process.folder,
        )
        return done.returncode, done.stdout + done.stderr

    with ThreadPoolExecutor(2) as threads:
        wrong = [
            (case, status, said)
            for case, (status, said) in zip(CASES, threads.map(ended, CASES), strict=True)
            if status != case.status or case.says not in said or "Traceback" in said
        ]
    assert wrong == []


def test_process_and_in_process_run_write_the_same(
    tap: TapCommand, tap_process: TapProcess, sandbox: Sandbox
) -> None:
    runs = [command.sync(sandbox, "account", "contacts") for command in (tap, tap_process)]
    assert runs[0].status == runs[1].status == DONE
    assert runs[0].records == runs[1].records
    types = [[message["type"] for message in run.messages] for run in runs]
    assert types[0] == types[1]
    # The SDK warns of an old version of Python; pyproject.toml hides that from the tests' process.
    varies = r".*SingerSDKPythonEOLWarning.*\n.*\n\n|\d[\d.,:e-]*|METRIC.*"
    logs = [re.sub(varies, "", run.log).splitlines() for run in runs]
    assert logs[0] == logs[1]
