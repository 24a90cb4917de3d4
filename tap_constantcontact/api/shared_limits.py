"""The counter that runs with one API key share: today's requests, and the time of the next slot.

Existing libraries didn't fit: with pyrate-limiter, one of three processes got 57 of 63 slots, and
the pace and the UTC day need a bucket each; limits can't keep its counts in a file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from filelock import FileLock
from typing_extensions import override

logger = logging.getLogger("tap-constantcontact.limits")

SECONDS_PER_DAY = 86400
#: A next slot further ahead than this exceeds any pause of a throttling API: it was reserved before
#: the clock was set back, and is ignored.
MAX_SECONDS_AHEAD = 360.0

_LOCK_TIMEOUT_SECONDS = 10
_LOCK_POLL_SECONDS = 0.005
# A counter that is lost is tried again after so long, then after twice as long, and so on.
_RETRY_SECONDS = 5.0
_MAX_RETRY_SECONDS = 60.0


class CounterValue(NamedTuple):
    """The value of a counter.

    Attributes:
        day: The UTC day of the requests, in days since 1970.
        requests: Number of requests on that day.
        next_slot: When the next request may be made, in seconds since 1970.
    """

    day: int = 0
    requests: int = 0
    next_slot: float = 0.0


class Slot(NamedTuple):
    """A reserved slot: a time at which a request may be made.

    Attributes:
        wait: Seconds until the slot.
        counter: The value of the counter after the reservation.
    """

    wait: float
    counter: CounterValue


class Known(NamedTuple):
    """What a run knows of a shared counter, by which a lost one is restored.

    Attributes:
        day: The UTC day of the requests, in days since 1970.
        requests: Number of requests on that day, as the counter said last.
        unshared: Number of requests that the run has made since without the counter.
        next_slot: When the next request may be made, as the counter said last.
    """

    day: int = 0
    requests: int = 0
    unshared: int = 0
    next_slot: float = 0.0


UNKNOWN = Known()


class Counter(Protocol):
    """Gives out the slots of an API key, one after the other, and counts its requests."""

    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a slot, in one atomic step.

        Args:
            requests: Number of requests to count: 1, or 0 for a pause.
            delay: Minimum number of seconds until the slot.
            gap: Seconds from this slot to the next one.
        """


class SharedCounter(Protocol):
    """A counter of several processes, which may be lost, and may lose what it counted."""

    def reserve(self, requests: int, delay: float, gap: float, known: Known = UNKNOWN) -> Slot:
        """Reserve a slot, in one atomic step, after all that is known has been counted.

        Args:
            requests: Number of requests to count: 1, or 0 for a pause.
            delay: Minimum number of seconds until the slot.
            gap: Seconds from this slot to the next one.
            known: What the run knows of the counter.

        Raises:
            OSError: The counter can't be reached.
        """


class MemoryCounter(Counter):
    """A counter that lives as long as the process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Create a counter without requests.

        Args:
            clock: Returns the seconds since 1970.
        """
        self.value = CounterValue()
        self._clock = clock
        self._lock = threading.Lock()

    @override
    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a slot."""
        with self._lock:
            slot = _next_slot(self.value, self._clock(), requests, delay, gap)
            self.value = slot.counter
            return slot

    def follow(self, slot: Slot, gap: float) -> None:
        """Take over the value of another counter, by the clock of this one.

        Args:
            slot: The slot that the other one has just given.
            gap: Seconds from this slot to the next one.
        """
        with self._lock:
            self.value = slot.counter._replace(next_slot=self._clock() + slot.wait + gap)


class FileCounter(SharedCounter):
    """A counter in a file, shared by all processes that use the same folder."""

    def __init__(
        self, folder: Path, client_id: str, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the counter of an API key.

        Args:
            folder: The folder of the file.
            client_id: The API key.
            clock: Returns the seconds since 1970.
        """
        self._path = folder / f"limits-{fingerprint(client_id)}.json"
        self._lock = FileLock(f"{self._path}.lock", timeout=_LOCK_TIMEOUT_SECONDS, mode=0o600)
        self._clock = clock

    @override
    def reserve(self, requests: int, delay: float, gap: float, known: Known = UNKNOWN) -> Slot:
        """Reserve a slot.

        Raises:
            OSError: The folder isn't writable, or another process holds the lock for too long.
        """
        try:
            with self._lock.acquire(poll_interval=_LOCK_POLL_SECONDS):
                slot = _next_slot(self._read(), self._clock(), requests, delay, gap, known=known)
                self._write(slot.counter)
                return slot
        except NotImplementedError as error:  # a file system without locks
            raise OSError(str(error)) from error

    def _read(self) -> CounterValue:
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            return CounterValue(int(kept["day"]), int(kept["requests"]), float(kept["next_turn"]))
        except (FileNotFoundError, ArithmeticError, LookupError, TypeError, ValueError):
            return CounterValue()

    def _write(self, value: CounterValue) -> None:
        """Replace the file in one atomic step, so that an interrupted run leaves the old one."""
        # Other versions of the tap share the file, so its names stay.
        kept = {"day": value.day, "requests": value.requests, "next_turn": value.next_slot}
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(kept), "utf-8")
        new.replace(self._path)


