"""Standard output, flushed while a failure can still be reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tap_constantcontact.exceptions import RunEnded

#: As a shell reports a process that SIGPIPE ended.
BROKEN_PIPE_STATUS = 141


@contextmanager
def flushed_stdout() -> Iterator[None]:
    """Flush stdout at the end of a command.

    Python does so as well when it exits, but then a full disk ends in a complaint of the
    interpreter and in status 120.

    Raises:
        OSError: Stdout cannot be written to, for example because the disk is full.
        RunEnded: The reader has closed the pipe.
    """
    try:
        yield
    except BrokenPipeError:  # nothing was buffered
        discard_stdout()
        raise RunEnded(BROKEN_PIPE_STATUS) from None
    finally:
        _flush()


def discard_stdout() -> None:
    """Discard what is still buffered, so that Python does not try to write it when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush() -> None:
    try:
        if sys.stdout:  # None if it was closed before the start
            sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
        raise RunEnded(BROKEN_PIPE_STATUS) from None
    except OSError:
        discard_stdout()
        raise
