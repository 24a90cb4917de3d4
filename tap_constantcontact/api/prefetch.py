"""Requests that are sent ahead of the loop that makes them.

The API takes its time to answer and allows four requests a second: a loop that waits for each
answer uses a part of them. So streams prefetch what they will ask for, a few threads ask, and the
answer is handed over when the loop sends that very request. Only HTTP leaves the main thread:
order, retries, errors and states are those of the loop, and a wrong guess costs a request, never a
record.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

import requests.models

from tap_constantcontact.api.errors import QUOTA_EXCEEDED, error_key

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from tap_constantcontact.api.rate_limit import RateLimit

logger = logging.getLogger("tap-constantcontact.read-ahead")

_Foreseen = TypeVar("_Foreseen")

# The window: answers that wait to be asked for, by the stream that is being read and by those to
# come. They take up memory: a page of contacts some hundred KB, most others a few.
_ANSWERS_PER_THREAD = 8
_BYTES = 6_000_000
_BYTES_LATER = 2_000_000
# The loop may have asked for something before it was foreseen.
_REMEMBERED = 500

# A page of contacts has 600 KB, and the pieces that answers are read in had 10: each takes the turn
# of Python's lock from the loop.
requests.models.CONTENT_CHUNK_SIZE = 1024 * 1024

# Answers that the next try may not get: not ready, a spent token, too slow, too many.
_PASSING = (
    HTTPStatus.ACCEPTED,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_SERVER_ERRORS = HTTPStatus.INTERNAL_SERVER_ERROR
_MOMENT_SECONDS = 0.2
_THROTTLE_SECONDS = 1.0
_LONGEST_RETRY_AFTER_SECONDS = 300.0


def _nothing(_: Response) -> Iterable[PredictedRequest]:
    return ()


class PredictedRequest(NamedTuple):
    """A request that the loop is likely to make.

    Attributes:
        request: the request.
        then: returns what else will be asked for, when its answer is there; it is called in the
            main thread, and makes no request itself. An error that it raises is the loop's to
            raise: nothing follows.
    """

    request: PreparedRequest
    then: Callable[[Response], Iterable[PredictedRequest]] = _nothing

    @property
    def url(self) -> str:
        """The address by which the loop's request is known."""
        return str(self.request.url)


