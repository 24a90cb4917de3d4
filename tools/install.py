"""Make a virtual environment: `python -m tools.install FOLDER WHAT PIP-ARGUMENT …`.

The first sign of life comes at once, and a line every few seconds after that: the first thing that
most people run is an installation of some hundred megabytes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

SECONDS_BETWEEN_LINES = 8.0

_PIP = ["-m", "pip", "--disable-pip-version-check", "install", "-qq"]


def main(arguments: list[str]) -> int:
    """Make an environment, and return the exit status.

    Args:
        arguments: The folder, what goes into it in words for people, and pip's arguments.
    """
    folder, what, *packages = arguments
    say(f"Installing {what} into {folder} …")
    began = time.monotonic()
    python = str(Path(folder) / "bin" / "python")
    steps = [
        # From scratch: what an older Python has left there would be kept.
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, *_PIP, "pip>=25.1"],
        [python, *_PIP, *packages],
    ]
    for step in steps:
        if status := run(step, began):
            return status
    size = sum(file.lstat().st_size for file in Path(folder).rglob("*")) / 1e6
    say(f"Installed {what} in {time.monotonic() - began:.0f} s ({size:.0f} MB).")
    return 0


def run(command: list[str], began: float, seconds: float = SECONDS_BETWEEN_LINES) -> int:
    """Run a command, print a line now and then, and return its exit status.

    Args:
        command: The command.
        began: When the installation began, by the monotonic clock.
        seconds: The time between two lines.
    """
    with subprocess.Popen(command) as process:
        while (status := _status(process, seconds)) is None:
            say(f"  … {time.monotonic() - began:.0f} s")
    return status


def _status(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Return the exit status of a process, or None if it takes longer."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def say(line: str) -> None:
    """Print a line at once, into a pipe as well."""
    print(line, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(128 + signal.SIGINT)
