"""What all streams of a run share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tap_constantcontact.api.prefetch import PrefetchingSession
from tap_constantcontact.api.rate_limit import RateLimit

if TYPE_CHECKING:
    import requests

    from tap_constantcontact.auth import Login
    from tap_constantcontact.client import ConstantContactStream

_SECONDS_OF_DAY = 86400
#: Seconds to wait for a connection, and for each part of a response.
TIMEOUT_SECONDS = 60


@dataclass
class ApiRun:
    """What all streams of a run share: the login, the limits, a session, and the counts."""

    url: str
    login: Login
    limits: RateLimit
    user_agent: str
    #: How often a request is tried: the default takes about two minutes in all.
    max_attempts: int = 8
    #: Responses by stream.
    responses: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    #: Streams that this account may not read.
    forbidden: set[str] = field(default_factory=set)
    #: Permissions that the API has accepted in this run, in the words of `required_permissions`.
    granted: set[str] = field(default_factory=set)
    #: How many requests may be on their way at a time.
    max_parallel_requests: int = 1
    #: The streams, in the order in which they are read.
    streams: Sequence[ConstantContactStream] = ()
    #: How far our clock is clock_skew of the API's, as far as it is known.
    clock_skew: timedelta | None = None

    def now(self) -> datetime:
        """Return the time by the API's clock, or by ours where that is earlier, in whole seconds.

        A moment that the next run goes on from must not be too late: of answers that are to be
        read, some may have been asked for already. None of them is older.
        """
        return self._before(self.session.age)

    @property
    def requested_at(self) -> datetime:
        """When the answer that was read last was asked for, by the same clock."""
        return self._before(self.session.age_of_last)

    def _before(self, seconds: float) -> datetime:
        clock_skew = self.clock_skew or timedelta(0)
        moment = datetime.now(timezone.utc) - clock_skew - timedelta(seconds=seconds)
        return moment.replace(microsecond=0)

    @property
    def today(self) -> int:
        """The UTC day of that time, counted from 1970."""
        return int(self.now().timestamp()) // _SECONDS_OF_DAY

    def compare_clocks(self, response: requests.Response) -> None:
        """Take notice of the time of an answer; the quickest one tells it best."""
        try:
            date = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return
        sent = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        clock_skew = max(datetime.now(timezone.utc) - sent, timedelta(0))
        self.clock_skew = (
            clock_skew if self.clock_skew is None else min(clock_skew, self.clock_skew)
        )

    @cached_property
    def session(self) -> PrefetchingSession:
        """The connections of the run; each request takes its turn within the limits."""
        return PrefetchingSession(
            self.url,
            self.streams,
            self.max_parallel_requests,
            self.limits,
            self.login,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
