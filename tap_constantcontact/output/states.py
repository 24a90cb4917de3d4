"""Writing states, but not too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING

from singer_sdk.singerlib import StateMessage

from tap_constantcontact.output.messages import MessageWriter

if TYPE_CHECKING:
    from singer_sdk.helpers.types import TapState

SECONDS_BETWEEN_STATES = 5.0


class StateThrottle:
    """Writes a state at most every five seconds: that of a large account has 300 KB.

    The SDK calls `write_state` after every record, so that the next run after an interrupted one
    repeats no more than five seconds. It calls nothing else of its own `StateWriter`, whose place
    this takes.
    """

    def __init__(
        self, message_writer: MessageWriter, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create a throttle that has written nothing yet.

        Args:
            message_writer: Writes the STATE messages.
            clock: Returns seconds that only increase.
        """
        self._message_writer = message_writer
        self._clock = clock
        self._due_at = clock()
        self._written: TapState | None = None

    def write_state(self, state: TapState) -> None:
        """Write a state if it has changed and the last one is old enough."""
        if self._clock() >= self._due_at:
            self.write_now(state)

    def write_now(self, state: TapState) -> None:
        """Write a state if it has changed: a stream or the run has ended."""
        if state != self._written:
            self._message_writer.write_message(StateMessage(value=state))
            self._written = deepcopy(state)
        self._due_at = self._clock() + SECONDS_BETWEEN_STATES
