"""The tap, told to write Airbyte's messages and to hand over its tokens."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tap_constantcontact.airbyte.messages import AirbyteWriter
from tap_constantcontact.airbyte.tokens import OWNER, HandingStore
from tap_constantcontact.api.run_context import RunContext
from tap_constantcontact.auth import Login, RefreshTokenAuthenticator
from tap_constantcontact.exceptions import SIGNAL_STATUS
from tap_constantcontact.shutdown import ShutdownHandler
from tap_constantcontact.tap import TapConstantContact

if TYPE_CHECKING:
    from types import FrameType

# A token request takes no longer. Handing its token over may, where nobody reads.
_PATIENCE_SECONDS = 35


class Source(TapConstantContact):
    """The tap as Airbyte runs it."""

    message_writer: AirbyteWriter

    def __init__(
        self,
        configuration: Mapping[str, Any],
        writer: AirbyteWriter,
        *,
        instead: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        """Make a source.

        Args:
            configuration: the configuration as it was given.
            writer: what writes messages.
            instead: settings that count instead of those of the configuration.
            arguments: as `singer_sdk.Tap` takes them.
        """
        self._configuration = dict(configuration)
        config = {**deepcopy(self._configuration), **(instead or {})}
        config.pop(OWNER, None)
        super().__init__(config=config, message_writer=writer, **arguments)
        self._ending = ShutdownHandler(self._unfinished, exit_now=end_by_signal)

    def connect(self) -> RunContext:
        """Return the connection, whose lack concerns no stream alone.

        Raises:
            ConfigurationError: there is none, as its Redis cannot be used.
        """
        return self.api

    def reset_progress(self) -> None:
        """Forget what earlier runs noted of streams that they did not read to their ends.

        The SDK does so before it reads all streams.
        """
        self._reset_state_progress_markers()

    def close(self) -> None:
        """End a run, however it went; a new token is handed over first."""
        super().close()
        self._unfinished().close()

    def _login(self) -> Login:
        """Return the login, which hands over the tokens that it gets."""
        login = super()._login()
        if isinstance(login, RefreshTokenAuthenticator):
            hand_over = self.message_writer.say_configuration
            login.store = HandingStore(login.store, self._configuration, hand_over)
        return login

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End within a second, by the signal itself: clients take it for a good end.

        A second signal ends it at once.
        """
        signal.signal(signum, signal.SIG_DFL)
        super()._handle_termination(signum, frame)

    def _unfinished(self) -> ExitStack:
        """Wait for token requests under way, unless their tokens cannot be handed over."""
        unfinished = ExitStack()
        for api in self._apis:
            if api.login.requesting.acquire(timeout=_PATIENCE_SECONDS):
                unfinished.callback(api.login.requesting.release)
        return unfinished


def end_by_signal(status: int) -> None:
    """End the process by a signal that it has got, whose handler is the system's again.

    Args:
        status: 128 and the number of the signal.
    """
    os.kill(os.getpid(), status - SIGNAL_STATUS)
