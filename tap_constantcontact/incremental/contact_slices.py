"""Slices of all contacts by the time of their creation, which never changes.

Once a slice is read, its contacts are done for good, even if pages shift meanwhile; and several
slices can be requested at the same time.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from enum import Enum, auto
from typing import NamedTuple

from tap_constantcontact.timestamps import format_timestamp

SECOND = timedelta(seconds=1)
#: No contact is older than the vendor.
OLDEST = datetime(1995, 1, 1, tzinfo=timezone.utc)

_FIRST_WIDTH = timedelta(days=30)
_GREATEST_WIDTH = timedelta(days=5 * 365)
_GREATEST_FACTOR = 8


class Span(NamedTuple):
    """A span of time.

    Attributes:
        after: Its start; None if it is open to the oldest contact.
        before: Its end; None if it is open to the newest contact.
    """

    after: datetime | None
    before: datetime | None

    @property
    def filter(self) -> dict[str, str]:
        """The query parameters for contacts created in the span; they start a second earlier.

        Whether the API includes the ends is not documented; times of creation have whole seconds
        (observed). Assumes: dates_exclude_their_moment, created_at_never_changes.
        """
        ends = {}
        if self.after:
            ends["created_after"] = format_timestamp(self.after - SECOND)
        if self.before:
            ends["created_before"] = format_timestamp(self.before)
        return ends


class _Stage(Enum):
    """What the current span is requested for."""

    ALL = auto()  # the number of all contacts
    EMPTY = auto()  # a check: no contact was created then, so a count that follows the filter is 0
    WINDOW = auto()  # a window of time, or a part of it
    REST = auto()  # the last slice, down to the oldest contact


class _Part(NamedTuple):
    """A part of a window that is still to come.

    Attributes:
        span: Its time.
        found_after: How many contacts will have been found when it is done, counting those of its
            own that are known.
    """

    span: Span
    found_after: int


class CreatedAtSlicer:
    """Cuts all contacts into slices by the time of their creation, the newest first.

    Two calls step it: request the `current` span, ask `is_slice` whether its contacts are to be
    read, and pass the number of contacts that the API announced to `record_count`. A span of few
    contacts is a slice; one of more is halved. How wide the next window is follows from how many
    contacts the last one had.

    Attributes:
        current: The span to request next; None at the end.
    """

    def __init__(self, size: int, newest: datetime, before: datetime | None = None) -> None:
        """Start with the span of all contacts.

        Args:
            size: How many contacts a slice has, roughly; it has at most twice as many, unless they
                were created in the same second.
            newest: Roughly when the newest contacts were created.
            before: Where to start; None for the newest contact.
        """
        self.current: Span | None = Span(None, before)
        self._stage = _Stage.ALL
        self._size = size
        self._newest = newest
        self._all = 0
        self._found = 0
        # The window, which ends at `before`.
        self._before = before
        self._width = _FIRST_WIDTH
        self._found_before = 0
        self._parts: list[_Part] = []

    def is_slice(self, count: int) -> bool:
        """Return whether the contacts of the current span are to be read as a slice.

        Args:
            count: How many contacts the API announced for it.
        """
        if self.current is None or self._stage is _Stage.EMPTY:
            return False
        return self._stage is _Stage.REST or self._is_small(self.current, count)

    def record_count(self, count: int) -> None:
        """Step from the current span to the next one.

        Args:
            count: How many contacts the API announced for the current span.
        """
        if self.current is None:
            return
        if self._stage is _Stage.WINDOW:
            self._record_part(self.current, count)
        elif self._stage is _Stage.ALL and count > 2 * self._size:
            self._all = count
            self._request(_Stage.EMPTY, Span(None, OLDEST))
        elif self._stage is _Stage.EMPTY and not count:
            self._start_window()
        else:
            # The contract also allows for counts of the whole account, whatever the filter. To
            # halve spans by those would never end.
            self.current = None

    def _record_part(self, span: Span, count: int) -> None:
        """Take the contacts of a part of the window as found, or halve it; step on."""
        if self._is_small(span, count):
            self._found += count
        else:
            self._halve(span, count)
        if self._parts:
            self._request_part()
        else:
            self._end_window()

    def _start_window(self) -> None:
        """Step to the next window, or to the rest if it has few contacts."""
        if self._all - self._found <= self._size or self._end_of_window <= OLDEST:
            self._request(_Stage.REST, Span(None, self._before))
            return
        self._found_before = self._found
        self._parts.append(_Part(Span(self._start_of_window, self._before), self._found))
        self._request_part()

    def _end_window(self) -> None:
        """Step from a window that is done to the next one, by width for about one slice."""
        self._before = self._start_of_window
        factor = self._size / max(1, self._found - self._found_before)
        factor = min(max(factor, 1 / _GREATEST_FACTOR), _GREATEST_FACTOR)
        self._width = min(max(self._width * factor, SECOND), _GREATEST_WIDTH)
        self._start_window()

    @property
    def _end_of_window(self) -> datetime:
        return self._before or self._newest

    @property
    def _start_of_window(self) -> datetime:
        return (self._end_of_window - self._width).replace(microsecond=0)

    def _request_part(self) -> None:
        """Step to the newest part that is still to come; halve those known to be too large."""
        span, found_after = self._parts.pop()
        while not self._is_small(span, found_after - self._found):
            self._halve(span, found_after - self._found)
            span, found_after = self._parts.pop()
        self._request(_Stage.WINDOW, span)

    def _halve(self, span: Span, count: int) -> None:
        """Add the halves of a span to the parts still to come, the newer one to come first.

        Args:
            span: The span.
            count: How many contacts it has; those of the older half follow from the newer one's.
        """
        middle = (self._start_of(span) + self._half(span)).replace(microsecond=0)
        self._parts.append(_Part(span._replace(before=middle), self._found + count))
        self._parts.append(_Part(span._replace(after=middle), self._found))

    def _request(self, stage: _Stage, span: Span) -> None:
        self._stage, self.current = stage, span

    def _is_small(self, span: Span, count: int) -> bool:
        """Return whether a span has few enough contacts for a slice, or cannot be halved."""
        return count <= 2 * self._size or self._half(span) < SECOND

    def _half(self, span: Span) -> timedelta:
        return ((span.before or self._newest) - self._start_of(span)) / 2

    @staticmethod
    def _start_of(span: Span) -> datetime:
        return span.after or OLDEST
