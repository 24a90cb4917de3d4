"""The entry points of the installed commands.

They import the commands only when they run: if a package does not fit, the import fails, and what
to do about it can still be said.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version

_PACKAGE = "tap-constantcontact"


def tap() -> None:
    """Run `tap-constantcontact`."""
    _run("tap_constantcontact.__main__")


def login() -> None:
    """Run `tap-constantcontact-login`."""
    _run("tap_constantcontact.login.__main__")


def source() -> None:
    """Run `source-constantcontact`."""
    _run("tap_constantcontact.airbyte.__main__")


def _run(name: str) -> None:
    """Run the `main` of a module."""
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
    module.main()


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
