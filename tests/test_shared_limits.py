"""The limits of an API key are shared by processes and machines, even if some are killed."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import pytest
from singer_sdk.exceptions import ConfigurationError
from support.fake_redis import FakeRedis
from support.processes import Processes
from support.tap import TapCommand, TapProcess

from sandbox import Sandbox
from tap_constantcontact.api.counter_factory import open_counter
from tap_constantcontact.api.shared_limits import (
    MAX_SECONDS_AHEAD,
    Counter,
    FallbackCounter,
    FileCounter,
    MemoryCounter,
)

GAP = 0.025
# Reserves slots, and writes the count and the time of each.
WORKER = f"""
import sys, time
from pathlib import Path
from tap_constantcontact.api.counter_factory import open_counter

url, folder, turns = sys.argv[1:]
counter = open_counter(url, Path(folder), "key")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(turns)):
    wait, value = counter.reserve(1, 0.0, {GAP})
    time.sleep(wait)
    print(value.requests, value.next_slot - {GAP}, flush=True)
"""


@pytest.fixture(params=["file", "redis"])
def limits_url(request: pytest.FixtureRequest) -> str:
    """Return the setting limits_url: a file or a Redis, for which the same holds."""
    if request.param == "file":
        return ""
    server: FakeRedis = request.getfixturevalue("redis")
    return server.url


class Worker:
    """A process that waits until it may reserve its slots."""

    def __init__(self, processes: Processes, limits_url: str, folder: Path, turns: int) -> None:
        command = [sys.executable, "-c", WORKER, limits_url, str(folder), str(turns)]
        self.process = processes.start(command, stdin=subprocess.PIPE)
        assert self.process.stdin
        assert self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        assert self.stdout.readline() == "ready\n"

    def go(self) -> None:
        self.stdin.write("go\n")
        self.stdin.close()


def test_shared_slots_are_even_and_counted_across_processes(
    processes: Processes, limits_url: str, tmp_path: Path
) -> None:
    workers = [Worker(processes, limits_url, tmp_path, 30) for _ in range(3)]
    for worker in workers:
        worker.go()
    taken = sorted(tuple(map(float, line.split())) for w in workers for line in w.stdout)
    assert all(worker.process.wait(timeout=20) == 0 for worker in workers)
    assert [number for number, _ in taken] == list(range(1, 91))
    times = [at for _, at in taken]
    assert all(later - at > GAP - 1e-4 for at, later in pairwise(times))


def test_sigkill_loses_no_shared_count(
    processes: Processes, limits_url: str, tmp_path: Path
) -> None:
    worker = Worker(processes, limits_url, tmp_path, 1000)
    worker.go()
    sent = [worker.stdout.readline() for _ in range(10)]
    worker.process.kill()
    sent += worker.stdout.readlines()
    worker.process.wait(timeout=20)
    _, value = open_counter(limits_url, tmp_path, "key").reserve(0, 0.0, 0.0)
    assert len(sent) <= value.requests <= len(sent) + 1


def test_shared_pause_holds_for_the_whole_api_key(limits_url: str, tmp_path: Path) -> None:
    one, other = (open_counter(limits_url, tmp_path, "key") for _ in range(2))
    one.reserve(0, 100.0, 0.0)
    assert 90 < other.reserve(1, 0.0, GAP).wait <= 100
    assert other.reserve(1, 0.0, GAP).counter.requests == 2
    assert open_counter(limits_url, tmp_path, "another key").reserve(1, 0.0, GAP).wait == 0


def test_clock_set_back_does_not_block_shared_slots(limits_url: str, tmp_path: Path) -> None:
    """To the clock of later it looks as if a turn was reserved very far ahead."""
    counter = open_counter(limits_url, tmp_path, "key")
    counter.reserve(0, 2 * MAX_SECONDS_AHEAD, 0.0)
    assert counter.reserve(1, 0.0, GAP).wait == 0


def test_shared_count_restarts_at_midnight(tmp_path: Path) -> None:
    now = 5 * 86400 - 1.0
    counter = FileCounter(tmp_path, "key", lambda: now)
    counted = [counter.reserve(1, 0.0, 0.4).counter for _ in range(5)]
    assert [(value.day, value.requests) for value in counted] == [
        (4, 1),
        (4, 2),
        (4, 3),
        (5, 1),  # reserved before midnight, for a slot after it
        (5, 2),
    ]


def test_damaged_shared_counter_starts_again(tmp_path: Path) -> None:
    counter = FileCounter(tmp_path, "key")
    counter.reserve(1, 0.0, GAP)
    (kept,) = tmp_path.glob("limits-*.json")
    for rubbish in ("rubbish", "{}", "[]", '{"day": null, "requests": 1, "next_turn": 1}'):
        kept.write_text(rubbish)
        assert counter.reserve(1, 0.0, GAP).counter.requests == 1


def test_unusable_folder_of_shared_counter_does_not_end_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    no_folder = tmp_path / "file"
    no_folder.touch()
    counter = open_counter("", no_folder, "key")
    assert [counter.reserve(1, 0.0, 0.0).counter.requests for _ in range(3)] == [1, 2, 3]
    (warning,) = caplog.messages
    assert "no longer shared with other runs" in warning


def test_lost_redis_does_not_end_the_run(
    redis: FakeRedis, caplog: pytest.LogCaptureFixture
) -> None:
    counter = open_counter(redis.url, None, "key")
    counted = [counter.reserve(1, 0.0, 30.0).counter.requests for _ in range(2)]
    redis.end()
    slot = counter.reserve(1, 0.0, 30.0)
    assert [*counted, slot.counter.requests] == [1, 2, 3]
    assert slot.wait > 50
    assert counter.reserve(1, 0.0, 30.0).counter.requests == 4
    (warning,) = caplog.messages
    assert "no longer shared with other runs" in warning


class Outage:
    """Two runs that share a counter in a file, which can be lost for a while."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.now = 10 * 86400.0
        self._patch = monkeypatch
        self.shared = FileCounter(folder, "key", self.clock)
        self.one, self.other = (
            FallbackCounter(self.shared, MemoryCounter(self.clock), self.clock) for _ in range(2)
        )

    def clock(self) -> float:
        return self.now

    def begin(self) -> None:
        def fail(*_: object) -> NoReturn:
            raise OSError("gone")

        self._patch.setattr(self.shared, "reserve", fail)

    def end(self, *, seconds: float = 100.0) -> None:
        self._patch.undo()
        self.now += seconds

    def forget(self) -> None:
        """Lose the value, as a Redis that keeps nothing on its disk."""
        (kept,) = self.folder.glob("limits-*.json")
        kept.unlink()


