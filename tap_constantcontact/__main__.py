"""The command line: `tap-constantcontact`, or `python -m tap_constantcontact`."""

from __future__ import annotations

import gc
import os
import sys

from tap_constantcontact.error_messages import error_message, traceback_lines
from tap_constantcontact.exceptions import EXIT_FAILED
from tap_constantcontact.output.stdout import flushed_stdout
from tap_constantcontact.tap import TapConstantContact

_OBJECTS_BETWEEN_COLLECTIONS = 50_000  # about two pages of contacts
_ENVIRONMENT = "TAP_CONSTANTCONTACT_"


def main() -> None:
    """Run the tap; each expected failure ends in a message for people and an exit status.

    Exit statuses: 0 done, 1 failed, 2 wrong use of the command line, 75 the quota is used up and a
    later run goes on, 128 and the number of the signal that ended it.
    """
    forget_empty_variables()
    collect_seldom()
    try:
        with flushed_stdout():
            TapConstantContact.cli()
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in words for people
        TapConstantContact.logger.debug("It came from:\n%s", "\n".join(traceback_lines(error)))
        TapConstantContact.logger.critical(error_message(error))
        sys.exit(EXIT_FAILED)


def forget_empty_variables() -> None:
    """Take out settings of the environment without a value, which mean "not set".

    The SDK would read some of them as numbers.
    """
    for name, value in list(os.environ.items()):
        if name.startswith(_ENVIRONMENT) and not value.strip():
            del os.environ[name]


def collect_seldom() -> None:
    """Spare the collector what is loaded, and most of the pages, whose records have no cycles."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


if __name__ == "__main__":
    main()
