"""The API's limits: requests a second, requests a day, and the budget of a run.

The API allows an API key 4 requests a second and 10,000 a UTC day, and names neither in its
headers (documented: rate limits page of the guide).
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from requests.adapters import HTTPAdapter

from tap_constantcontact.errors import EXIT_QUOTA, RunEnded

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

logger = logging.getLogger("tap-constantcontact.limits")

# Requests sent every 1/4 s arrive a little closer together now and then and draw a 429; 5 % more
# room drew none (measured against a server that enforces 4 in any second).
_ROOM_FOR_JITTER = 1.05
# Clocks differ.
_AFTER_MIDNIGHT = timedelta(minutes=1)
_SAVE_EVERY = 25


class DayCount:
    """How many requests an API key has made this UTC day, shared by all runs on this machine."""

    def __init__(self, folder: Path | None, client_id: str) -> None:
        """Begin with what earlier runs of the day have left.

        Args:
            folder: where the count is kept in a file; without one it lives as long as the run.
            client_id: the API key that requests are counted for.
        """
        name = hashlib.sha256(client_id.encode()).hexdigest()[:16]
        self._path = folder / f"requests-{name}.json" if folder else None
        self._unsaved = 0
        self._day: date | None = None
        self._saved = 0

    def add(self, day: date) -> int:
        """Count one request and return the day's requests so far."""
        if day != self._day:
            self._begin(day)
        self._unsaved += 1
        if self._unsaved >= _SAVE_EVERY:
            self.save()
        return self._saved + self._unsaved

    def save(self) -> None:
        """Add what this run has counted to the file, and take over what others have."""
        if self._path is None or self._day is None or not self._unsaved:
            return
        try:
            with FileLock(f"{self._path}.lock", timeout=10, mode=0o600):
                self._saved = self._read(self._path, self._day) + self._unsaved
                self._path.write_text(
                    json.dumps({"day": self._day.isoformat(), "requests": self._saved})
                )
            self._unsaved = 0
        except OSError as error:
            logger.warning("The day's requests are not shared with other runs: %s", error)
            self._path = None

    def _begin(self, day: date) -> None:
        self.save()
        self._day, self._unsaved = day, 0
        self._saved = self._read(self._path, day) if self._path else 0

    @staticmethod
    def _read(path: Path, day: date) -> int:
        try:
            kept = json.loads(path.read_text())
            return int(kept["requests"]) if kept["day"] == day.isoformat() else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0


class Limits:
    """Gives every request its turn, over all threads, and ends the run when none is left."""

    def __init__(
        self,
        *,
        requests_per_second: int,
        max_requests: int | None,
        daily_quota: int,
        on_quota_exceeded: str,
        day_count: DayCount,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the settings of the same names.

        Args:
            requests_per_second: the most requests in any second.
            max_requests: the most requests of this run, if there is a most.
            daily_quota: the most requests of a UTC day.
            on_quota_exceeded: `fail`, `stop` or `wait`.
            day_count: the day's requests.
            clock: seconds that only go forward.
            now: the time, in UTC.
            sleep: waits a number of seconds.
        """
        self.requests = 0
        self._interval = _ROOM_FOR_JITTER / requests_per_second
        self._max_requests = max_requests
        self._daily_quota = daily_quota
        self._on_quota_exceeded = on_quota_exceeded
        self._day_count = day_count
        self._clock, self._now, self._sleep = clock, now, sleep
        self._next_turn = clock()
        self._lock = threading.Lock()

    def take_turn(self) -> None:
        """Wait until a request may be sent, and count it.

        Raises:
            RunEnded: the budget of the run or the quota of the day is used up.
        """
        with self._lock:
            if self._max_requests is not None and self.requests >= self._max_requests:
                self._end(f"The run has made its {self._max_requests} requests (max_requests)")
            if self._day_count.add(self._now().date()) > self._daily_quota:
                self.quota_exceeded(f"Today's {self._daily_quota} requests (daily_quota) are made")
                self._day_count.add(self._now().date())
            self.requests += 1
            turn = max(self._clock(), self._next_turn)
            self._next_turn = turn + self._interval
        self._sleep(max(0.0, turn - self._clock()))

    def hold(self, seconds: float) -> None:
        """Let no request begin for a number of seconds: the API is throttling."""
        with self._lock:
            self._next_turn = max(self._next_turn, self._clock() + seconds)

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

    def save(self) -> None:
        """Keep the day's count for later runs."""
        self._day_count.save()

    def _end(self, reason: str) -> None:
        failed = self._on_quota_exceeded == "fail"
        level = logging.ERROR if failed else logging.WARNING
        logger.log(level, "%s; what is read so far is in the state, the next run goes on", reason)
        raise RunEnded(EXIT_QUOTA if failed else 0)


class LimitedAdapter(HTTPAdapter):
    """Sends a request when its turn has come; redirects and repeats take turns as well."""

    def __init__(self, limits: Limits, **kwargs: Any) -> None:
        """Send within limits.

        Args:
            limits: the limits of the run.
            kwargs: arguments of `requests.adapters.HTTPAdapter`.
        """
        self._limits = limits
        super().__init__(**kwargs)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request when its turn has come.

        Raises:
            RunEnded: there are no requests left.
        """
        self._limits.take_turn()
        return super().send(request, *args, **kwargs)


def _next_midnight(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), timezone.utc)