def take(counter: Counter, requests: int) -> int:
    """Make requests, and return today's number after them."""
    counted = [counter.reserve(1, 0.0, GAP).counter.requests for _ in range(requests)]
    return counted[-1]


@pytest.fixture
def outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outage:
    return Outage(tmp_path, monkeypatch)


def test_requests_of_an_outage_are_added_to_the_shared_count(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert take(outage.one, 10) == 10
    assert take(outage.other, 5) == 15
    outage.begin()
    assert take(outage.one, 3) == 13
    assert take(outage.other, 4) == 19
    outage.end()
    assert take(outage.other, 1) == 20
    assert take(outage.one, 1) == 24
    assert take(outage.other, 1) == 25
    assert [message.partition(" (")[0] for message in caplog.messages] == [
        *["Rate limits are no longer shared with other runs"] * 2,
        *["Rate limits are shared with other runs again"] * 2,
    ]


def test_lost_value_of_the_shared_counter_is_restored(outage: Outage) -> None:
    assert take(outage.one, 10) == 10
    assert take(outage.other, 5) == 15
    outage.begin()
    take(outage.one, 3)
    outage.end()
    outage.forget()
    assert take(outage.one, 1) == 14  # what it saw, and its own
    assert take(outage.other, 1) == 16
    outage.forget()
    assert take(outage.one, 1) == 15
    assert take(outage.other, 1) == 17


def test_pause_survives_a_lost_value(outage: Outage) -> None:
    outage.one.reserve(0, 60.0, 0.0)
    outage.forget()
    assert outage.one.reserve(1, 0.0, GAP).wait == 60


def test_requests_of_yesterday_are_not_added(outage: Outage) -> None:
    take(outage.one, 10)
    outage.begin()
    take(outage.one, 3)
    outage.end(seconds=86400)
    assert take(outage.one, 1) == 1


def test_requests_after_midnight_in_an_outage_are_added(outage: Outage) -> None:
    take(outage.one, 10)
    outage.begin()
    outage.now += 86400
    assert take(outage.one, 2) == 2
    outage.end()
    assert take(outage.one, 1) == 3


def test_lost_counter_is_tried_again_less_and_less_often(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fail(*_: object) -> NoReturn:
        tried.append(outage.now)
        raise OSError("gone")

    monkeypatch.setattr(outage.shared, "reserve", fail)
    began = outage.now
    for _ in range(200):
        take(outage.one, 1)
        outage.now += 1
    assert [at - began for at in tried] == [0, 5, 15, 35, 75, 135, 195]


def test_own_counter_follows_by_its_own_clock(outage: Outage) -> None:
    """The clock of Redis may be another one."""
    own = MemoryCounter(lambda: outage.now - 1000)
    counter = FallbackCounter(outage.shared, own, outage.clock)
    take(counter, 2)
    outage.begin()
    assert counter.reserve(1, 0.0, GAP).wait == pytest.approx(2 * GAP)


def test_machines_share_the_limits_of_an_api_key(
    tap: TapCommand, sandbox: Sandbox, redis: FakeRedis
) -> None:
    first = tap.sync(sandbox, "account", limits_url=redis.url, daily_quota=2)
    assert first.status == 0
    assert "2 of today's 2 requests (daily_quota) are left" in first.log
    tap.sync(sandbox, "account", limits_url=redis.url, daily_quota=2)
    third = tap.sync(sandbox, "account", limits_url=redis.url, daily_quota=2)
    assert third.status == 75
    assert "0 of today's 2 requests (daily_quota) are left" in third.log
    assert "the next run resumes here" in third.log
    assert not list(tap.folder.glob("limits-*"))


def test_accounts_share_the_limits_of_an_api_key(tap: TapCommand, sandbox: Sandbox) -> None:
    for name in ("one", "other"):
        store = str(tap.folder / f"{name}.json")
        run = tap.sync(sandbox, "account", token_store=store)
        assert run.status == 0
    assert "9,999 of today's 10,000 requests" in run.log


def test_unreachable_redis_is_reported_at_the_start(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "account", limits_url="redis://:the-password@127.0.0.1:1/0")
    assert run.status == 1
    assert "Can't use the Redis server of limits_url" in run.log
    assert "Traceback" not in run.log
    assert "the-password" not in run.log
    assert not sandbox.requests


def test_missing_redis_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("api.redis_limits", "redis_client"):
        monkeypatch.delitem(sys.modules, f"tap_constantcontact.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"tap-constantcontact\[redis\]"):
        open_counter("redis://localhost", None, "key")


@pytest.mark.e2e
def test_redis_is_not_imported_without_limits_url() -> None:
    code = "import sys; import tap_constantcontact.tap; sys.exit('redis' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_tap_that_waits_for_the_quota_to_reset(
    tap_process: TapProcess, sandbox: Sandbox, signum: int
) -> None:
    settings = {"daily_quota": 1, "on_quota_exceeded": "wait"}
    run = tap_process.start(sandbox, "email_campaigns", settings=settings)
    assert run.stderr
    assert any("Waiting until the quota resets at " in line for line in run.stderr)
    began = time.monotonic()
    run.send_signal(signum)
    assert run.wait(timeout=20) == 128 + signum
    assert time.monotonic() - began < 1.3
