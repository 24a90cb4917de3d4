"""The entry points of the commands, which import little: Ctrl-C is quiet from the start.

Importing the SDK takes some tenths of a second, in which Python would answer with a traceback.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

_INTERRUPTED = 128 + signal.SIGINT


def tap() -> None:
    """Run the command `tap-constantcontact`; the tap handles signals itself once it exists."""
    _on_interrupt(_exit)
    import_module("tap_constantcontact.__main__").main()


def login() -> None:
    """Run the command `tap-constantcontact-login`, which handles interrupts itself."""
    _on_interrupt(_exit)
    module = import_module("tap_constantcontact.login.__main__")
    _on_interrupt(signal.default_int_handler)
    module.main()


def source() -> None:
    """Run the command `source-constantcontact`, which clients expect to end by the signal."""
    _on_interrupt(signal.SIG_DFL)
    import_module("tap_constantcontact.airbyte.__main__").main()


def _on_interrupt(handler: Callable[..., Any] | signal.Handlers) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as for a job in the background
        signal.signal(signal.SIGINT, handler)


def _exit(*_: object) -> None:
    os._exit(_INTERRUPTED)
