"""Make a virtual environment: `python -m tools.install FOLDER WHAT PIP-ARGUMENT …`.

The first sign of life comes at once, and a line every few seconds after that: the first thing that
most people run is an installation of some hundred megabytes.

uv installs in a fraction of pip's time, and takes the same arguments. The variable UV names one;
`UV=no` installs with pip.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

SECONDS_BETWEEN_LINES = 8.0

#: What builds packages and what installs them are pinned too.
_BUILD = "constraints/build.txt"
_PIP = ["-m", "pip", "--disable-pip-version-check", "install", "-qq"]
#: Where uv is installed, if the machine has none.
_UV_FOLDER = Path(".venv-uv")


def main(arguments: list[str]) -> int:
    """Make an environment, and return the exit status.

    Args:
        arguments: The folder, what goes into it in words for people, and pip's arguments.
    """
    folder, what, *packages = arguments
    say(f"Installing {what} into {folder} …")
    began = time.monotonic()
    # From scratch: what an older Python has left there would be kept.
    shutil.rmtree(folder, ignore_errors=True)
    uv = find_uv(began)
    steps = _steps_of_uv(uv, folder, packages) if uv else _steps_of_pip(folder, packages)
    for step in steps:
        if status := run(step, began):
            if uv:
                say(f"{uv} could not install {what}. With UV=no, pip does it.")
            return status
    size = sum(file.lstat().st_size for file in Path(folder).rglob("*")) / 1e6
    say(f"Installed {what} in {time.monotonic() - began:.0f} s ({size:.0f} MB).")
    return 0


def find_uv(began: float) -> str | None:
    """Return the program uv, which is installed if the machine has none, or None.

    Args:
        began: When the installation began, by the monotonic clock.
    """
    named = os.environ.get("UV")
    if named == "no":
        return None
    if found := named or shutil.which("uv"):
        return found
    program = _UV_FOLDER / "bin" / "uv"
    if not program.exists() and not _install_uv(began):
        say("uv can't be installed here; pip takes longer.")
        return None
    return str(program)


def _install_uv(began: float) -> bool:
    """Install uv, all of it or nothing: another make may do so at the same time."""
    with tempfile.TemporaryDirectory(prefix=f"{_UV_FOLDER}-", dir=".") as folder:
        # Its program stands alone, so that it needs no environment, which takes as long to make.
        command = [sys.executable, *_PIP, "--constraint", _BUILD, "--target", f"{folder}/new", "uv"]
        if run(command, began):
            return False
        with suppress(OSError):  # the other one was first
            Path(folder, "new").rename(_UV_FOLDER)
    return True


def _steps_of_uv(uv: str, folder: str, packages: list[str]) -> list[list[str]]:
    install = [uv, "pip", "install", "--quiet", "--python", str(Path(folder) / "bin" / "python")]
    return [
        [uv, "venv", "--quiet", "--python", sys.executable, folder],
        [*install, "--build-constraint", _BUILD, *packages],
    ]


def _steps_of_pip(folder: str, packages: list[str]) -> list[list[str]]:
    python = str(Path(folder) / "bin" / "python")
    return [
        [sys.executable, "-m", "venv", folder],
        [python, *_PIP, "--constraint", _BUILD, "pip"],
        [python, *_PIP, "--build-constraint", _BUILD, *packages],
    ]


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
