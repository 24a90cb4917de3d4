"""Ending the process within a second after a signal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from tap_constantcontact.exceptions import SIGNAL_STATUS
from tap_constantcontact.output.messages import MessageWriter

_GRACE_SECONDS = 0.8


class ShutdownHandler:
    """Ends the process after a signal, even if a full pipe or a lock blocks the main thread."""

    def __init__(
        self,
        unfinished: Callable[[], AbstractContextManager[object]],
        exit_now: Callable[[int], object] = os._exit,
    ) -> None:
        """Prepare for a signal.

        Args:
            unfinished: Returns a context that is entered once no work is left that must be
                completed before the process exits.
            exit_now: Ends the process with an exit status, from any thread.
        """
        self._unfinished = unfinished
        self._exit_now = exit_now
        self._has_begun = False

    def begin(self, signum: int, writer: MessageWriter) -> None:
        """Shut down with the exit status of a signal.

        Args:
            signum: The signal; further ones change nothing.
            writer: May complete the line it is writing.

        Raises:
            RunEnded: In the main thread, so that the run ends cleanly.
        """
        if self._has_begun:
            return
        self._has_begun = True
        status = SIGNAL_STATUS + signum
        deadline = threading.Timer(_GRACE_SECONDS, self._exit_when_finished, [status])
        deadline.daemon = True
        deadline.start()
        writer.end(status)

    def _exit_when_finished(self, status: int) -> None:
        with self._unfinished():
            self._exit_now(status)