class FallbackCounter(Counter):
    """A shared counter, and one of this process that takes over while the shared one is lost.

    When the shared counter is back, it is told the requests that were made without it. If it lost
    its value, as a Redis does that restarts and keeps nothing, it continues from the last one that
    any run still knows.
    """

    def __init__(
        self,
        shared: SharedCounter,
        own: MemoryCounter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use the shared counter while it can be reached.

        Args:
            shared: The counter of all processes.
            own: Takes over from the last known value.
            clock: Returns seconds; only their differences count.
        """
        self._shared = shared
        self._own = own
        self._clock = clock
        self._seen = CounterValue()
        self._retry_seconds = self._retry_at = 0.0
        self._lock = threading.Lock()

    @override
    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a slot; this never fails."""
        with self._lock:
            if self._retry_seconds and self._clock() < self._retry_at:
                return self._own.reserve(requests, delay, gap)
            try:
                slot = self._shared.reserve(requests, delay, gap, self._known())
            except OSError as error:
                self._lose(error)
                return self._own.reserve(requests, delay, gap)
            self._regain()
            self._seen = slot.counter
            self._own.follow(slot, gap)
            return slot

    def _known(self) -> Known:
        seen, own = self._seen, self._own.value
        requests = seen.requests if seen.day == own.day else 0
        return Known(own.day, requests, own.requests - requests, seen.next_slot)

    def _lose(self, error: OSError) -> None:
        if not self._retry_seconds:
            message = (
                "Rate limits are no longer shared with other runs (%s). Fix the folder of "
                "token_store, or the Redis server; this run keeps trying, and until then, run one "
                "sync at a time"
            )
            logger.warning(message, error)
        self._retry_seconds = min(2 * self._retry_seconds or _RETRY_SECONDS, _MAX_RETRY_SECONDS)
        self._retry_at = self._clock() + self._retry_seconds

    def _regain(self) -> None:
        if self._retry_seconds:
            self._retry_seconds = 0.0
            logger.info("Rate limits are shared with other runs again")


def fingerprint(client_id: str) -> str:
    """Return a short name for an API key that doesn't reveal the key."""
    return hashlib.sha256(client_id.encode()).hexdigest()[:16]


def _next_slot(
    value: CounterValue,
    now: float,
    requests: int,
    delay: float,
    gap: float,
    *,
    known: Known = UNKNOWN,
) -> Slot:
    """Return the next slot; `redis_limits` has the same in Lua."""
    ahead = now + MAX_SECONDS_AHEAD
    reserved = [each for each in (value.next_slot, known.next_slot) if each <= ahead]
    at = max([now + delay, *reserved])
    day = int(at // SECONDS_PER_DAY)
    counted = value.requests if day == value.day else 0
    if day == known.day:
        counted = max(counted, known.requests) + known.unshared
    return Slot(at - now, CounterValue(day, counted + requests, at + gap))