class Predictable(Protocol):
    """A stream that knows what it will ask for."""

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the requests to come in their order, or None as long as that is not known.

        They are gone through bit by bit, before the stream begins or after that. To tell them makes
        no request.
        """

    @property
    def may_be_forbidden(self) -> bool:
        """Whether it is not known yet that this account may read the stream."""


def _tried(prefetch: Callable[[], _Foreseen]) -> _Foreseen | None:
    """Return what is foreseen, or None: what an odd answer means is for the loop to find out."""
    try:
        return prefetch()
    except Exception as error:  # noqa: BLE001 - a guess is never worth a run
        logger.debug("Something was not foreseen: %s", type(error).__name__)
        return None


class _Place(NamedTuple):
    """When the loop will need a guess.

    Attributes:
        stream: number of the stream that will need it.
        position: its place among the guesses of that stream.
    """

    stream: int
    position: int

    def next(self) -> _Place:
        return self._replace(position=self.position + 1)


@dataclass(order=True)
class _Line:
    """Guesses that wait, in their order: those of one stream, or what follows from an answer."""

    place: _Place
    serial: int
    guess: PredictedRequest = field(compare=False)
    rest: Iterator[PredictedRequest] = field(compare=False)


@dataclass
class _Sent:
    """A request on its way, and its answer.

    Attributes:
        place: when the loop will need it.
        guess: the request, and what follows from it.
        at: when it was given to the threads (`time.monotonic`).
        had_turn: whether it was sent, and does not wait for its turn.
        answer: the answer, when it is there.
        error: what went wrong instead.
        is_followed: whether it was foreseen what follows.
    """

    place: _Place
    guess: PredictedRequest
    at: float = field(default_factory=time.monotonic)
    had_turn: bool = False
    answer: Response | None = None
    error: BaseException | None = None
    is_followed: bool = False

    @property
    def is_done(self) -> bool:
        return self.answer is not None or self.error is not None

    @property
    def has_failed(self) -> bool:
        """Whether another try may help."""
        if self.answer is None:
            return self.error is not None
        return self.answer.status_code in _PASSING or self.answer.status_code >= _SERVER_ERRORS

    @property
    def bytes(self) -> int:
        return len(self.answer.content) if self.answer is not None else 0


class _Outlook:
    """What the loop will ask for, in the order in which it will need it."""

    def __init__(self, streams: Sequence[Predictable]) -> None:
        """Begin with no stream: nothing is foreseen before one is read.

        Args:
            streams: the streams, in the order in which they are read.
        """
        #: The number of the stream that is being read.
        self.current = len(streams)
        self._streams = streams
        self._foreseen: set[int] = set()
        self._tried: set[int] = set()
        self._allowed: set[int] = set()
        self._lines: defaultdict[int, list[_Line]] = defaultdict(list)
        self._serials = count()

    def begin(self, stream: Predictable) -> None:
        """Go on to a stream, and forget what was foreseen of those before."""
        self.current = self._streams.index(stream)
        for number in [number for number in self._lines if number < self.current]:
            del self._lines[number]

    def add(self, place: _Place, guesses: Iterator[PredictedRequest]) -> None:
        """Add guesses: the first is needed at a place, the others after it."""
        if guess := _tried(lambda: next(guesses, None)):
            self._lines[place.stream].append(_Line(place, next(self._serials), guess, guesses))

    def follow(self, place: _Place, guesses: Iterable[PredictedRequest]) -> None:
        """Add what follows from a good answer, which shows that its stream may be read."""
        self._allowed.add(place.stream)
        self.add(place, iter(guesses))

    def first(self, *, later: bool) -> _Line | None:
        """Return what the loop will need first, without taking it out.

        Args:
            later: of the streams to come, and not of the one that is being read.
        """
        numbers = range(self.current, len(self._streams))
        for number in numbers[1:] if later else numbers[:1]:
            lines = self._lines_of(number)
            if lines and not self._is_doubtful(number):
                return min(lines)
        return None

    def take(self, line: _Line) -> None:
        """Take a guess out; its line goes on with the next one."""
        self._lines[line.place.stream].remove(line)
        self._tried.add(line.place.stream)
        self.add(line.place.next(), line.rest)

    def find(self, url: str) -> _Line | None:
        """Return the guess of an address, where it is the first of its line."""
        if self.current < len(self._streams):
            self._lines_of(self.current)
        lines = (line for of_stream in self._lines.values() for line in of_stream)
        return next((line for line in lines if line.guess.url == url), None)

    def _lines_of(self, number: int) -> list[_Line]:
        """Return the lines of a stream, which is asked what it foresees as long as that is new."""
        if number not in self._foreseen:
            guesses = _tried(self._streams[number].predicted_requests)
            if guesses is not None:
                self._foreseen.add(number)
                self.add(_Place(number, 0), iter(guesses))
        return self._lines[number]

    def _is_doubtful(self, stream: int) -> bool:
        """Return whether a stream was tried, and may be refused: one refusal is enough."""
        is_known = stream in self._allowed or not self._streams[stream].may_be_forbidden
        return stream in self._tried and not is_known


class PrefetchingSession(requests.Session):
    """A session that sends requests within limits, in threads before it is asked for them."""

    def __init__(
        self,
        url: str,
        streams: Sequence[Predictable],
        threads: int,
        limits: RateLimit,
        authenticate: Callable[[PreparedRequest], PreparedRequest],
        **send_arguments: Any,
    ) -> None:
        """Begin without a guess.

        Args:
            url: address of what is asked.
            streams: the streams, in the order in which they are read.
            threads: how many requests may be on their way at a time; 1 leaves all to the loop.
            limits: the limits of the run.
            authenticate: signs a request just before it is sent.
            send_arguments: arguments of `requests.Session.send` for requests sent ahead.
        """
        super().__init__()
        # Proxies and certificates of the environment; `send` looks for the former each time.
        of_environment = self.merge_environment_settings(url, {}, None, None, None)
        self.proxies, self.verify = of_environment["proxies"], of_environment["verify"]
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # threads would share them
        self._outlook = _Outlook(streams)
        self._threads = threads if threads > 1 else 0
        self._limits = limits
        self._authenticate = authenticate
        self._send_arguments = send_arguments
        self._sent: dict[str, _Sent] = {}
        self._failed: dict[str, _Sent] = {}
        self._last: _Sent | None = None
        self._asked: deque[str] = deque(maxlen=_REMEMBERED)
        self._queue: SimpleQueue[_Sent] = SimpleQueue()
        self._changed = threading.Condition()
        self._events = 0
        self._started = 0
        self._under_way: list[_Sent] = []

    @property
    def age(self) -> float:
        """Seconds since the oldest request was made whose answer waits, or was handed over last."""
        sent = [*self._sent.values(), *([self._last] if self._last else [])]
        return time.monotonic() - min(each.at for each in sent) if sent else 0.0

    @property
    def age_of_last(self) -> float:
        """Seconds since the request was made whose answer was handed over last."""
        return time.monotonic() - self._last.at if self._last else 0.0

    def begin(self, stream: Predictable) -> None:
        """Take note that the loop begins with a stream; guesses for earlier ones were wrong."""
        if self._threads:
            self._outlook.begin(stream)
            self._sent = self._of_now(self._sent)
            self._failed = self._of_now(self._failed)

    def prefetch(self, guesses: Iterable[PredictedRequest]) -> None:
        """Take note of what the loop will ask for next.

        Args:
            guesses: are gone through bit by bit; to tell them makes no request.
        """
        if self._threads:
            self._outlook.add(_Place(self._outlook.current, 0), iter(guesses))

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Return the answer to a request of the loop, which may have been sent already.

        Args:
            request: the request.
            kwargs: arguments of `requests.Session.send`.

        Raises:
            RunEnded: there are no requests left.
            requests.RequestException: there was no answer.
        """
        if not self._threads:
            self._limits.acquire()
            return self._send(request, **kwargs)
        url = str(request.url)
        self._asked.append(url)
        self._forget_failed()
        sent = self._sent.pop(url, None) or self._start(self._not_sent(request))
        self._last = sent
        seen = self._events  # before the look at the answer: none that comes after it is missed
        while not sent.is_done:
            self._fill()
            seen = self._wait_for_more_than(seen)
        self._follow(sent)
        if sent.has_failed:
            self._failed[url] = sent
        self._fill()
        if sent.error:
            raise sent.error
        return cast("Response", sent.answer)

    def _send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request; an answer that says "too many" holds all requests back."""
        response = super().send(request, **kwargs)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            is_quota = error_key(response) == QUOTA_EXCEEDED
            self._limits.pause(_retry_after(response), is_quota=is_quota)
        return response

    def _not_sent(self, request: PreparedRequest) -> _Sent:
        """Return a request that was not sent ahead, with what follows from it.

        It may be one that has failed, or a guess that the loop is ahead of.
        """
        if failed := self._failed.pop(str(request.url), None):
            return _Sent(failed.place, failed.guess)
        if line := self._outlook.find(str(request.url)):
            self._outlook.take(line)
            return _Sent(line.place, line.guess)
        return _Sent(_Place(self._outlook.current, 0), PredictedRequest(request), is_followed=True)

    def _of_now(self, sent: dict[str, _Sent]) -> dict[str, _Sent]:
        """Return the requests that are not of an earlier stream."""
        current = self._outlook.current
        return {url: each for url, each in sent.items() if each.place.stream >= current}

    def _fill(self) -> None:
        """Send what is foreseen, as far as there is room."""
        self._forget_failed()
        for sent in list(self._sent.values()):
            self._follow(sent)
        for later in (False, True):
            while self._has_room(later=later) and (line := self._outlook.first(later=later)):
                self._outlook.take(line)
                url = line.guess.url
                if url not in self._sent and url not in self._asked:
                    self._sent[url] = self._start(_Sent(line.place, line.guess))

    def _forget_failed(self) -> None:
        """Leave what has failed to the loop, which makes another try."""
        for url in [url for url, sent in self._sent.items() if sent.has_failed]:
            self._failed[url] = self._sent.pop(url)

    def _has_room(self, *, later: bool) -> bool:
        """Return whether a guess may be sent.

        None may if another request waits for its turn: what the loop needs sooner would come after
        it. Streams to come have a window of their own.
        """
        under_way = [each for each in self._under_way if not each.is_done]
        sent = self._sent.values()
        current = self._outlook.current
        beside = [each for each in sent if (each.place.stream > current) == later]
        most = _ANSWERS_PER_THREAD * self._threads
        return (
            len(under_way) < self._threads
            and all(each.had_turn for each in under_way)
            and len(beside) < most
            and sum(each.bytes for each in beside) < (_BYTES_LATER if later else _BYTES)
            and self._limits.has_more_than(2 * most)
        )

    def _follow(self, sent: _Sent) -> None:
        """Foresee what follows from a good answer."""
        is_good = sent.answer is not None and sent.answer.ok and not sent.has_failed
        if is_good and not sent.is_followed:
            sent.is_followed = True
            self._outlook.follow(sent.place, sent.guess.then(cast("Response", sent.answer)))

    def _start(self, sent: _Sent) -> _Sent:
        """Give a request to the threads, of which there are no more than are needed at a time."""
        self._under_way = [*(each for each in self._under_way if not each.is_done), sent]
        if self._started < min(len(self._under_way), self._threads):
            self._started += 1
            # Daemons: neither a signal nor the end of the run waits for their answers.
            threading.Thread(target=self._work, daemon=True).start()
        self._queue.put(sent)
        return sent

    def _work(self) -> None:
        """Send what the main thread gives."""
        while True:
            sent = self._queue.get()
            try:
                self._limits.acquire()
                self._note(sent, had_turn=True)
                request = self._authenticate(sent.guess.request)
                self._note(sent, answer=self._send(request, **self._send_arguments))
            except BaseException as error:  # noqa: BLE001 - it is raised in the loop
                self._note(sent, error=error)

    def _wait_for_more_than(self, events: int) -> int:
        """Wait until something has become of some request; return how often that was so far.

        Not for long: any thread may be given a signal, and the main thread handles it when it runs.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._events > events, timeout=_MOMENT_SECONDS)
            return self._events

    def _note(self, sent: _Sent, **news: Any) -> None:
        """Let the main thread know what became of a request."""
        with self._changed:
            for name, value in news.items():
                setattr(sent, name, value)
            self._events += 1
            self._changed.notify()


def _retry_after(response: Response) -> float:
    """Return the seconds to hold requests back; the API sends no Retry-After, a gateway might."""
    try:
        wait = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return _THROTTLE_SECONDS
    return min(max(wait, _THROTTLE_SECONDS), _LONGEST_RETRY_AFTER_SECONDS)
