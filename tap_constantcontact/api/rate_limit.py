"""The rate limit: requests per second, requests per day, and the request budget of a run.

The API allows 4 requests per second and 10,000 per UTC day for an API key, and its headers mention
neither (documented: rate limits page of the guide).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from math import inf

from tap_constantcontact.api.shared_limits import Counter
from tap_constantcontact.exceptions import EXIT_QUOTA, RunEnded

logger = logging.getLogger("tap-constantcontact.limits")

# Requests sent every 1/4 s sometimes arrive a little closer together, which draws a 429; with a
# margin of 5% none did (measured against a server that enforces 4 in any second).
_JITTER_MARGIN = 1.05
_MIN_SHARE_OF_INTERVAL = 0.98
# On a busy machine a request may wake up late, too close to those in the next slots. If other runs
# that were seen lately may hold these, it takes another one; but not forever, where all are late.
_MAX_SECONDS_LATE = 0.02
_MAX_OTHER_SLOTS = 3
_SHARED_SECONDS = 30.0
# Others may use the API key too, so the pace falls after a throttled response, and then recovers.
_RECOVERY_SECONDS_TO_DOUBLE = 30.0
_MIN_SHARE_OF_PACE = 0.125
# Requests that were under way together are throttled together.
_SAME_EVENT_SECONDS = 2.0
# Clocks differ.
_AFTER_MIDNIGHT = timedelta(minutes=1)
_LONG_WAIT_SECONDS = 10


class _Pace:
    """The pace of requests: half of it after a throttled response, and gradually more again."""

    def __init__(self, interval: float, seconds: Callable[[], float]) -> None:
        """Start at full pace.

        Args:
            interval: Seconds from one request to the next.
            seconds: Returns the current time, in seconds.
        """
        self._interval = interval
        self._seconds = seconds
        self._share = 1.0
        self._halved_at = -inf
        self._lock = threading.Lock()

    @property
    def interval(self) -> float:
        """Seconds from one request to the next at the present pace."""
        # The clock may be set back.
        recovered = 0.5 * abs(self._seconds() - self._halved_at) / _RECOVERY_SECONDS_TO_DOUBLE
        return self._interval / min(1.0, self._share + recovered)

    def halve(self) -> None:
        """Halve the pace, unless that has just happened."""
        with self._lock:
            if abs(self._seconds() - self._halved_at) < _SAME_EVENT_SECONDS:
                return
            if self._halved_at == -inf:
                message = "Throttled by the API: the pace halves, and recovers gradually"
                logger.info(message)
            half = 0.5 * self._interval / self.interval
            self._share, self._halved_at = max(_MIN_SHARE_OF_PACE, half), self._seconds()


class RateLimit:
    """Spaces the requests of all runs with one API key, and ends the run when none is left."""

    def __init__(
        self,
        *,
        requests_per_second: int,
        max_requests: int | None,
        daily_quota: int,
        on_quota_exceeded: str,
        counter: Counter,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Create a rate limit from the settings of the same names.

        Args:
            requests_per_second: Maximum number of requests in any second.
            max_requests: Maximum number of requests of this run, if there is one.
            daily_quota: Maximum number of requests per UTC day.
            on_quota_exceeded: `fail`, `stop` or `wait`.
            counter: The counter that all runs with the API key share.
            now: Returns the current time, in UTC.
            sleep: Waits a number of seconds.
        """
        self.requests = 0
        self.daily_quota = daily_quota
        self._pace = _Pace(_JITTER_MARGIN / requests_per_second, lambda: now().timestamp())
        self._max_requests = max_requests
        self._on_quota_exceeded = on_quota_exceeded
        self._counter = counter
        self._now, self._sleep = now, sleep
        self._left_today = daily_quota
        self._is_exhausted = self._has_ended = self._is_quota_logged = False
        self._others_seen_at = -inf  # when other runs have last been found to make requests
        self._pauses = 0
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._last_start = 0.0

    @property
    def requests_today(self) -> int:
        """Requests made with the API key in this UTC day, as of the last one of this run."""
        return self.daily_quota - max(0, self._left_today)

    def acquire(self) -> None:
        """Wait for the slot of a request, and count the request.

        Raises:
            RunEnded: The request budget or the daily quota is exhausted.
        """
        with self._lock:
            if self._max_requests is not None and self.requests >= self._max_requests:
                reason = f"Request budget reached: {self._max_requests:,} requests (max_requests)"
                self._end(reason, f"{reason}. Progress is saved; the next run resumes here")
            wait, pauses = self._reserve(), self._pauses
            self.requests += 1
        if wait > _LONG_WAIT_SECONDS:
            logger.info("Rate limit: next request for this API key in %.0f s", wait)
        is_late, others = self._is_late_for(wait), 0
        # A slot that was reserved before a pause is of no use either.
        while self._pauses > pauses or (is_late and others < _MAX_OTHER_SLOTS):
            pauses, others = self._pauses, others + 1
            if self._is_exhausted:
                self.wait_for_quota()
            slot = self._counter.reserve(0, 0.0, self._pace.interval)
            is_late = self._is_late_for(slot.wait)
        with self._starting:
            # The request of a thread that woke up late must not come close to the next one.
            interval = self._pace.interval
            early = self._last_start + _MIN_SHARE_OF_INTERVAL * interval - self._seconds
            self._wait(min(early, interval))
            self._last_start = self._seconds

    def _is_late_for(self, wait: float) -> bool:
        """Wait for a slot, and return whether it is too late, as other runs hold the next ones."""
        slot = self._seconds + wait
        self._wait(wait)
        is_shared = self._seconds < self._others_seen_at + _SHARED_SECONDS
        return is_shared and self._seconds > slot + _MAX_SECONDS_LATE

    def _wait(self, seconds: float) -> None:
        """Sleep, but not for zero seconds, which would let other threads go first."""
        if seconds > 0:
            self._sleep(seconds)

    @property
    def _seconds(self) -> float:
        return self._now().timestamp()

    def has_more_than(self, requests: int) -> bool:
        """Return whether the run and the day have more than this number of requests left."""
        return min(self.left_today, self.left_in_run) > requests

    @property
    def left_today(self) -> int:
        """Requests that the day has left, as of the last one of this run."""
        return self._left_today

    @property
    def left_in_run(self) -> float:
        """Requests that the run has left; infinite if it has no budget."""
        return inf if self._max_requests is None else self._max_requests - self.requests

    def pause(self, seconds: float, *, is_quota: bool = False) -> None:
        """Pause all requests of the API key, and slow those of this run: the API is throttling.

        Args:
            seconds: How long.
            is_quota: Whether the API says that the daily quota is exhausted.
        """
        if is_quota:
            self._left_today, self._is_exhausted = 0, True
        else:
            self._pace.halve()
        self._counter.reserve(0, seconds, 0.0)
        self._pauses += 1

    def wait_for_quota(self, reason: str = "The API's daily quota is exhausted") -> None:
        """Wait until the daily quota resets, if `on_quota_exceeded` is `wait`.

        Args:
            reason: What is exhausted, in words for people.

        Raises:
            RunEnded: `on_quota_exceeded` is something else.
        """
        midnight = next_reset(self._now())
        resets_at = f"{midnight:%Y-%m-%d %H:%M} UTC"
        if self._on_quota_exceeded != "wait":
            message = (
                f"{reason}. Progress is saved; the quota resets at {resets_at} and the next run "
                "resumes here"
            )
            self._end(f"{reason}. The quota resets at {resets_at}", message)
        logger.warning("%s. Waiting until the quota resets at %s", reason, resets_at)
        self._sleep((midnight + _AFTER_MIDNIGHT - self._now()).total_seconds())
        self._is_exhausted = False

    def _reserve(self) -> float:
        """Reserve a slot on a day that has some left, and return the seconds until it comes."""
        while True:
            if self._is_exhausted:
                self.wait_for_quota()
            slot = self._counter.reserve(1, 0.0, self._pace.interval)
            left = self.daily_quota - slot.counter.requests
            if self._left_today - left > 1:
                self._others_seen_at = self._seconds
            self._left_today = left
            if not self._is_quota_logged:
                self._log_quota(left + 1)
            if left >= 0:
                return slot.wait
            reason = f"Daily quota reached: {self.daily_quota:,} requests (daily_quota)"
            self.wait_for_quota(reason)

    def _log_quota(self, left: int) -> None:
        self._is_quota_logged = True
        logger.info(
            "%s of today's %s requests (daily_quota) are left for this API key",
            f"{max(0, left):,}",
            f"{self.daily_quota:,}",
        )

    def _end(self, reason: str, message: str) -> None:
        failed = self._on_quota_exceeded == "fail"
        if not self._has_ended:
            self._has_ended = True
            logger.log(logging.ERROR if failed else logging.WARNING, message)
        raise RunEnded(EXIT_QUOTA if failed else 0, reason)


def next_reset(now: datetime) -> datetime:
    """Return when the daily quota resets: at midnight UTC."""
    return datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), timezone.utc)
