"""Opens the browser of this machine, away from the terminal."""

from __future__ import annotations

import subprocess
import sys
import webbrowser
from pathlib import Path

# Browsers that draw in the terminal, in which the sign-in goes on.
_TEXT_BROWSERS = {"browsh", "elinks", "links", "links2", "lynx", "w3m", "www-browser"}
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.get().open(sys.argv[1]))"
_STDERR = 2
_SECONDS_TO_FAIL = 3.0


def open_in_browser(url: str) -> bool:
    """Open a URL, and return whether there is a browser outside the terminal.

    It is opened by a process that has no terminal: some browsers end only when their window is
    closed, and what they print must not be among the settings on stdout.
    """
    try:
        name = getattr(webbrowser.get(), "name", "")
    except webbrowser.Error:
        return False
    if Path(str(name)).name in _TEXT_BROWSERS:
        return False
    process = subprocess.Popen(  # noqa: S603 - our own command, without a shell
        [sys.executable, "-c", _OPEN, url],
        stdin=subprocess.DEVNULL,
        stdout=_STDERR,
        start_new_session=True,
    )
    try:
        return process.wait(_SECONDS_TO_FAIL) == 0
    except subprocess.TimeoutExpired:
        return True
