"""A signal ends the tap within a second, with its exit status, and nothing false is claimed."""

from __future__ import annotations

import io
import json
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any
from unittest.mock import Mock

import pytest
from singer_sdk.singerlib import RecordMessage, StateMessage
from support.sandboxes import MakeSandbox
from support.tap import TapCommand, TapProcess
from support.waiting import wait_until

from sandbox import Fault, Sandbox
from tap_constantcontact.airbyte.messages import AirbyteWriter, StreamStatus
from tap_constantcontact.airbyte.states import StreamStates
from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.output.messages import MessageWriter
from tap_constantcontact.output.states import StateThrottle
from tap_constantcontact.tap import TapConstantContact

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


def test_state_is_written_every_five_seconds_and_at_the_end_of_a_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds = 100.0
    writer = StateThrottle(MessageWriter(), clock=lambda: seconds)
    written = []
    for number in range(21):  # a record each second
        seconds = 100.0 + number
        writer.write_state({"bookmarks": {"contacts": {"number": number}}})
        written += [number] * len(capsys.readouterr().out.splitlines())
    assert written == [0, 5, 10, 15, 20]
    writer.write_now({"bookmarks": {"contacts": {"number": 21}}})
    assert '"number":21' in capsys.readouterr().out
    writer.write_now({"bookmarks": {"contacts": {"number": 21}}})
    assert not capsys.readouterr().out  # nothing new


class Pipe(io.RawIOBase):
    """A stdout that tells the writes apart."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.writes.append(bytes(data))
        return len(data)


def record(number: int, size: int) -> RecordMessage:
    return RecordMessage("contacts", {"contact_id": str(number), "first_name": "x" * size})


def test_records_are_buffered_up_to_the_atomic_size_of_a_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipe = Pipe()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(pipe)))
    writer = MessageWriter()
    for number in range(100):
        writer.write_message(record(number, size=select.PIPE_BUF // 4))
    writer.write_message(record(100, size=10 * select.PIPE_BUF))
    writer.write_message(record(101, size=0))
    writer.write_message(StateMessage({}))
    assert all(lines.endswith(b"\n") for lines in pipe.writes)
    state, small, large, *others = reversed(pipe.writes)
    assert all(len(lines) <= select.PIPE_BUF for lines in others)
    assert 25 < len(others) < 51
    lines = b"".join([*reversed(others), large, small]).splitlines()
    assert [int(json.loads(line)["record"]["contact_id"]) for line in lines] == list(range(102))
    assert b"STATE" in state


class Interrupted(io.BytesIO):
    """A stdout: a signal comes just before something is written to it."""

    def __init__(self, writer: MessageWriter) -> None:
        super().__init__()
        self.buffer = self
        self.writer = writer

    def write(self, data: Any) -> int:
        self.writer.end(143)
        return super().write(data)


@pytest.mark.parametrize(
    "write",
    [
        AirbyteWriter.flush,
        lambda writer: writer.write_message(StateMessage({})),
        lambda writer: writer.send_status("contacts", StreamStatus.RUNNING),
        lambda writer: writer.finish_streams({}, complete=["contacts"]),
    ],
    ids=["flush", "state", "log", "last state"],
)
def test_signal_loses_no_buffered_record(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[AirbyteWriter], None]
) -> None:
    writer = AirbyteWriter()
    monkeypatch.setattr("sys.stdout", stdout := Interrupted(writer))
    writer.start_streams(["contacts"], StreamStates([]))
    with suppress(RunEnded):
        writer.write_message(record(1, size=0))
    with suppress(RunEnded):
        write(writer)
    assert [line for line in stdout.getvalue().splitlines() if b'"contact_id":"1"' in line]


def test_buffered_records_are_written_after_a_single_stream(
    tap: TapCommand, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = TapConstantContact(config=tap.settings(sandbox)).streams["contact_tags"]
    stream.sync()
    records = [line for line in capsys.readouterr().out.splitlines() if '"RECORD"' in line]
    assert len(records) == len(sandbox.expected(["contact_tags"])["contact_tags"])


def test_buffered_records_are_written_after_a_failing_stream(
    tap: TapCommand,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = TapConstantContact(config=tap.settings(sandbox)).streams["contact_tags"]
    rows = Mock(side_effect=[{"tag_id": "1"}, {"tag_id": "2"}, ZeroDivisionError])
    monkeypatch.setattr(stream, "post_process", rows)
    with pytest.raises(ZeroDivisionError):
        stream.sync()
    assert '"tag_id":"2"' in capsys.readouterr().out


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
