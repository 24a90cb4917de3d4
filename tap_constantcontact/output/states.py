"""When states are written."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from singer_sdk.helpers._state import StateWriter

from tap_constantcontact.output.messages import MessageWriter

if TYPE_CHECKING:
    from singer_sdk.helpers.types import TapState

_SECONDS_BETWEEN_STATES = 5.0


class StateThrottle(StateWriter):
    """Writes a state every five seconds at the most: that of a large account has 300 KB.

    It is asked after every record, so that what a killed run repeats is what came in five seconds.
    """

    def __init__(
        self, message_writer: MessageWriter, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing written.

        Args:
            message_writer: where messages go.
            clock: seconds that only go forward.
        """
        super().__init__(message_writer)
        self._clock = clock
        self._due = clock()

    def write_state(self, state: TapState) -> None:
        """Write a state that has changed, if it is time."""
        if self._clock() >= self._due:
            self.write_now(state)

    def write_now(self, state: TapState) -> None:
        """Write a state that has changed: a stream or the run ends."""
        super().write_state(state)
        self._due = self._clock() + _SECONDS_BETWEEN_STATES
