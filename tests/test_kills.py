"""After SIGKILL at any moment, the target's rows plus the next run are complete.

`KILLS=200 python -m pytest tests/test_kills.py` kills at more moments; `KILL_SEED` draws others.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryFile
from typing import IO, Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, TapCommand, TapProcess
from support.target import Message, Target, hidden_by, key_of, messages_of
from support.waiting import wait_until

from checks.support.comparison import Key
from sandbox import Fault, Sandbox

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "12"))
SEED = os.environ.get("KILL_SEED", "1")
POINTS = [f"seed {SEED}, point {number} of {KILLS}" for number in range(1, KILLS + 1)]

DEFAULT = [name for name, stream in STREAMS.items() if stream.selected_by_default]
ALL = [name for name in STREAMS if name != "contact_counts"]  # which has a new row each time

REPORTS = [
    *("email_bounces", "email_clicks", "email_did_not_opens", "email_forwards"),
    *("email_opens", "email_optouts", "email_sends", "email_unique_opens"),
]

# Nothing can help a rotated token that a kill hits before it is stored.
LARGE = {"contacts": 1100, "campaigns": 6, "long_lived_tokens": True}  # three pages of contacts
SMALL = {"contacts": 20, "campaigns": 4, "long_lived_tokens": True, "segment_polls": 0}

FIVE_SECONDS = 5 + 1  # between two states, and what a busy machine needs
OVERLAP = 3  # rows of a stream: the bookmark's own, and what changed at nearly the same time

RowId = tuple[str, Key]
Whole = Callable[[bool], tuple[int, int]]


class Account:
    """A sandbox, and how the tap reads it: the default streams, or little of every stream."""

    def __init__(self, tap: TapCommand, make_sandbox: MakeSandbox, *, everything: bool) -> None:
        self.tap = tap
        self.streams = ALL if everything else DEFAULT
        self.sandbox = make_sandbox(**SMALL if everything else LARGE)
        self.settings = (tap.settings_of_all if everything else tap.settings)(self.sandbox)

    def command(self, state: Any) -> list[str]:
        return self.tap.command(self.settings, state=state, select=self.streams)

    def read(self, target: Target) -> list[Message]:
        """Run to the end from the state of a target."""
        tap = TapCommand(self.tap.folder)  # nobody kills it
        run = tap.run(self.settings, state=target.state, select=self.streams)
        assert run.status == 0, run.log
        return run.messages


@contextmanager
def killed(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """Start a tap that is killed at the end; through a small pipe it is not far ahead of us."""
    with TemporaryFile() as log:
        tap = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, pipesize=4096)
        assert tap.stdout
        try:
            with tap.stdout:
                yield tap, tap.stdout
        finally:
            tap.kill()
            tap.wait()
        log.seek(0)
        assert tap.returncode in (0, -signal.SIGKILL), log.read().decode()


def read_and_kill(command: list[str], size: int) -> list[Message]:
    """Kill a tap when so many bytes have come."""
    with killed(command) as (tap, output):
        head = output.read(size)
        tap.kill()
        return messages_of(head + output.read())


def read_and_kill_after(command: list[str], seconds: float) -> tuple[list[Message], set[RowId]]:
    """Kill a tap some seconds after its first line; tell which rows came five seconds before."""
    with killed(command) as (tap, output):
        first = output.readline()
        timer = threading.Timer(seconds, tap.kill)
        timer.start()
        lines = [(time.monotonic(), first), *((time.monotonic(), line) for line in output)]
        timer.cancel()
    early = [line for at, line in lines if at < lines[-1][0] - FIVE_SECONDS]
    return messages_of(b"".join(line for _, line in lines)), row_ids(messages_of(b"".join(early)))


def row_ids(messages: list[Message]) -> set[RowId]:
    return {
        (message["stream"], key_of(message["stream"], message["record"]))
        for message in messages
        if message["type"] == "RECORD"
    }


def kill_at_request(command: list[str], sandbox: Sandbox, number: int) -> list[Message]:
    """Kill a tap while it waits for the response to one of its requests."""
    sandbox.fail("*", Fault.DELAY, skip=number - 1, seconds=1)

    def kill() -> None:
        wait_until(lambda: len(sandbox.requests) >= number or tap.poll() is not None)
        tap.kill()

    with killed(command) as (tap, output):
        threading.Thread(target=kill).start()
        messages = messages_of(output.read())
    sandbox.clear_faults()
    return messages


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Return how many bytes an undisturbed run writes, and how many requests it makes."""

    @cache
    def measure(everything: bool) -> tuple[int, int]:
        tap = TapCommand(tmp_path_factory.mktemp("whole"))
        with Sandbox(requests_per_second=0, **SMALL if everything else LARGE) as sandbox:
            account = Account(tap, lambda **_: sandbox, everything=everything)
            lines = map(json.dumps, account.read(Target()))
            return sum(map(len, lines)), len(sandbox.requests)

    return measure


