"""Predicted requests, and the plan of what a run will request next.

The API takes its time to respond and allows four requests per second: a loop that waits for each
response would use only some of them. So streams predict their requests, and the session sends them
ahead (see `docs/concepts/prefetching.md`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple, Protocol, TypeVar

from requests import PreparedRequest, Response

logger = logging.getLogger("tap-constantcontact.prefetch")

_Prediction = TypeVar("_Prediction")


def _nothing(_: Response) -> Iterable[PredictedRequest]:
    return ()


class PredictedRequest(NamedTuple):
    """A request that a stream is likely to make.

    Attributes:
        request: The request.
        then: Returns the requests that follow from the response. It is called in the main thread
            and makes no request itself. If it raises an error, nothing follows: the stream will
            run into the same error.
        later: How many of the requests predicted after it the stream will make before it. It is
            sent early all the same, as others follow from its response.
    """

    request: PreparedRequest
    then: Callable[[Response], Iterable[PredictedRequest]] = _nothing
    later: int = 0

    @property
    def url(self) -> str:
        """The URL, by which the stream's own request is recognized."""
        return str(self.request.url)


class Predictable(Protocol):
    """A stream that can predict its requests."""

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the requests to come, in order, or None while they aren't known yet.

        They are iterated bit by bit, before the stream starts or later. Predicting makes no
        request.
        """

    @property
    def may_be_forbidden(self) -> bool:
        """Whether this account might not be allowed to read the stream."""

    @property
    def leads_to_others(self) -> bool:
        """Whether requests of many other streams follow from its responses."""


class Position(NamedTuple):
    """When the run will need a response; positions sort in that order.

    Attributes:
        stream: Index of the stream that will need it.
        request: Index among the requests of that stream.
    """

    stream: int
    request: int

    def after(self, requests: int) -> Position:
        """Return the position that comes after this one by some requests."""
        return self._replace(request=self.request + requests)


@dataclass(order=True)
class Series:
    """Predicted requests that follow each other.

    Attributes:
        position: The position of the first one, by which it is sent.
        serial: Puts the older of two series at the same position first.
        first: The first one.
        rest: The others.
    """

    position: Position
    serial: int
    first: PredictedRequest = field(compare=False)
    rest: Iterator[PredictedRequest] = field(compare=False)

    @property
    def needed_at(self) -> Position:
        """When the response to the first one will be needed."""
        return self.position.after(self.first.later)


class Plan:
    """The requests that a run is likely to make, in the order in which it needs the responses."""

    def __init__(self, streams: Sequence[Predictable]) -> None:
        """Create an empty plan: nothing is predicted before a stream starts.

        Args:
            streams: The streams, in the order in which they are read.
        """
        #: Index of the stream that is being read.
        self.current = len(streams)
        self._streams = streams
        self._predicted: set[int] = set()
        self._tried: set[int] = set()
        self._allowed: set[int] = set()
        self._series: defaultdict[int, list[Series]] = defaultdict(list)
        self._serials = count()

    def begin_stream(self, stream: Predictable) -> None:
        """Move on to a stream, and forget the requests predicted for earlier ones."""
        self.current = self._streams.index(stream)
        for number in [number for number in self._series if number < self.current]:
            del self._series[number]

    def add(self, position: Position, predicted: Iterable[PredictedRequest]) -> None:
        """Add requests.

        Args:
            position: The position of the first one; the others come right after it.
            predicted: The requests.
        """
        rest = iter(predicted)
        if first := _try_to(lambda: next(rest, None)):
            self._series[position.stream].append(Series(position, next(self._serials), first, rest))

    def add_following(self, position: Position, predicted: Iterable[PredictedRequest]) -> None:
        """Add requests that follow from a good response, which shows the stream is allowed.

        Args:
            position: The position of the response.
            predicted: The requests.
        """
        self._allowed.add(position.stream)
        self.add(position, predicted)

    def peek(self, *, later: bool) -> Series | None:
        """Return the series whose first request is needed next.

        Args:
            later: Whether to look at the streams to come instead of the current one.
        """
        numbers = range(self.current, len(self._streams))
        for number in self._most_urgent_first(numbers[1:]) if later else numbers[:1]:
            series = self._series_of(number)
            if series and not self._may_be_wasted(number):
                return min(series)
        return None

    def _most_urgent_first(self, numbers: Iterable[int]) -> list[int]:
        """Return streams in the order in which to prefetch for them.

        Where others wait for the last page of a long list, the first one can't come too early.
        """
        return sorted(numbers, key=lambda number: not self._streams[number].leads_to_others)

    def find(self, url: str) -> Series | None:
        """Return the series that begins with the request for a URL."""
        if self.current < len(self._streams):
            self._series_of(self.current)
        everything = (series for of_stream in self._series.values() for series in of_stream)
        return next((series for series in everything if series.first.url == url), None)

    def take(self, series: Series) -> None:
        """Remove the first request of a series; the rest stays in the plan."""
        self._series[series.position.stream].remove(series)
        self._tried.add(series.position.stream)
        self.add(series.position.after(1), series.rest)

    def _series_of(self, number: int) -> list[Series]:
        """Return the series of a stream. Its predictions are requested until it has some."""
        if number not in self._predicted:
            predicted = _try_to(self._streams[number].predicted_requests)
            if predicted is not None:
                self._predicted.add(number)
                self.add(Position(number, 0), predicted)
        return self._series[number]

    def _may_be_wasted(self, number: int) -> bool:
        """Return whether a stream may turn out to be forbidden: one 403 is enough to find out."""
        is_allowed = number in self._allowed or not self._streams[number].may_be_forbidden
        return number in self._tried and not is_allowed


def _try_to(predict: Callable[[], _Prediction]) -> _Prediction | None:
    """Return a prediction, or None if it fails: the stream will deal with the odd response."""
    try:
        return predict()
    except Exception as error:  # noqa: BLE001 - no prediction is worth a failed run
        logger.debug("Prediction failed: %s", type(error).__name__)
        return None
