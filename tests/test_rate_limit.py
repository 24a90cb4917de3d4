"""The rate limit, with a clock that only advances by sleeping."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta, timezone
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import pytest

from tap_constantcontact.api.rate_limit import RateLimit
from tap_constantcontact.api.shared_limits import FileCounter, MemoryCounter
from tap_constantcontact.exceptions import RunEnded

EVENING = datetime(2026, 11, 21, 23, 30, tzinfo=timezone.utc)


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return EVENING + timedelta(seconds=self.seconds)

    def timestamp(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def limits_of(clock: Clock, **changed: Any) -> RateLimit:
    settings: dict[str, Any] = {
        "requests_per_second": 4,
        "max_requests": None,
        "daily_quota": 10000,
        "on_quota_exceeded": "fail",
        "counter": MemoryCounter(clock.timestamp),
    }
    return RateLimit(**{**settings, **changed}, now=clock.now, sleep=clock.sleep)


def turns(limits: RateLimit, clock: Clock, number: int) -> list[float]:
    taken = []
    for _ in range(number):
        limits.acquire()
        taken.append(clock.seconds)
    return taken


@pytest.mark.parametrize("a_second", [1, 4, 10])
def test_rate_limit_holds_in_every_second(a_second: int) -> None:
    clock = Clock()
    taken = turns(limits_of(clock, requests_per_second=a_second), clock, 50)
    assert all(
        len([turn for turn in taken if start <= turn <= start + 1]) <= a_second for start in taken
    )
    assert 49 / taken[-1] > 0.95 * a_second


def test_pause_delays_every_request() -> None:
    clock = Clock()
    limits = limits_of(clock)
    limits.acquire()
    limits.pause(5)
    assert turns(limits, clock, 1) == [pytest.approx(5, abs=0.001)]


def gap(limits: RateLimit, clock: Clock) -> float:
    """Return the seconds between the next two requests."""
    first, second = turns(limits, clock, 2)
    return second - first


def test_throttling_halves_the_pace_which_then_recovers() -> None:
    clock = Clock()
    limits = limits_of(clock)
    full = gap(limits, clock)
    for _ in range(3):  # three requests were under way
        limits.pause(1)
    gaps = [gap(limits, clock)]
    while clock.seconds < 70:
        gaps.append(gap(limits, clock))
    assert gaps[0] == pytest.approx(2 * full, rel=0.05)
    assert all(later < earlier + 0.001 for earlier, later in pairwise(gaps))
    assert gaps[-1] == pytest.approx(full, rel=0.001)


def test_pace_has_a_minimum() -> None:
    clock = Clock()
    limits = limits_of(clock)
    full = gap(limits, clock)
    for _ in range(10):
        limits.pause(0)
        clock.sleep(3)
    assert gap(limits, clock) < 8 * full


def test_pace_recovers_when_the_clock_is_set_back() -> None:
    clock = Clock()
    limits = limits_of(clock)
    full = gap(limits, clock)
    limits.pause(1)
    clock.sleep(-3600)
    limits.acquire()
    assert gap(limits, clock) == pytest.approx(full, rel=0.05)


def test_exhausted_quota_leaves_the_pace() -> None:
    clock = Clock()
    limits = limits_of(clock, on_quota_exceeded="wait")
    full = gap(limits, clock)
    limits.pause(1, is_quota=True)
    assert limits.left_today == 0
    assert not limits.has_more_than(0)
    assert gap(limits, clock) == pytest.approx(full)
    assert limits.has_more_than(9000)


@pytest.mark.parametrize(("others", "throttled", "a_second"), [(1, 15, 2), (2, 20, 1.3)])
def test_few_requests_are_throttled_when_others_use_the_key(
    others: int, throttled: int, a_second: float
) -> None:
    """At full pace one of three would be, as the API admits 4 in any second."""
    clock = Clock()
    limits = limits_of(clock)
    admitted: list[float] = []
    of_others, refused, own = 0.0, 0, 0

    def is_admitted(at: float) -> bool:
        if len([each for each in admitted[-4:] if each > at - 1]) == 4:
            return False
        admitted.append(at)
        return True

    while clock.seconds < 300:
        limits.acquire()
        while of_others < clock.seconds:
            is_admitted(of_others)
            of_others += 1 / others
        if is_admitted(clock.seconds):
            own += 1
        else:
            refused += 1
            limits.pause(1)
    assert 0 < refused <= throttled
    assert own > 300 * a_second


def test_waiting_request_comes_after_a_pause() -> None:
    clock = Clock()
    limits = limits_of(clock)
    limits.acquire()
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        """Another thread is told meanwhile that there were too many requests."""
        if not waits:
            limits.pause(5)
        waits.append(seconds)
        clock.sleep(seconds)

    limits._sleep = sleep
    limits.acquire()
    assert clock.seconds >= 5
    assert limits.requests == 2


def test_late_request_delays_the_next_one() -> None:
    clock = Clock()
    limits = limits_of(clock)
    oversleep = iter([0.0, 0.2])

    def sleep(seconds: float) -> None:
        clock.sleep(seconds + (next(oversleep, 0.0) if seconds else 0.0))

    limits._sleep = sleep
    taken = turns(limits, clock, 4)
    gaps = [later - earlier for earlier, later in pairwise(taken)]
    assert max(gaps) > 0.4
    assert min(gaps) > 0.25


def test_late_request_does_not_come_close_to_those_of_other_runs() -> None:
    """Their slots are reserved: only the late one can take another."""
    clock = Clock()
    counter = MemoryCounter(clock.timestamp)
    runs = [limits_of(clock, counter=counter) for _ in range(2)]
    oversleeps = cycle([*[0.0] * 6, 0.05, *[0.0] * 4, 0.2])

    def sleep(seconds: float) -> None:
        clock.sleep(seconds + next(oversleeps))

    taken = []
    for run in runs:
        run._sleep = sleep
    # One of them makes several requests in a row, too.
    for run in [*runs, *runs, runs[0]] * 20:
        run.acquire()
        taken.append(clock.seconds)
    most = max(len([at for at in taken if start <= at < start + 1]) for start in taken)
    assert most == 4
    assert taken[-1] / len(taken) < 0.5  # seconds for a request
    assert counter.value.requests == len(taken)


def test_late_request_of_the_only_run_keeps_its_slot() -> None:
    """Its other requests keep their distance anyway, and a slot that is left empty is lost."""
    clock = Clock()
    limits = limits_of(clock)
    limits._sleep = lambda seconds: clock.sleep(seconds + 0.05)
    taken = turns(limits, clock, 40)
    assert (taken[-1] - taken[0]) / 39 == pytest.approx(1.05 / 4, rel=0.02)


def test_request_that_is_always_late_is_sent() -> None:
    clock = Clock()
    counter = MemoryCounter(clock.timestamp)
    limits, other = limits_of(clock, counter=counter), limits_of(clock, counter=counter)
    limits._sleep = lambda seconds: clock.sleep(seconds + 1)
    for _ in range(10):
        other.acquire()
        limits.acquire()
    assert limits.requests == 10


def test_rate_limit_is_shared_by_threads() -> None:
    limits = RateLimit(
        requests_per_second=1000,
        max_requests=None,
        daily_quota=10000,
        on_quota_exceeded="fail",
        counter=MemoryCounter(),
    )

    def take_turns() -> None:
        for _ in range(20):
            limits.acquire()

    threads = [threading.Thread(target=take_turns) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert limits.requests == 160


@pytest.mark.parametrize(("on_quota_exceeded", "status"), [("fail", 75), ("stop", 0), ("wait", 0)])
def test_max_requests_ends_the_run(on_quota_exceeded: str, status: int) -> None:
    clock = Clock()
    limits = limits_of(clock, max_requests=3, on_quota_exceeded=on_quota_exceeded)
    turns(limits, clock, 3)
    with pytest.raises(RunEnded) as ended:
        limits.acquire()
    assert ended.value.code == status
    assert limits.requests == 3


def test_exhausted_quota_message_has_the_reset_time(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RunEnded):
        limits_of(Clock()).wait_for_quota()
    (message,) = caplog.messages
    assert message == (
        "The API's daily quota is exhausted. Progress is saved; the quota resets at 2026-11-22 "
        "00:00 UTC and the next run resumes here"
    )


def test_on_quota_exceeded_wait_sleeps_until_the_reset() -> None:
    clock = Clock()
    limits = limits_of(clock, daily_quota=2, on_quota_exceeded="wait")
    taken = turns(limits, clock, 3)
    assert taken[1] < 1
    assert clock.now() >= datetime(2026, 11, 22, tzinfo=timezone.utc)
    assert limits.requests == 3


def test_runs_of_a_day_share_the_daily_quota(tmp_path: Path) -> None:
    clock = Clock()

    def run(number: int, client_id: str = "key") -> None:
        counter = FileCounter(tmp_path, client_id, clock.timestamp)
        turns(limits_of(clock, daily_quota=100, counter=counter), clock, number)

    run(60)
    run(40)
    with pytest.raises(RunEnded):
        run(1)
    run(1, client_id="another key")
    clock.sleep(3600)
    run(100)


def test_log_has_the_remaining_quota_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    counter = MemoryCounter(clock.timestamp)
    turns(limits_of(clock, counter=counter), clock, 126)
    with caplog.at_level(logging.INFO):
        turns(limits_of(clock, counter=counter), clock, 2)
    assert caplog.messages == [
        "9,874 of today's 10,000 requests (daily_quota) are left for this API key"
    ]


def test_long_wait_for_the_rate_limit_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    limits = limits_of(clock)
    limits.pause(90)
    with caplog.at_level(logging.INFO):
        limits.acquire()
    assert "next request for this API key in 90 s" in caplog.text
