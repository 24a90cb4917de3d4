"""The entry points of the installed commands.

They import the commands only when they run: if a package does not fit, the import fails, and what
to do about it can still be said. Ctrl-C is quiet meanwhile: the import takes some tenths of a
second, in which Python would answer with a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

_INTERRUPTED = 128 + signal.SIGINT
_PACKAGE = "tap-constantcontact"


def tap() -> None:
    """Run `tap-constantcontact`; the tap handles signals itself once it exists."""
    _on_interrupt(_exit)
    _main("tap_constantcontact.__main__")()


def login() -> None:
    """Run `tap-constantcontact-login`, which handles interrupts itself."""
    _on_interrupt(_exit)
    main = _main("tap_constantcontact.login.__main__")
    _on_interrupt(signal.default_int_handler)
    main()


def check() -> None:
    """Run `tap-constantcontact-check`, which handles interrupts itself."""
    _on_interrupt(_exit)
    main = _main("tap_constantcontact.check.__main__")
    _on_interrupt(signal.default_int_handler)
    main()


def source() -> None:
    """Run `source-constantcontact`, which clients expect to end by the signal."""
    _on_interrupt(signal.SIG_DFL)
    _main("tap_constantcontact.airbyte.__main__")()


def _on_interrupt(handler: Callable[..., Any] | signal.Handlers) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as for a job in the background
        signal.signal(signal.SIGINT, handler)


def _exit(*_: object) -> None:
    os._exit(_INTERRUPTED)


def _main(name: str) -> Callable[[], None]:
    """Return the `main` of a module."""
    try:
        module = import_module(name)
    except Exception:
        for installed, required in _misfits():
            sys.exit(
                f"Can't start: {installed} is installed, but {_PACKAGE} requires {required}. "
                "Another package, such as a target, has replaced it: install each into a virtual "
                "environment of its own"
            )
        raise
    main: Callable[[], None] = module.main
    return main


def _misfits() -> Iterator[tuple[str, str]]:
    """Yield packages whose release is not one that the tap requires, with what it requires."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - the SDK brings it

    for line in requires(_PACKAGE) or ():
        required = Requirement(line)
        if required.marker and not required.marker.evaluate({"extra": ""}):
            continue
        with suppress(PackageNotFoundError):  # the error of the import names it
            installed = version(required.name)
            if installed not in required.specifier:
                yield f"{required.name} {installed}", f"{required.name}{required.specifier}"
