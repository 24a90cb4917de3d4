"""Whole lines on stdout, records that are buffered, and states at intervals."""

from __future__ import annotations

import io
import json
import select
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest.mock import Mock

import pytest
from singer_sdk.singerlib import RecordMessage, StateMessage
from support.tap import TapCommand

from sandbox import Sandbox
from tap_constantcontact.airbyte.messages import AirbyteWriter, StreamStatus
from tap_constantcontact.airbyte.states import StreamStates
from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.output.messages import MessageWriter
from tap_constantcontact.output.states import StateThrottle
from tap_constantcontact.tap import TapConstantContact


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
