"""A signal ends the tap within a second with its status, and its state claims nothing false."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from typing import IO, Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import TapProcess
from support.waiting import wait_until

from sandbox import Fault, Sandbox

A_SECOND = 1.3  # one, and what a busy machine needs to take note


def wait_for(sandbox: Sandbox, path: str) -> None:
    wait_until(lambda: any(request.path == path for request in sandbox.requests))


def end(run: subprocess.Popen[str], signum: int) -> float:
    """Send a signal and return the seconds that the tap took to end."""
    began = time.monotonic()
    run.send_signal(signum)
    run.wait(timeout=20)
    return time.monotonic() - began


def messages(stdout: IO[str] | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout or []]


def test_buffered_records_do_not_wait_for_a_response(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=600)
    sandbox.fail("/contacts", Fault.DELAY, seconds=60, skip=1)
    run = tap_process.start(sandbox, "contacts")
    assert run.stdout
    given_up = threading.Timer(20, run.kill)
    given_up.start()
    records = 0
    while records < 500 and (line := run.stdout.readline()):
        records += '"RECORD"' in line
    given_up.cancel()
    run.kill()
    assert records == 500


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_tap_that_waits_for_a_response(
    tap_process: TapProcess, sandbox: Sandbox, signum: int
) -> None:
    sandbox.fail("/contacts", Fault.DELAY, seconds=10)
    run = tap_process.start(sandbox, "account", "contacts")
    wait_for(sandbox, "/v3/contacts")
    assert end(run, signum) < A_SECOND
    assert run.returncode == 128 + signum
    written = messages(run.stdout)
    assert written[-1]["type"] == "STATE"
    assert "replication_key_value" not in written[-1]["value"]["bookmarks"]["contacts"]
    log = run.stderr.read() if run.stderr else ""
    assert "Run ended after" in log
    assert "Traceback" not in log


def test_signal_ends_a_tap_that_waits_for_the_rate_limit(
    tap_process: TapProcess, sandbox: Sandbox
) -> None:
    run = tap_process.start(sandbox, "email_campaigns", settings={"requests_per_second": 1})
    wait_for(sandbox, "/v3/emails")
    assert end(run, signal.SIGTERM) < A_SECOND
    assert run.returncode == 143


def test_signal_ends_a_tap_with_a_full_pipe(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=2000)
    run = tap_process.start(sandbox, "contacts")
    wait_for(sandbox, "/v3/contacts")
    time.sleep(1)  # nobody reads: the pipe fills up
    assert end(run, signal.SIGTERM) < A_SECOND
    assert run.returncode == 143
    written = messages(run.stdout)
    assert 0 < len(written) < 2000
    states = [message["value"] for message in written if message["type"] == "STATE"]
    assert not any("replication_key_value" in s["bookmarks"]["contacts"] for s in states)


def test_sigkill_tears_no_line_for_a_slow_reader(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=2000)
    run = tap_process.start(sandbox, "contacts")
    wait_for(sandbox, "/v3/contacts")
    time.sleep(1)  # nobody reads: the pipe fills up
    end(run, signal.SIGKILL)
    assert 0 < len(messages(run.stdout)) < 2000


def test_signal_tears_no_line_for_a_slow_reader(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    """The reader is slow, so that the signal comes in the middle of a line."""
    sandbox = make_sandbox(contacts=2000)
    run = tap_process.start(sandbox, "contacts")
    assert run.stdout
    head = [run.stdout.readline() for _ in range(300)]
    run.send_signal(signal.SIGTERM)
    written = [*map(json.loads, head), *messages(run.stdout)]
    assert run.wait(timeout=20) == 143
    assert 0 < len([message for message in written if message["type"] == "RECORD"]) < 2000


def test_closed_pipe_ends_the_tap_quietly(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=2000)
    run = tap_process.start(sandbox, "contacts")
    assert run.stdout
    run.stdout.readline()
    run.stdout.close()
    log = run.stderr.read() if run.stderr else ""
    assert run.wait(timeout=20) == 141
    assert "Traceback" not in log
    assert "ERROR" not in log
