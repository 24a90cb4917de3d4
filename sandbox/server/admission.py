"""What stands before every answer of the API: token, limits, scope, privilege."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, MINUTE
from sandbox.server.errors import QUOTA_EXCEEDED, THROTTLED, UNAUTHORIZED, ApiError, TokenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.auth.tokens import Tokens
    from sandbox.server.options import Options
    from sandbox.server.routing import Endpoint


class Window:
    """The requests of the last seconds, of which there may be so many."""

    def __init__(self, seconds: float, most: int) -> None:
        """Begin with none; `most` = 0 sets no limit."""
        self._seconds = seconds
        self._most = most
        self._moments: deque[float] = deque()

    def is_full(self, now: float) -> bool:
        """Tell whether one more request would be too many."""
        while self._moments and self._moments[0] <= now - self._seconds:
            self._moments.popleft()
        return 0 < self._most <= len(self._moments)

    def add(self, now: float) -> None:
        """Count a request."""
        self._moments.append(now)


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
        self._last_second = Window(1, options.requests_per_second)
        self._last_minute = Window(MINUTE, options.token_requests_per_minute)
        self._day = 0
        self._today = 0

    def admit(self, authorization: str, endpoint: Endpoint | None, api_key: str = "") -> None:
        """Let a request pass.

        Args:
            authorization: The `Authorization` header, or "".
            endpoint: What is asked for; None if there is no such endpoint.
            api_key: The `x-api-key` header, or "".

        Raises:
            ApiError: If the request is refused.
        """
        scheme, _, token = authorization.partition(" ")
        for_partners = endpoint is not None and endpoint.service.for_partners
        known = self._tokens.is_good(token, of_partner=for_partners)
        if for_partners:  # which status refuses a wrong key is a guess
            known = known and api_key == self._options.partner_api_key
        if scheme != "Bearer" or not known:
            raise ApiError(*UNAUTHORIZED)
        with self._lock:
            self._count()
        if endpoint is not None:
            self._check_rights(endpoint, self._tokens.scopes_of(token))

    def admit_to_tokens(self) -> None:
        """Let a request pass to the token endpoint.

        That there is a limit is documented; its size and the words of the refusal are guesses.

        Raises:
            TokenError: If there were too many within a minute.
        """
        with self._lock:
            now = self._clock()
            if self._last_minute.is_full(now):
                raise TokenError(*THROTTLED)
            self._last_minute.add(now)

    def _count(self) -> None:
        """Count a request of the key. That a refused one does not count is a guess."""
        now = self._clock()
        options = self._options
        if int(now // DAY) != self._day:  # the quota starts anew at midnight UTC (documented)
            self._day, self._today = int(now // DAY), 0
        if options.daily_quota and self._today >= options.daily_quota:
            raise ApiError(*QUOTA_EXCEEDED)
        if self._last_second.is_full(now):
            raise ApiError(*THROTTLED)
        self._last_second.add(now)
        self._today += 1

    def _check_rights(self, endpoint: Endpoint, scopes: tuple[str, ...]) -> None:
        """Check scope and privilege. Key and message of the refusal are guesses."""
        if endpoint.scope not in (None, *scopes):
            raise endpoint.service.error(403, "forbidden", f"Scope {endpoint.scope} is missing.")
        if endpoint.privilege not in (None, *self._options.privileges):
            message = f"User privilege {endpoint.privilege} is missing."
            raise endpoint.service.error(403, "forbidden", message)
