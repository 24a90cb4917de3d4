"""Runs a command and measures it; runs the server that it reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

_RECORD = b'"RECORD"'
_PIPE = 1 << 20
_PAUSE = 0.002  # seconds: a reader that wakes up for every line would take CPU time from the others


@dataclass
class Run:
    """The measurements of a command.

    Attributes:
        status: Its exit status.
        records: The number of records that it wrote, or reports to have read.
        seconds: Seconds from its start to its end.
        first: Seconds from its start to its first record.
        busy: Seconds from its first record to its end, or the seconds that it reports.
        cpu: CPU seconds.
        megabytes: Peak memory.
        output: Its output before the first record.
    """

    status: int
    records: int
    seconds: float
    first: float
    busy: float
    cpu: float
    megabytes: float
    output: bytes

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.busy if self.busy else 0.0


def took(command: list[str]) -> Run:
    """Run a command, read its output as fast as it comes, and count the records."""
    environment = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
    began, first, records, output = time.perf_counter(), 0.0, 0, bytearray()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        pipesize=_PIPE,
    ) as process:
        rest = b""
        pipe = cast("IO[bytes]", process.stdout).fileno()
        while chunk := os.read(pipe, _PIPE):
            found = (rest + chunk).count(_RECORD)
            rest = chunk[1 - len(_RECORD) :]
            records += found
            if found and not first:
                first = time.perf_counter() - began
            if not records:
                output += chunk
            time.sleep(_PAUSE)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    return _as_reported(
        Run(
            status=process.returncode,
            records=records,
            seconds=seconds,
            first=first,
            busy=seconds - first,
            cpu=usage.ru_utime + usage.ru_stime,
            megabytes=usage.ru_maxrss / 1024,
            output=bytes(output),
        )
    )


@contextmanager
def serving(contacts: int, campaigns: int) -> Iterator[str]:
    """Run a server, and yield the base URL of its API."""
    command = [sys.executable, "-m", "checks.bench.server", str(contacts), str(campaigns)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = cast("IO[str]", server.stdout).readline().strip()
        try:
            yield f"http://127.0.0.1:{port}/v3"
        finally:
            server.terminate()


def _as_reported(run: Run) -> Run:
    """Take the records and seconds that a command reports if it writes no records."""
    lines = run.output.splitlines()
    if run.records == 0 and lines and lines[-1].startswith(b'{"records"'):
        report = json.loads(lines[-1])
        run.records, run.busy = report["records"], report["seconds"]
        run.first = run.seconds - run.busy
    return run
