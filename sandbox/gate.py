"""What stands before every answer of the API: token, limits, scope, privilege."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from sandbox.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.api import Endpoint
    from sandbox.options import Options
    from sandbox.tokens import Tokens

DAY = 86_400


class Gate:
    """Lets a request pass or refuses it."""

    def __init__(
        self, options: Options, tokens: Tokens, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the gate.

        Args:
            options: The limits, and what the token and its user may do.
            tokens: The tokens that were issued.
            clock: Tells the real time in seconds.
        """
        self._options = options
        self._tokens = tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._last_second: deque[float] = deque()
        self._day = 0
        self._today = 0

    def admit(self, authorization: str, endpoint: Endpoint | None) -> None:
        """Let a request pass.

        Args:
            authorization: The `Authorization` header, or "".
            endpoint: What is asked for; None if there is no such endpoint.

        Raises:
            ApiError: If the request is refused.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not self._tokens.is_good(token):
            raise ApiError(401, "unauthorized", "Unauthorized", bare=True)
        with self._lock:
            self._count()
        if endpoint is not None:
            self._check_rights(endpoint)

    def _count(self) -> None:
        """Count a request of the key. That a refused one does not count is a guess."""
        now = self._clock()
        options = self._options
        if int(now // DAY) != self._day:  # the quota starts anew at midnight UTC (documented)
            self._day, self._today = int(now // DAY), 0
        if options.daily_quota and self._today >= options.daily_quota:
            raise ApiError(429, "quota_exceeded", "Limit Exceeded", bare=True)
        while self._last_second and self._last_second[0] <= now - 1:
            self._last_second.popleft()
        if options.requests_per_second and len(self._last_second) >= options.requests_per_second:
            raise ApiError(429, "throttled", "Too Many Requests", bare=True)
        self._last_second.append(now)
        self._today += 1

    def _check_rights(self, endpoint: Endpoint) -> None:
        """Check scope and privilege. Key and message of the refusal are guesses."""
        if endpoint.scope not in (None, *self._options.scopes):
            raise endpoint.service.error(403, "forbidden", f"Scope {endpoint.scope} is missing.")
        if endpoint.privilege not in (None, *self._options.privileges):
            message = f"User privilege {endpoint.privilege} is missing."
            raise endpoint.service.error(403, "forbidden", message)
