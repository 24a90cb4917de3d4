"""What every request of an API key is checked for: rate limits, scope, privilege."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, MINUTE
from sandbox.server.errors import QUOTA_EXCEEDED, THROTTLED, ApiError, TokenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.server.options import Options
    from sandbox.server.routing import Endpoint


class Window:
    """The requests of the last seconds, up to a limit."""

    def __init__(self, seconds: float, limit: int) -> None:
        """Start empty; `limit` = 0 means no limit."""
        self._seconds = seconds
        self._limit = limit
        self._moments: deque[float] = deque()

    def is_full(self, now: float) -> bool:
        """Return whether one more request would be too many."""
        while self._moments and self._moments[0] <= now - self._seconds:
            self._moments.popleft()
        return 0 < self._limit <= len(self._moments)

    def add(self, now: float) -> None:
        """Count a request."""
        self._moments.append(now)


class Admission:
    """Admits or rejects the requests of an API key, whichever account they are for."""

    def __init__(self, options: Options, clock: Callable[[], float] = time.time) -> None:
        """Start with no request counted.

        Args:
            options: The limits, and the privileges of all users.
            clock: Returns the real time in seconds.
        """
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._last_second = Window(1, options.requests_per_second)
        self._last_minute = Window(MINUTE, options.token_requests_per_minute)
        self._day = 0
        self._today = 0

    def limit_requests(self, per_second: int) -> None:
        """Change the limit of requests per second; 0 = no limit."""
        with self._lock:
            self._last_second = Window(1, per_second)

    def reset_quota(self) -> None:
        """Forget today's requests, as the API does at midnight UTC."""
        with self._lock:
            self._today = 0

    @property
    def requests_today(self) -> int:
        """How many requests were admitted in this UTC day."""
        with self._lock:
            self._begin_day(self._clock())
            return self._today

    def admit(self, endpoint: Endpoint, scopes: tuple[str, ...]) -> None:
        """Admit a request to the API.

        Args:
            endpoint: The requested endpoint.
            scopes: The scopes of the access token.

        Raises:
            ApiError: If the request is rejected.
        """
        with self._lock:
            self._count()
        self._check_permissions(endpoint, scopes)

    def admit_token_request(self) -> None:
        """Admit a request to the token endpoint.

        That there is a limit is documented; its size is an assumption.

        Raises:
            TokenError: If there were too many within a minute.
        """
        with self._lock:
            now = self._clock()
            if self._last_minute.is_full(now):
                raise TokenError(*THROTTLED)
            self._last_minute.add(now)

    def _count(self) -> None:
        """Count a request. That a rejected one does not count is an assumption."""
        now = self._clock()
        options = self._options
        self._begin_day(now)
        if options.daily_quota and self._today >= options.daily_quota:
            raise ApiError(*QUOTA_EXCEEDED)
        if self._last_second.is_full(now):
            raise ApiError(*THROTTLED)
        self._last_second.add(now)
        self._today += 1

    def _begin_day(self, now: float) -> None:
        if int(now // DAY) != self._day:  # the quota resets at midnight UTC (documented)
            self._day, self._today = int(now // DAY), 0

    def _check_permissions(self, endpoint: Endpoint, scopes: tuple[str, ...]) -> None:
        """Check scope and privilege. Key and message of the error are assumptions."""
        if endpoint.scope not in (None, *scopes):
            raise endpoint.service.error(403, "forbidden", f"Scope {endpoint.scope} is missing.")
        if endpoint.privilege not in (None, *self._options.privileges):
            message = f"User privilege {endpoint.privilege} is missing."
            raise endpoint.service.error(403, "forbidden", message)
