"""Shared by all streams of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Protocol

from requests import Response

from tap_constantcontact.api.authentication import Login
from tap_constantcontact.api.prefetch import Predictable
from tap_constantcontact.api.rate_limit import RateLimit
from tap_constantcontact.api.session import PrefetchingSession, do_nothing
from tap_constantcontact.exceptions import Forbidden, NotFound

_SECONDS_PER_DAY = 86400
#: Seconds to wait for a connection, and for each part of a response.
TIMEOUT_SECONDS = 60


class Refusable(Protocol):
    """A stream that the API may refuse.

    Attributes:
        name: Its name.
    """

    name: str

    @property
    def permissions(self) -> str:
        """The permissions that it requires, described for people."""


@dataclass
class RunContext:
    """The login, rate limit, session and counts that all streams of a run share.

    Attributes:
        url: Base URL of the API.
        login: The login.
        limits: The rate limit.
        user_agent: Name of the tap for the API's logs.
        max_attempts: How often a request is tried; the default takes about two minutes in all.
        responses: Number of responses, by stream.
        retries: Number of retries.
        unreadable: Streams that this account can't read, and why.
        answered: Streams that the API has sent a page or a detail of.
        granted: Permissions that the API has accepted in this run, as `required_permissions` words
            them.
        max_parallel_requests: Maximum number of concurrent requests.
        streams: The streams, in the order in which they are read.
        clock_skew: How far our clock is ahead of the API's, once known.
        before_wait: Called in the main thread whenever a stream is about to wait for a response.
    """

    url: str
    login: Login
    limits: RateLimit
    user_agent: str
    max_attempts: int = 8
    responses: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    granted: set[str] = field(default_factory=set)
    max_parallel_requests: int = 1
    streams: Sequence[Predictable] = ()
    clock_skew: timedelta | None = None
    before_wait: Callable[[], None] = do_nothing

    def note_unreadable(self, stream: Refusable, refusal: Forbidden | NotFound) -> bool:
        """Note that this account can't read a stream, if a refusal means that.

        Args:
            stream: The stream.
            refusal: The API's answer: a missing permission, or a path that the API doesn't have.

        Returns:
            Whether it does; not if the path of a later page or of a single item is unknown.
        """
        if isinstance(refusal, Forbidden):
            self.unreadable[stream.name] = f"requires {stream.permissions}"
        elif refusal.may_lack_route and stream.name not in self.answered:
            self.unreadable[stream.name] = "the API doesn't have it"
        return stream.name in self.unreadable

    def why_unreadable(self, names: Iterable[str]) -> str:
        """Return why one of some streams can't be read; "" if nothing is known of them."""
        return next((self.unreadable[name] for name in names if name in self.unreadable), "")

    def now(self) -> datetime:
        """Return the time from which the next run can safely resume, in whole seconds.

        It is the time by the API's clock, or by ours if that is earlier, when the oldest request
        was made whose response is still unread: no response yet to be read is older.
        """
        return self._time_before(self.session.oldest_request_age)

    @property
    def requested_at(self) -> datetime:
        """When the response that was read last was requested, by the same clock."""
        return self._time_before(self.session.last_request_age)

    def _time_before(self, seconds: float) -> datetime:
        clock_skew = self.clock_skew or timedelta(0)
        moment = datetime.now(timezone.utc) - clock_skew - timedelta(seconds=seconds)
        return moment.replace(microsecond=0)

    @property
    def today(self) -> int:
        """The UTC day of `now`, in days since 1970."""
        return int(self.now().timestamp()) // _SECONDS_PER_DAY

    def update_clock_skew(self, response: Response) -> None:
        """Update the clock skew from a response's Date header.

        The smallest skew is the most accurate: it had the least delay on the way.
        """
        try:
            date = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return
        sent_at = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        skew = max(datetime.now(timezone.utc) - sent_at, timedelta(0))
        self.clock_skew = skew if self.clock_skew is None else min(skew, self.clock_skew)

    @cached_property
    def session(self) -> PrefetchingSession:
        """The session of the run; each request waits for its slot in the rate limit."""
        return PrefetchingSession(
            self.url,
            self.streams,
            self.max_parallel_requests,
            self.limits,
            self.login,
            before_wait=self.before_wait,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
