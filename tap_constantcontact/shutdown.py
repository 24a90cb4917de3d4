"""Ends the process within a second when a signal asks for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from tap_constantcontact.exceptions import SIGNAL_STATUS
from tap_constantcontact.output.messages import MessageWriter

_GRACE_SECONDS = 0.8


class ShutdownHandler:
    """Ends the process after a signal, even if a full pipe or a lock holds it up."""

    def __init__(
        self,
        unfinished: Callable[[], AbstractContextManager[object]],
        exit_at_once: Callable[[int], object] = os._exit,
    ) -> None:
        """Prepare for a signal.

        Args:
            unfinished: gives a lock that is free when nothing is under way that must be
                finished first.
            exit_at_once: ends the process with an exit status, from whatever thread.
        """
        self._unfinished = unfinished
        self._exit = exit_at_once
        self._begun = False

    def begin(self, signum: int, writer: MessageWriter) -> None:
        """End with the exit status of a signal.

        Args:
            signum: the signal; a further one changes nothing.
            writer: is let finish its line.

        Raises:
            RunEnded: in the main thread, so that it winds up in good order.
        """
        if self._begun:
            return
        self._begun = True
        status = SIGNAL_STATUS + signum
        deadline = threading.Timer(_GRACE_SECONDS, self._exit_at_once, [status])
        deadline.daemon = True
        deadline.start()
        writer.end(status)

    def _exit_at_once(self, status: int) -> None:
        with self._unfinished():
            self._exit(status)
