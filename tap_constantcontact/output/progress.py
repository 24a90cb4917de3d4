"""The progress of a run: a live line on a terminal, or a log line now and then.

It reads counts that exist anyway, from a thread of its own, so that it costs nothing per record.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from typing_extensions import override

from tap_constantcontact.output.status_line import Part, StatusLine
from tap_constantcontact.output.summary import counted
from tap_constantcontact.output.terminal import (
    Color,
    Signs,
    Terminal,
    is_terminal,
    terminal_on_stderr,
)

logger = logging.getLogger("tap-constantcontact.progress")

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_DISPLAYS = 0.5
# The pace of the last minute counts: earlier, the API may have throttled.
_PACE_SECONDS = 60.0
_MINUTE = 60
_HOUR = 3600

_BAR_WIDTH = 12


@dataclass(frozen=True)
class Snapshot:
    """The progress of a run at one moment.

    Attributes:
        stream: The stream that is being read; empty before the first one.
        records: Its records so far.
        responses: Its responses so far: pages, and details of rows.
        pages: Its total number of pages if the API announced it, else 0.
        requests: The requests of the run so far.
        requests_today: The requests made with the API key in this UTC day, if known.
        daily_quota: The maximum number of requests per UTC day.
        retries: The retries of the run so far.
        streams: The number of selected streams.
        streams_read: How many of them are read in full.
        seconds: How long the run has taken so far.
    """

    stream: str = ""
    records: int = 0
    responses: int = 0
    pages: int = 0
    requests: int = 0
    requests_today: int = 0
    daily_quota: int = 0
    retries: int = 0
    streams: int = 0
    streams_read: int = 0
    seconds: float = 0.0


class _Sample(NamedTuple):
    taken_at: float
    snapshot: Snapshot


class Pace:
    """How fast a run is, from the snapshots of the last minute."""

    def __init__(self) -> None:
        """Create a pace without snapshots."""
        self._samples: deque[_Sample] = deque()

    def add(self, snapshot: Snapshot, taken_at: float) -> None:
        """Add a snapshot.

        Args:
            snapshot: The snapshot.
            taken_at: Seconds that only increase.
        """
        self._samples.append(_Sample(taken_at, snapshot))
        while taken_at - self._samples[0].taken_at > _PACE_SECONDS:
            self._samples.popleft()

    @property
    def requests_per_second(self) -> float | None:
        """Requests per second, or None while unknown."""
        first, last = self._samples[0], self._samples[-1]
        requests = last.snapshot.requests - first.snapshot.requests
        return _rate(requests, last.taken_at - first.taken_at)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the stream is complete, or None if unknown."""
        last = self._samples[-1]
        stream = last.snapshot.stream
        first = next(sample for sample in self._samples if sample.snapshot.stream == stream)
        responses = last.snapshot.responses - first.snapshot.responses
        rate = _rate(responses, last.taken_at - first.taken_at)
        left = last.snapshot.pages - last.snapshot.responses
        return left / rate if rate and left > 0 else None


class View(Protocol):
    """Shows the progress of a run."""

    #: Seconds between two updates.
    seconds: float

    def show(self, snapshot: Snapshot, pace: Pace) -> None:
        """Show the progress."""

    def close(self) -> None:
        """Stop showing it."""


class LogView(View):
    """Logs lines."""

    def __init__(self) -> None:
        """Create the view."""
        self.seconds = SECONDS_BETWEEN_LINES

    @override
    def show(self, snapshot: Snapshot, pace: Pace) -> None:
        """Log a line."""
        logger.info("%s; %s", stream_progress(snapshot), run_progress(snapshot, pace))

    @override
    def close(self) -> None:
        """Do nothing: the lines stay."""


