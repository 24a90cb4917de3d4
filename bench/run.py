"""Runs a command and notes what it took, and the server that it reads."""

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
_A_LITTLE = 0.002  # seconds: a reader that wakes up for every line takes the cores from the others


@dataclass
class Run:
    """What a command took.

    Attributes:
        status: its exit status.
        records: how many it has written, or says to have read.
        seconds: from its start to its end.
        first: from its start to its first record.
        busy: from there to its end, or what it says itself.
        cpu: CPU seconds.
        megabytes: the most memory that it had.
        output: the last of what it has written.
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
        """Records a second."""
        return self.records / self.busy if self.busy else 0.0


def took(command: list[str]) -> Run:
    """Run a command, read what it writes as fast as it comes, and count the records of it."""
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
            time.sleep(_A_LITTLE)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    return _told_by_itself(
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
    """Run a server, and give the address of its API."""
    command = [sys.executable, "-m", "bench.server", str(contacts), str(campaigns)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = cast("IO[str]", server.stdout).readline().strip()
        try:
            yield f"http://127.0.0.1:{port}/v3"
        finally:
            server.terminate()


def _told_by_itself(run: Run) -> Run:
    """Take records and seconds from a command that writes no records but says these two."""
    lines = run.output.splitlines()
    if run.records == 0 and lines and lines[-1].startswith(b'{"records"'):
        told = json.loads(lines[-1])
        run.records, run.busy = told["records"], told["seconds"]
        run.first = run.seconds - run.busy
    return run
