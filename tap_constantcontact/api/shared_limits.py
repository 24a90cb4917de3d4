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


class SharedCounter(Protocol):
    """Gives out the slots of an API key, one after the other, and counts its requests."""

    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a slot, in one atomic step.

        Args:
            requests: Number of requests to count: 1, or 0 for a pause.
            delay: Minimum number of seconds until the slot.
            gap: Seconds from this slot to the next one.

        Raises:
            OSError: The counter can't be reached.
        """


class MemoryCounter(SharedCounter):
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
    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a slot.

        Raises:
            OSError: The folder isn't writable, or another process holds the lock for too long.
        """
        try:
            with self._lock.acquire(poll_interval=_LOCK_POLL_SECONDS):
                slot = _next_slot(self._read(), self._clock(), requests, delay, gap)
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


class FallbackCounter(SharedCounter):
    """A shared counter, and one of this process that takes over if the shared one is lost."""

    def __init__(self, shared: SharedCounter, own: MemoryCounter) -> None:
        """Use the shared counter while it can be reached.

        Args:
            shared: The counter of all processes.
            own: Takes over from the last known value.
        """
        self._shared: SharedCounter | None = shared
        self._own = own

    @override
    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a slot; this never fails."""
        shared = self._shared  # another thread may set it to None meanwhile
        if shared is not None:
            try:
                slot = shared.reserve(requests, delay, gap)
            except OSError as error:
                message = (
                    "Rate limits are no longer shared with other runs (%s). Fix the folder of "
                    "token_store or the Redis server of limits_url; until then, run one sync at a "
                    "time"
                )
                logger.warning(message, error)
                self._shared = None
            else:
                self._own.value = slot.counter
                return slot
        return self._own.reserve(requests, delay, gap)


def fingerprint(client_id: str) -> str:
    """Return a short name for an API key that doesn't reveal the key."""
    return hashlib.sha256(client_id.encode()).hexdigest()[:16]


def _next_slot(value: CounterValue, now: float, requests: int, delay: float, gap: float) -> Slot:
    """Return the next slot; `redis_limits` has the same in Lua."""
    reserved = value.next_slot if value.next_slot <= now + MAX_SECONDS_AHEAD else 0.0
    at = max(now + delay, reserved)
    day = int(at // SECONDS_PER_DAY)
    earlier = value.requests if day == value.day else 0
    return Slot(at - now, CounterValue(day, earlier + requests, at + gap))
