"""Processes of other programs, in groups of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

_TIMEOUT = 60
_SECONDS_BETWEEN_LOOKS = 0.05


def process_of(program: str, group: int) -> int:
    """Return the id of the process that runs a program, in a group of processes."""
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,pgid=,args="], capture_output=True, text=True, check=True
    )
    processes = (line.split(maxsplit=2) for line in listed.stdout.splitlines())
    return next(
        int(pid)
        for pid, its_group, arguments in processes
        if int(its_group) == group and f"/{program} " in arguments
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all its children, and wait until they are gone.

    A loader that is about to end may still hold the lock of its database.
    """
    deadline = time.monotonic() + _TIMEOUT
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, signal.SIGKILL)
            process.poll()
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    process.wait()
