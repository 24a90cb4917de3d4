"""How far a run is, while it runs: a display on a terminal, else a line now and then.

It looks at counts that are kept anyway, from a thread of its own, so that records cost no more.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Protocol

logger = logging.getLogger("tap-constantcontact.progress")

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_DISPLAYS = 0.5
# The pace is that of the last seconds: a stream may wait for a throttling API.
_PACE_SECONDS = 60.0
_MINUTE = 60
_HOUR = 3600

_BAR = 12
_WIDTH, _HEIGHT = 80, 24


@dataclass(frozen=True)
class Snapshot:
    """How far a run is at a moment.

    Attributes:
        stream: the stream that is being read; nothing before the first one.
        records: its records so far.
        answers: its answers so far: pages, and details of rows.
        of_pages: how many pages it has, where the API tells; else 0.
        requests: the requests of the run so far.
        today: the requests of the API key in this UTC day, as far as they are known.
        daily_quota: the most of them.
    """

    stream: str = ""
    records: int = 0
    answers: int = 0
    of_pages: int = 0
    requests: int = 0
    today: int = 0
    daily_quota: int = 0


@dataclass(frozen=True)
class _Moment:
    at: float
    look: Snapshot


class Pace:
    """How fast a run is, from what was seen in the last minute."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._seen: deque[_Moment] = deque()

    def see(self, look: Snapshot, at: float) -> None:
        """Take notice of how far a run is.

        Args:
            look: how far it is.
            at: when, in seconds that only go forward.
        """
        self._seen.append(_Moment(at, look))
        while at - self._seen[0].at > _PACE_SECONDS:
            self._seen.popleft()

    @property
    def requests_per_second(self) -> float | None:
        """The requests in a second, or None as long as that is not known."""
        first, last = self._seen[0], self._seen[-1]
        return _rate(last.look.requests - first.look.requests, last.at - first.at)

    @property
    def seconds_left(self) -> float | None:
        """The seconds until the stream is read, or None where that cannot be known."""
        last = self._seen[-1]
        first = next(moment for moment in self._seen if moment.look.stream == last.look.stream)
        rate = _rate(last.look.answers - first.look.answers, last.at - first.at)
        left = last.look.of_pages - last.look.answers
        return left / rate if rate and left > 0 else None


class View(Protocol):
    """Shows how far a run is."""

    #: Seconds between two looks.
    seconds: float

    def show(self, look: Snapshot, pace: Pace) -> None:
        """Show it."""

    def close(self) -> None:
        """End the display."""


class Lines:
    """Says it in lines of the log."""

    def __init__(self) -> None:
        """Begin."""
        self.seconds = SECONDS_BETWEEN_LINES

    def show(self, look: Snapshot, pace: Pace) -> None:
        """Log a line."""
        logger.info("%s; %s", said_of_stream(look), said_of_run(look, pace))

    def close(self) -> None:
        """Nothing is to be taken away."""


class Display:
    """Shows it in the last line of a terminal, below what is logged."""

    def __init__(self) -> None:
        """Take the last line of the terminal."""
        from tqdm import tqdm  # noqa: PLC0415 - only a terminal needs it
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

        self.seconds = SECONDS_BETWEEN_DISPLAYS
        tqdm.monitor_interval = 0  # no thread more: it is told when to look
        self._open = ExitStack()
        # Where a terminal does not know its size, tqdm would show nothing.
        self._bar = tqdm(
            file=sys.stderr, leave=False, bar_format="{desc}", ncols=_width(), nrows=_HEIGHT
        )
        self._open.callback(self._bar.close)
        self._open.enter_context(logging_redirect_tqdm())

    def show(self, look: Snapshot, pace: Pace) -> None:
        """Write the line anew, cut to the width of the terminal."""
        self._bar.total = look.of_pages or None
        self._bar.n = min(look.answers, look.of_pages)
        bar = f" |{{bar:{_BAR}}}| " if look.of_pages else "; "
        self._bar.bar_format = f"{said_of_stream(look)}{bar}{said_of_run(look, pace)}"
        self._bar.ncols = _width()  # it is cut to that
        self._bar.refresh()

    def close(self) -> None:
        """Give the line back."""
        self._open.close()


class Progress:
    """Looks at a run until it ends."""

    def __init__(
        self, look: Callable[[], Snapshot], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare.

        Args:
            look: tells how far the run is; is called from another thread.
            clock: seconds that only go forward.
        """
        self._look = look
        self._clock = clock
        self._pace = Pace()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Look from here on; it goes on where it has begun already."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="progress", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Look no more, and give the terminal back."""
        self._over.set()
        if self._thread:
            self._thread.join(timeout=1)

    def _work(self) -> None:
        view = view_for_stderr()
        try:
            self._pace.see(self._look(), self._clock())
            while not self._over.wait(view.seconds):
                look = self._look()
                self._pace.see(look, self._clock())
                view.show(look, self._pace)
        finally:
            view.close()


def view_for_stderr() -> View:
    """Return what shows progress: a display where people look, else lines in the log.

    Where records go to the terminal too, they would tear the display.
    """
    is_terminal = sys.stderr.isatty() and not sys.stdout.isatty()
    if is_terminal and os.environ.get("TERM") != "dumb":
        return Display()
    return Lines()


def said_of_stream(look: Snapshot) -> str:
    """Return how far the stream is, for people."""
    if not look.stream:
        return "Begins"
    answers = f"{look.answers:,} requests"
    if look.of_pages:
        answers = f"page {min(look.answers, look.of_pages):,} of {look.of_pages:,}"
    return f"{look.stream}: {look.records:,} records, {answers}"


def said_of_run(look: Snapshot, pace: Pace) -> str:
    """Return how the run is getting on, for people."""
    rate, left = pace.requests_per_second, pace.seconds_left
    said = [f"{look.today:,} of today's {look.daily_quota:,} requests"]
    if rate is not None:
        said.append(f"{rate:.1f} a second")
    if left is not None:
        said.append(f"{_duration(left)} left of this stream")
    return ", ".join(said)


def _rate(number: int, seconds: float) -> float | None:
    return number / seconds if seconds > 0 and number >= 0 else None


def _width() -> int:
    """Return how many characters fit into a line of the terminal without touching its end."""
    columns = 0
    with suppress(OSError):
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    return (columns or _WIDTH) - 1


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"
