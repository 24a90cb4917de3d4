"""What the runs of an API key share: its requests of the day, and when the next may be made.

Libraries were tried first: with pyrate-limiter one process of three got 57 of 63 turns, and the
pace and the UTC day need a bucket each; limits keeps nothing in a file.
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
from singer_sdk.exceptions import ConfigurationError

logger = logging.getLogger("tap-constantcontact.limits")

DAY_SECONDS = 86400
#: A next turn that is further ahead (seconds) than any hold of a throttling API was reserved before
#: the clock was set back; it is not waited for.
FURTHEST_SLOT = 360.0

_LOCK_TIMEOUT_SECONDS = 10
_LOCK_POLL_SECONDS = 0.005


class CounterValue(NamedTuple):
    """What a ledger holds of an API key.

    Attributes:
        day: UTC day that requests are counted for, in days since 1970.
        requests: its requests so far.
        next_turn: when the next request may be made, in seconds since 1970.
    """

    day: int = 0
    requests: int = 0
    next_turn: float = 0.0


class Slot(NamedTuple):
    """A turn that is reserved.

    Attributes:
        wait: seconds until it comes.
        entry: what the ledger holds now.
    """

    wait: float
    entry: CounterValue


class SharedCounter(Protocol):
    """Gives out the turns of an API key, one after the other, and counts them."""

    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a turn, in one step that no other user of the ledger can come between.

        Args:
            requests: how many requests to count: 1, or 0 to hold all requests back.
            delay: seconds before which it does not come.
            gap: seconds from it to the next turn.

        Raises:
            OSError: the ledger is out of reach.
        """


class MemoryCounter:
    """A ledger that lives as long as the process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Begin with no requests.

        Args:
            clock: seconds since 1970.
        """
        self.entry = CounterValue()
        self._clock = clock
        self._lock = threading.Lock()

    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a turn, as `SharedCounter` says."""
        with self._lock:
            turn = _next(self.entry, self._clock(), requests, delay, gap)
            self.entry = turn.entry
            return turn


class FileCounter:
    """A ledger in a file, shared by all processes that use the same folder."""

    def __init__(
        self, folder: Path, client_id: str, clock: Callable[[], float] = time.time
    ) -> None:
        """Use the ledger of an API key.

        Args:
            folder: where it is kept.
            client_id: the API key.
            clock: seconds since 1970.
        """
        self._path = folder / f"limits-{fingerprint(client_id)}.json"
        self._lock = FileLock(f"{self._path}.lock", timeout=_LOCK_TIMEOUT_SECONDS, mode=0o600)
        self._clock = clock

    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a turn, as `SharedCounter` says.

        Raises:
            OSError: the folder cannot be written to, or its lock is held for too long.
        """
        try:
            with self._lock.acquire(poll_interval=_LOCK_POLL_SECONDS):
                turn = _next(self._read(), self._clock(), requests, delay, gap)
                self._write(turn.entry)
                return turn
        except NotImplementedError as error:  # a file system without locks
            raise OSError(str(error)) from error

    def _read(self) -> CounterValue:
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            return CounterValue(int(kept["day"]), int(kept["requests"]), float(kept["next_turn"]))
        except (FileNotFoundError, ArithmeticError, LookupError, TypeError, ValueError):
            return CounterValue()

    def _write(self, entry: CounterValue) -> None:
        """Replace the file in one step: a kill in the middle leaves the one before."""
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(entry._asdict()), "utf-8")
        new.replace(self._path)


class FallbackCounter:
    """A shared ledger, and one of this process to go on with when that is lost."""

    def __init__(self, shared: SharedCounter, own: MemoryCounter) -> None:
        """Share what can be shared.

        Args:
            shared: the ledger of all processes.
            own: takes over what was known last.
        """
        self._shared: SharedCounter | None = shared
        self._own = own

    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a turn, as `SharedCounter` says; it is always to be had."""
        shared = self._shared  # which another thread may take away meanwhile
        if shared is not None:
            try:
                turn = shared.reserve(requests, delay, gap)
            except OSError as error:
                message = (
                    "The limits of the API key are not shared with other runs from here (%s). Mend "
                    "the folder of token_store or the Redis of limits_url, and make one run at a "
                    "time until then"
                )
                logger.warning(message, error)
                self._shared = None
            else:
                self._own.entry = turn.entry
                return turn
        return self._own.reserve(requests, delay, gap)


def open_counter(limits_url: str | None, folder: Path | None, client_id: str) -> SharedCounter:
    """Return the ledger of an API key.

    Args:
        limits_url: address of the Redis that machines share, if they do.
        folder: where it is kept in a file otherwise.
        client_id: the API key; without one nothing is shared.

    Raises:
        ConfigurationError: Redis, or its package, cannot be used.
    """
    own = MemoryCounter()
    if limits_url and client_id:
        return FallbackCounter(_redis_counter(limits_url, client_id), own)
    if folder and client_id:
        return FallbackCounter(FileCounter(folder, client_id), own)
    return own


def fingerprint(client_id: str) -> str:
    """Return a short name for an API key that does not give it away."""
    return hashlib.sha256(client_id.encode()).hexdigest()[:16]


def _redis_counter(url: str, client_id: str) -> SharedCounter:
    try:
        from tap_constantcontact.api.redis_limits import RedisCounter  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = (
            "Setting limits_url needs a package more: install tap-constantcontact[redis], or "
            "leave limits_url out"
        )
        raise ConfigurationError(message) from error
    return RedisCounter(url, client_id)


def _next(entry: CounterValue, now: float, requests: int, delay: float, gap: float) -> Slot:
    """Return the turn that comes next; `redis_ledger` has the same in Lua."""
    reserved = entry.next_turn if entry.next_turn <= now + FURTHEST_SLOT else 0.0
    at = max(now + delay, reserved)
    day = int(at // DAY_SECONDS)
    before = entry.requests if day == entry.day else 0
    return Slot(at - now, CounterValue(day, before + requests, at + gap))
