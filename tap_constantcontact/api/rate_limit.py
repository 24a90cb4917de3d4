"""The API's limits: requests a second, requests a day, and the budget of a run.

The API allows an API key 4 requests a second and 10,000 a UTC day, and names neither in its
headers (documented: rate limits page of the guide).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from tap_constantcontact.api.shared_limits import SharedCounter
from tap_constantcontact.exceptions import EXIT_QUOTA, RunEnded

logger = logging.getLogger("tap-constantcontact.limits")

# Requests sent every 1/4 s arrive a little closer together now and then and draw a 429; 5 % more
# room drew none (measured against a server that enforces 4 in any second).
_ROOM_FOR_JITTER = 1.05
_LEAST_OF_INTERVAL = 0.98
# Clocks differ.
_AFTER_MIDNIGHT = timedelta(minutes=1)
_LONG_WAIT_SECONDS = 10


class RateLimit:
    """Gives every request its turn among all of the API key, and ends the run when none is left."""

    def __init__(
        self,
        *,
        requests_per_second: int,
        max_requests: int | None,
        daily_quota: int,
        on_quota_exceeded: str,
        ledger: SharedCounter,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the settings of the same names.

        Args:
            requests_per_second: the most requests in any second.
            max_requests: the most requests of this run, if there is a most.
            daily_quota: the most requests of a UTC day.
            on_quota_exceeded: `fail`, `stop` or `wait`.
            ledger: the turns of the API key.
            now: the time, in UTC.
            sleep: waits a number of seconds.
        """
        self.requests = 0
        self.daily_quota = daily_quota
        self._interval = _ROOM_FOR_JITTER / requests_per_second
        self._max_requests = max_requests
        self._on_quota_exceeded = on_quota_exceeded
        self._ledger = ledger
        self._now, self._sleep = now, sleep
        self._left_today = daily_quota
        self._is_used_up = self._has_ended = False
        self._holds = 0
        self._told = False
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._started_last = 0.0

    @property
    def requests_today(self) -> int:
        """The requests of the API key in this UTC day, when the last turn was taken."""
        return self.daily_quota - max(0, self._left_today)

    def acquire(self) -> None:
        """Wait until a request may be sent, and count it.

        Raises:
            RunEnded: the budget of the run or the quota of the day is used up.
        """
        with self._lock:
            if self._max_requests is not None and self.requests >= self._max_requests:
                self._end(f"The run has made its {self._max_requests} requests (max_requests)")
            wait, holds = self._reserve(), self._holds
            self.requests += 1
        if wait > _LONG_WAIT_SECONDS:
            logger.info("The next request of this API key may be made in %.0f s", wait)
        self._wait(wait)
        while self._holds > holds:  # a turn that was reserved before a hold comes after it
            holds = self._holds
            if self._is_used_up:
                self.quota_exceeded()
            self._wait(self._ledger.reserve(0, 0.0, self._interval).wait)
        with self._starting:
            # A thread that woke up late must not bring its request close to the next one.
            early = self._started_last + _LEAST_OF_INTERVAL * self._interval - self._seconds
            self._wait(min(early, self._interval))
            self._started_last = self._seconds

    def _wait(self, seconds: float) -> None:
        """Sleep, but for no time not at all: that would cost a thread its turn."""
        if seconds > 0:
            self._sleep(seconds)

    @property
    def _seconds(self) -> float:
        return self._now().timestamp()

    def has_more_than(self, requests: int) -> bool:
        """Return whether the run and the day have more requests left than some."""
        left = self._left_today
        if self._max_requests is not None:
            left = min(left, self._max_requests - self.requests)
        return left > requests

    def pause(self, seconds: float, *, is_quota: bool = False) -> None:
        """Let no request of the API key begin for a number of seconds: the API is throttling.

        Args:
            seconds: how long.
            is_quota: whether it says that none is left for today.
        """
        if is_quota:
            self._left_today, self._is_used_up = 0, True
        self._ledger.reserve(0, seconds, 0.0)
        self._holds += 1

    def quota_exceeded(self, what: str = "The API's quota of the day is used up") -> None:
        """Return when the quota is new, where `on_quota_exceeded` says to wait.

        Raises:
            RunEnded: it says to end the run.
        """
        midnight = _next_midnight(self._now())
        again = f"The quota is new at {midnight:%Y-%m-%d %H:%M} UTC"
        if self._on_quota_exceeded != "wait":
            self._end(f"{what}. {again}")
        logger.warning("%s. %s; waiting until then", what, again)
        self._sleep((midnight + _AFTER_MIDNIGHT - self._now()).total_seconds())
        self._is_used_up = False

    def _reserve(self) -> float:
        """Reserve a turn of a day that has some left, and return the seconds until it comes."""
        while True:
            if self._is_used_up:
                self.quota_exceeded()
            turn = self._ledger.reserve(1, 0.0, self._interval)
            left = self._left_today = self.daily_quota - turn.entry.requests
            if not self._told:
                self._tell(left + 1)
            if left >= 0:
                return turn.wait
            self.quota_exceeded(f"Today's {self.daily_quota} requests (daily_quota) are made")

    def _tell(self, left: int) -> None:
        self._told = True
        logger.info(
            "%s of today's %s requests (daily_quota) are left for this API key",
            f"{max(0, left):,}",
            f"{self.daily_quota:,}",
        )

    def _end(self, reason: str) -> None:
        failed = self._on_quota_exceeded == "fail"
        level = logging.ERROR if failed else logging.WARNING
        if not self._has_ended:
            self._has_ended = True
            message = "%s; what is read so far is in the state, the next run goes on"
            logger.log(level, message, reason)
        raise RunEnded(EXIT_QUOTA if failed else 0, reason)


def _next_midnight(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), timezone.utc)