@pytest.mark.parametrize(
    ("campaigns", "requests_per_second", "streams"),
    [
        (30, 8, ["contacts", "email_campaigns", "email_campaign_activities"]),
        (16, 15, REPORTS),
    ],
    ids=["campaigns", "reports"],
)
def test_sigkill_repeats_few_rows(
    tap_process: TapProcess,
    make_sandbox: MakeSandbox,
    campaigns: int,
    requests_per_second: int,
    streams: list[str],
) -> None:
    """Only those of the last five seconds before it, and overlaps."""
    sandbox = make_sandbox(contacts=600, campaigns=campaigns)
    settings = tap_process.settings(sandbox, requests_per_second=requests_per_second)
    target = Target()
    came, early = read_and_kill_after(tap_process.command(settings, select=streams), 8)
    target.load(came)
    rest = tap_process.sync(sandbox, *streams, state=target.state).messages
    assert target.load(rest) > 0, "the kill came too late"
    assert target.lacks(sandbox, streams) == {}
    of_stream = Counter(stream for stream, _ in early)
    repeated = Counter(stream for stream, _ in early & row_ids(rest))
    assert of_stream
    assert {
        stream: f"{rows} of {of_stream[stream]} rows that came early came twice"
        for stream, rows in repeated.items()
        if rows > max(OVERLAP, of_stream[stream] // 10)
    } == {}


@pytest.mark.parametrize("point", POINTS)
def test_sigkill_loses_no_row(
    tap_process: TapProcess, make_sandbox: MakeSandbox, whole: Whole, point: str
) -> None:
    """Even if the target has not stored all that it has read."""
    number, rng = POINTS.index(point), random.Random(point)
    everything = number % 4 == 3
    account = Account(tap_process, make_sandbox, everything=everything)
    size, requests = whole(everything)
    part = (number + rng.random()) / KILLS  # the points are spread over the run
    command = account.command(None)
    if number % 2:
        written = kill_at_request(command, account.sandbox, 1 + int(part * requests))
    else:
        written = read_and_kill(command, int(part * size))

    stored, prompt = Target(), Target()
    states = [place for place, message in enumerate(written, 1) if message["type"] == "STATE"]
    lag = rng.choice([1, 1, 2, 4])
    stored.load(written[: states[-lag]] if len(states) >= lag else [])
    prompt.load(written)
    # Streams of each contact follow their contact: what changes there may come with a sweep only.
    changes = not everything and rng.random() < 0.5
    hidden = hidden_by(account.sandbox.change()) if changes else set[str]()
    rest = account.read(stored)
    for target in (stored, prompt):
        target.load(rest)
        assert target.lacks(account.sandbox, account.streams, hidden) == {}


def test_repeated_sigkill_loses_no_row(
    tap_process: TapProcess, make_sandbox: MakeSandbox, whole: Whole
) -> None:
    rng = random.Random(SEED)
    account = Account(tap_process, make_sandbox, everything=False)
    size, _ = whole(False)
    target = Target()
    for _ in range(4):
        target.load(read_and_kill(account.command(target.state), rng.randrange(size // 2)))
    target.load(account.read(target))
    assert target.lacks(account.sandbox, account.streams) == {}