class TerminalView(View):
    """Updates the last line of a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        """Prepare the line.

        Args:
            terminal: The terminal.
        """
        self.seconds = SECONDS_BETWEEN_DISPLAYS
        self._terminal = terminal
        self._line = StatusLine(terminal)

    @override
    def show(self, snapshot: Snapshot, pace: Pace) -> None:
        """Update the line."""
        self._line.show(status(snapshot, pace, self._terminal.signs))

    @override
    def close(self) -> None:
        """Remove the line."""
        self._line.close()


class Progress:
    """Follows a run until it ends."""

    def __init__(
        self,
        take_snapshot: Callable[[], Snapshot],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to follow a run.

        Args:
            take_snapshot: Returns the progress so far; called from another thread.
            clock: Returns seconds that only increase.
        """
        self._take_snapshot = take_snapshot
        self._clock = clock
        self._pace = Pace()
        self._has_ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start to show the progress, unless that was already done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="progress", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Stop showing it, and clear the line on the terminal."""
        self._has_ended.set()
        if self._thread:
            self._thread.join(timeout=1)

    def _work(self) -> None:
        view = view_for_stderr()
        try:
            self._pace.add(self._take_snapshot(), self._clock())
            while not self._has_ended.wait(view.seconds):
                snapshot = self._take_snapshot()
                self._pace.add(snapshot, self._clock())
                view.show(snapshot, self._pace)
        finally:
            view.close()


def view_for_stderr() -> View:
    """Return a live line if a person is watching stderr, else log lines.

    Records on the same terminal end in the middle of a line, so that the live line would join them.
    """
    terminal = terminal_on_stderr()
    if terminal and terminal.has_cursor and terminal.size.lines and not is_terminal(sys.stdout):
        return TerminalView(terminal)
    return LogView()


def status(snapshot: Snapshot, pace: Pace, signs: Signs) -> list[Part]:
    """Return the parts of the live line, each with its rank: a narrow terminal shows the first."""
    if not snapshot.stream:
        return [Part("Starting", 0)]
    rate, left = pace.requests_per_second, pace.seconds_left
    quota = f"{snapshot.requests_today:,} of {snapshot.daily_quota:,} requests"
    retries = counted(snapshot.retries, "retry", "retries")
    return [
        Part(snapshot.stream, 0, (Color.BOLD, Color.CYAN)),
        Part(_bar(snapshot, signs), 5, (Color.GREEN,)),
        Part(_responses(snapshot), 1),
        Part(counted(snapshot.records, "record", "records"), 3),
        Part(f"{_duration(left)} left" if left is not None else "", 2),
        Part(f"{snapshot.streams_read} of {snapshot.streams} streams", 4),
        Part(quota, 6),
        Part(retries if snapshot.retries else "", 7, (Color.YELLOW,)),
        Part(f"{rate:.1f}/s" if rate is not None else "", 8),
        Part(_clock(snapshot.seconds), 9),
    ]


def stream_progress(snapshot: Snapshot) -> str:
    """Return the progress of the stream, in words for people."""
    if not snapshot.stream:
        return "Starting"
    return f"{snapshot.stream}: {snapshot.records:,} records, {_responses(snapshot)}"


def run_progress(snapshot: Snapshot, pace: Pace) -> str:
    """Return the progress of the run, in words for people."""
    rate, seconds_left = pace.requests_per_second, pace.seconds_left
    parts = [f"{snapshot.requests_today:,} of today's {snapshot.daily_quota:,} requests"]
    if rate is not None:
        parts.append(f"{rate:.1f} requests/s")
    if seconds_left is not None:
        parts.append(f"about {_duration(seconds_left)} left in this stream")
    return ", ".join(parts)


def _rate(number: int, seconds: float) -> float | None:
    return number / seconds if seconds > 0 and number >= 0 else None


def _responses(snapshot: Snapshot) -> str:
    if snapshot.pages:
        return f"page {min(snapshot.responses, snapshot.pages):,} of {snapshot.pages:,}"
    return counted(snapshot.responses, "request", "requests")


def _bar(snapshot: Snapshot, signs: Signs) -> str:
    """Return how much of a stream is read, as a bar; empty if that is unknown."""
    if not snapshot.pages:
        return ""
    done = _BAR_WIDTH * min(snapshot.responses, snapshot.pages) // snapshot.pages
    return signs.bar_done * done + signs.bar_left * (_BAR_WIDTH - done)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"
