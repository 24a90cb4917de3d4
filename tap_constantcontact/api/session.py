"""The session of a run: it sends predicted requests ahead, in threads.

Only HTTP leaves the main thread: the order of records, retries, errors and states are those of a
run without prefetching. A wrong prediction costs one request, never a record.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from queue import SimpleQueue
from typing import Any, cast

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from typing_extensions import override

from tap_constantcontact.api.errors import QUOTA_EXCEEDED, error_key
from tap_constantcontact.api.prefetch import Plan, Position, Predictable, PredictedRequest
from tap_constantcontact.api.rate_limit import RateLimit
from tap_constantcontact.api.responses import ApiResponse, retry_after

# Limits of unread responses: for the stream that is being read, and for the streams to come. They
# take up memory: a page of contacts has some hundred KB, most others a few.
_RESPONSES_PER_THREAD = 8
_MAX_BYTES = 6_000_000
_MAX_BYTES_LATER = 2_000_000
# Requests that the main thread has already made, and that aren't worth predicting any more.
_REMEMBERED = 500

# Statuses that a retry may turn into success: not ready, token expired, too slow, too many.
_RETRIABLE = (
    HTTPStatus.ACCEPTED,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_SIGNAL_CHECK_SECONDS = 0.2
_THROTTLE_SECONDS = 1.0
_MAX_RETRY_AFTER_SECONDS = 300.0


class ApiAdapter(HTTPAdapter):
    """An adapter whose responses are `ApiResponse` objects."""

    @override
    def build_response(self, req: PreparedRequest, resp: Any) -> ApiResponse:
        """Build the response to a request.

        Args:
            req: The request.
            resp: The response of urllib3.
        """
        response = ApiResponse()
        vars(response).update(vars(super().build_response(req, resp)))
        return response


@dataclass
class InFlight:
    """A request handed to the threads, and its response once it is there.

    Attributes:
        position: When the main thread will need the response.
        predicted: The request, and what follows from its response.
        started_at: When it was handed to the threads (`time.monotonic`).
        has_slot: Whether it is being sent, and no longer waits for its slot in the rate limit.
        response: The response.
        error: The error raised instead.
        is_followed: Whether the plan has the requests that follow from the response.
    """

    position: Position
    predicted: PredictedRequest
    started_at: float = field(default_factory=time.monotonic)
    has_slot: bool = False
    response: Response | None = None
    error: BaseException | None = None
    is_followed: bool = False

    @property
    def is_done(self) -> bool:
        """Whether there is a response or an error."""
        return self.response is not None or self.error is not None

    @property
    def has_failed(self) -> bool:
        """Whether it is done, but a retry may succeed."""
        if self.response is None:
            return self.error is not None
        status = self.response.status_code
        return status in _RETRIABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def bytes(self) -> int:
        """The size of the response."""
        return len(self.response.content) if self.response is not None else 0


def do_nothing() -> None:
    """Do nothing: the default of `before_wait`."""


class PrefetchingSession(requests.Session):
    """A session that keeps to the rate limit and sends predicted requests ahead."""

    def __init__(
        self,
        url: str,
        streams: Sequence[Predictable],
        threads: int,
        limits: RateLimit,
        authenticate: Callable[[PreparedRequest], PreparedRequest],
        *,
        before_wait: Callable[[], None] = do_nothing,
        **send_arguments: Any,
    ) -> None:
        """Create a session that has sent nothing yet.

        Args:
            url: Base URL of the API.
            streams: The streams, in the order in which they are read.
            threads: Maximum number of concurrent requests; with 1 nothing is prefetched.
            limits: The rate limit.
            authenticate: Signs a request before it takes its slot in the rate limit.
            before_wait: Called in the main thread whenever `send` is about to wait for a response.
            send_arguments: Arguments of `requests.Session.send` for prefetched requests.
        """
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, ApiAdapter())
        # Proxies and certificates of the environment, which `send` would look up each time.
        environment = self.merge_environment_settings(url, {}, None, None, None)
        self.proxies, self.verify = environment["proxies"], environment["verify"]
        self.trust_env = False
        # No cookies, which the threads would share.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._plan = Plan(streams)
        self._threads = threads if threads > 1 else 0
        self._limits = limits
        self._authenticate = authenticate
        self._before_wait = before_wait
        self._send_arguments = send_arguments
        self._in_flight: dict[str, InFlight] = {}
        self._failed: dict[str, InFlight] = {}
        self._last: InFlight | None = None
        self._requested: deque[str] = deque(maxlen=_REMEMBERED)
        self._queue: SimpleQueue[InFlight] = SimpleQueue()
        self._changed = threading.Condition()
        self._events = 0
        self._started_threads = 0
        self._under_way: list[InFlight] = []

    @property
    def oldest_request_age(self) -> float:
        """Seconds since the oldest request whose response is unread, or was read last."""
        requests_made = [*self._in_flight.values(), *([self._last] if self._last else [])]
        if not requests_made:
            return 0.0
        return time.monotonic() - min(each.started_at for each in requests_made)

    @property
    def last_request_age(self) -> float:
        """Seconds since the request whose response was read last."""
        return time.monotonic() - self._last.started_at if self._last else 0.0

    def begin_stream(self, stream: Predictable) -> None:
        """Start to prefetch for a stream; requests predicted for earlier ones are dropped."""
        if self._threads:
            self._plan.begin_stream(stream)
            self._in_flight = self._without_earlier_streams(self._in_flight)
            self._failed = self._without_earlier_streams(self._failed)

    def prefetch(self, predicted: Iterable[PredictedRequest]) -> None:
        """Send requests ahead that the current stream will make next.

        Args:
            predicted: The requests; they are iterated bit by bit. Predicting makes no request.
        """
        if self._threads:
            self._plan.add(Position(self._plan.current, 0), predicted)

    @override
    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Return the response to a request, which may have been prefetched.

        Args:
            request: The request.
            kwargs: Arguments of `requests.Session.send`.

        Raises:
            RunEnded: The request budget or the daily quota is exhausted.
            requests.RequestException: There was no response.
        """
        if not self._threads:
            self._before_wait()
            self._limits.acquire()
            return self._send(request, **kwargs)
        url = str(request.url)
        self._requested.append(url)
        self._set_failed_aside()
        in_flight = self._in_flight.pop(url, None)
        if in_flight is None or not in_flight.is_done:
            self._before_wait()
        self._last = in_flight = in_flight or self._start(self._not_sent_yet(request))
        self._wait_for(in_flight)
        self._plan_following(in_flight)
        if in_flight.has_failed:
            self._failed[url] = in_flight
        self._fill()
        if in_flight.error:
            raise in_flight.error
        return cast("Response", in_flight.response)

    def _send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request; a response that says "too many requests" pauses all of them."""
        response = super().send(request, **kwargs)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            is_quota = error_key(response) == QUOTA_EXCEEDED
            # A gateway might say how long. Assumes: throttling_has_no_retry_after.
            seconds = max(_THROTTLE_SECONDS, retry_after(response))
            self._limits.pause(min(seconds, _MAX_RETRY_AFTER_SECONDS), is_quota=is_quota)
        return response

    def _not_sent_yet(self, request: PreparedRequest) -> InFlight:
        """Return a request that isn't in flight, with what follows from it.

        Its prefetch may have failed, or the main thread was faster than the prediction.
        """
        if failed := self._failed.pop(str(request.url), None):
            return InFlight(failed.position, failed.predicted)
        if series := self._plan.find(str(request.url)):
            self._plan.take(series)
            return InFlight(series.needed_at, series.first)
        position = Position(self._plan.current, 0)
        return InFlight(position, PredictedRequest(request), is_followed=True)

    def _without_earlier_streams(self, in_flight: dict[str, InFlight]) -> dict[str, InFlight]:
        current = self._plan.current
        return {url: each for url, each in in_flight.items() if each.position.stream >= current}

    def _fill(self) -> None:
        """Send predicted requests while there is room for them."""
        self._set_failed_aside()
        for in_flight in list(self._in_flight.values()):
            self._plan_following(in_flight)
        for later in (False, True):
            while self._has_room(later=later) and (series := self._plan.peek(later=later)):
                self._plan.take(series)
                url = series.first.url
                if url not in self._in_flight and url not in self._requested:
                    self._in_flight[url] = self._start(InFlight(series.needed_at, series.first))

    def _set_failed_aside(self) -> None:
        """Leave failed prefetches to the main thread, which sends the request again."""
        for url in [url for url, each in self._in_flight.items() if each.has_failed]:
            self._failed[url] = self._in_flight.pop(url)

    def _has_room(self, *, later: bool) -> bool:
        """Return whether a predicted request may be sent.

        Not while another one waits for its slot, so that urgent requests can still overtake. The
        streams to come have limits of their own.
        """
        under_way = [each for each in self._under_way if not each.is_done]
        current = self._plan.current
        unread = [
            each for each in self._in_flight.values() if (each.position.stream > current) == later
        ]
        max_responses = _RESPONSES_PER_THREAD * self._threads
        return (
            len(under_way) < self._threads
            and all(each.has_slot for each in under_way)
            and len(unread) < max_responses
            and sum(each.bytes for each in unread) < (_MAX_BYTES_LATER if later else _MAX_BYTES)
            and self._limits.has_more_than(2 * max_responses)
        )

    def _plan_following(self, in_flight: InFlight) -> None:
        """Add the requests that follow from a good response to the plan."""
        response = in_flight.response
        if response is None or not response.ok or in_flight.has_failed or in_flight.is_followed:
            return
        in_flight.is_followed = True
        self._plan.add_following(in_flight.position, in_flight.predicted.then(response))

    def _start(self, in_flight: InFlight) -> InFlight:
        """Hand a request to the threads; they are started as they are needed."""
        self._under_way = [*(each for each in self._under_way if not each.is_done), in_flight]
        if self._started_threads < min(len(self._under_way), self._threads):
            self._started_threads += 1
            # Daemons: neither a signal nor the end of the run waits for their responses.
            threading.Thread(target=self._work, daemon=True).start()
        self._queue.put(in_flight)
        return in_flight

    def _work(self) -> None:
        """Send the requests that the main thread hands over."""
        while True:
            in_flight = self._queue.get()
            try:
                # Signed before its slot: a new token may take longer to come than the slot lasts.
                request = self._authenticate(in_flight.predicted.request)
                self._limits.acquire()
                self._update(in_flight, has_slot=True)
                response = self._send(request, **self._send_arguments)
                self._update(in_flight, response=response)
            except BaseException as error:  # noqa: BLE001 - raised in the main thread
                self._update(in_flight, error=error)

    def _update(self, in_flight: InFlight, **changes: Any) -> None:
        """Change a request in flight, and notify the main thread."""
        with self._changed:
            for name, value in changes.items():
                setattr(in_flight, name, value)
            self._events += 1
            self._changed.notify()

    def _wait_for(self, in_flight: InFlight) -> None:
        """Wait until a request is done, and keep the threads busy meanwhile."""
        seen = self._events  # read before the first check, so that no event is missed
        while not in_flight.is_done:
            self._fill()
            seen = self._wait_for_event_after(seen)

    def _wait_for_event_after(self, seen: int) -> int:
        """Wait for an event in any thread, and return the number of events so far.

        Not for long: the system may deliver a signal to any thread, and Python handles it only when
        the main thread runs.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._events > seen, timeout=_SIGNAL_CHECK_SECONDS)
            return self._events
