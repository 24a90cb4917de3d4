"""How all contacts are cut into slices by the time of their creation, which never changes.

When a slice is read, its contacts are done for good, however the pages shift meanwhile; and several
slices can be asked for at the same time.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from tap_constantcontact.timestamps import format_timestamp

SECOND = timedelta(seconds=1)
#: No contact is older than the vendor.
OLDEST = datetime(1995, 1, 1, tzinfo=timezone.utc)

_FIRST_WIDTH = timedelta(days=30)
_GREATEST_WIDTH = timedelta(days=5 * 365)
_GREATEST_STEP = 8


class Span(NamedTuple):
    """Some time.

    Attributes:
        after: its begin; None for the oldest contact.
        before: its end; None for the newest contact.
    """

    after: datetime | None
    before: datetime | None

    @property
    def filter(self) -> dict[str, str]:
        """The query parameters that let in the contacts created then; it begins a second earlier.

        Whether its ends belong to it is not said; times of creation have whole seconds (seen).
        """
        ends = {}
        if self.after:
            ends["created_after"] = format_timestamp(self.after - SECOND)
        if self.before:
            ends["created_before"] = format_timestamp(self.before)
        return ends


#: A time in which no contact was created.
NOBODY = Span(None, OLDEST)


class Cut(NamedTuple):
    """How to cut all contacts into slices.

    Attributes:
        size: how many contacts a slice has, roughly; it has no more than twice as many, unless they
            were created in the same second.
        newest: a moment at which the newest contacts were created, roughly.
        before: where to begin; None for the newest contact.
    """

    size: int
    newest: datetime
    before: datetime | None

    def spans(self) -> Generator[Span, int, None]:
        """Yield the time of each walk to begin: all, nobody, and the slices, the newest first.

        It is sent how many contacts the API announces for each. What is small is a slice, anything
        else is cut. How wide a slice is follows from how many contacts the last one had.
        """
        left = yield Span(None, self.before)
        if left <= 2 * self.size:
            return
        # The contract says of the numbers that they are of the filter, and that they are of the
        # account: slices that are halved by a wrong number would come to no end.
        if (yield NOBODY):
            return
        width, before = _FIRST_WIDTH, self.before
        while left > self.size and (before or self.newest) > OLDEST:
            after = ((before or self.newest) - width).replace(microsecond=0)
            found = yield from self._parts(Span(after, before))
            left -= found
            before = after
            step = min(max(self.size / max(1, found), 1 / _GREATEST_STEP), _GREATEST_STEP)
            width = min(max(width * step, SECOND), _GREATEST_WIDTH)
        yield Span(None, before)

    def is_small(self, span: Span, count: int) -> bool:
        """Return whether the contacts of some time are few enough for a slice, or cannot be cut.

        Args:
            span: the time.
            count: how many contacts it has.
        """
        return count <= 2 * self.size or self._half(span) < SECOND

    def _parts(self, span: Span, count: int = 0) -> Generator[Span, int, int]:
        """Yield some time, or its halves if it has too many contacts; return how many it has.

        Args:
            span: the time.
            count: how many contacts it has, if it is known.
        """
        if self.is_small(span, count):
            count = yield span
            if self.is_small(span, count):
                return count
        middle = (self._begin_of(span) + self._half(span)).replace(microsecond=0)
        newer = yield from self._parts(span._replace(after=middle))
        older = yield from self._parts(span._replace(before=middle), count - newer)
        return newer + older

    def _half(self, span: Span) -> timedelta:
        return ((span.before or self.newest) - self._begin_of(span)) / 2

    @staticmethod
    def _begin_of(span: Span) -> datetime:
        return span.after or OLDEST
