"""The command `tap-constantcontact`, or `python -m tap_constantcontact`."""

from __future__ import annotations

import sys

if __name__ == "__main__":  # before the imports that take long
    from tap_constantcontact import entry_points

    entry_points.tap()
    sys.exit()

import gc
from collections.abc import Callable

from tap_constantcontact.error_messages import error_message, traceback_lines
from tap_constantcontact.exceptions import EXIT_FAILED
from tap_constantcontact.output.logs import keep_explanations
from tap_constantcontact.output.stdout import flushed_stdout
from tap_constantcontact.output.terminal_log import write_log_for_people
from tap_constantcontact.tap import TapConstantContact

_OBJECTS_BETWEEN_COLLECTIONS = 50_000  # about two pages of contacts


def main() -> None:
    """Run the tap; every failure ends with a message for people and an exit status.

    Exit status: 0 success, 1 failure, 2 invalid command line, 75 quota exhausted (the next run
    resumes), 128 plus the number of the signal that ended the run.
    """
    collect_garbage_rarely()
    try:
        with flushed_stdout():
            _command()()
    except Exception as error:  # noqa: BLE001 - every failure ends with a message for people
        TapConstantContact.logger.debug("Raised at:\n%s", "\n".join(traceback_lines(error)))
        TapConstantContact.logger.critical(error_message(error))
        sys.exit(EXIT_FAILED)


def _command() -> Callable[[], None]:
    """Return the tap's command. The SDK configures the log when it makes the command."""
    try:
        command: Callable[[], None] = TapConstantContact.cli
    finally:
        write_log_for_people()
        keep_explanations(TapConstantContact.logger)
    return command


def collect_garbage_rarely() -> None:
    """Exempt loaded modules and most pages from garbage collection: records have no cycles."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
