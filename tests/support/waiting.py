"""Waiting for other processes and threads."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened in another process or thread; fail after 20 seconds."""
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)
