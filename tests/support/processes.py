"""Processes that end with their test."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any


class Processes(ExitStack):
    """Starts processes; those that still run at the end are killed, and their pipes closed."""

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        """Start a command with pipes for what it writes; takes the options of `Popen`."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process: subprocess.Popen[str] = subprocess.Popen(
            command, **{**pipes, "text": True, **options}
        )
        self.callback(self._end, process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
