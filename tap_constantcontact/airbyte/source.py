"""The tap with Airbyte's messages, which sends its tokens to the platform."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from copy import deepcopy
from typing import Any

from typing_extensions import override

from tap_constantcontact.airbyte.messages import AirbyteWriter
from tap_constantcontact.airbyte.token_store import OWNER_PROPERTY, PlatformTokenStore
from tap_constantcontact.api.run_context import RunContext
from tap_constantcontact.auth import Login, RefreshTokenAuthenticator
from tap_constantcontact.exceptions import SIGNAL_STATUS
from tap_constantcontact.shutdown import ShutdownHandler
from tap_constantcontact.tap import TapConstantContact

# Longer than any token request. Sending the new token may take longer if nobody reads stdout.
_TOKEN_REQUEST_SECONDS = 35


class Source(TapConstantContact):
    """The tap as Airbyte runs it."""

    message_writer: AirbyteWriter

    def __init__(
        self,
        configuration: Mapping[str, Any],
        writer: AirbyteWriter,
        **arguments: Any,
    ) -> None:
        """Create a source.

        Args:
            configuration: The configuration as it was given.
            writer: The writer of messages.
            arguments: Arguments of `singer_sdk.Tap`.
        """
        self._configuration = dict(configuration)
        config = deepcopy(self._configuration)
        config.pop(OWNER_PROPERTY, None)
        super().__init__(config=config, message_writer=writer, **arguments)
        self._shutdown = ShutdownHandler(self._unfinished, exit_now=end_by_signal)

    def connect(self) -> RunContext:
        """Open the connection to the API before any stream does, since all of them need it.

        Raises:
            ConfigurationError: The Redis server can't be used.
        """
        return self.api

    @override
    def close(self) -> None:
        """End the run, successful or not; a new token is sent to the platform first."""
        super().close()
        self._unfinished().close()

    @override
    def _login(self) -> Login:
        """Return the login, which sends the tokens that it gets to the platform."""
        login = super()._login()
        if isinstance(login, RefreshTokenAuthenticator):
            send = self.message_writer.send_configuration
            login.store = PlatformTokenStore(login.store, self._configuration, send)
        return login

    @override
    def shut_down(self, signum: int) -> None:
        """End within a second, by the signal itself, which clients expect.

        A second signal ends the process at once.
        """
        signal.signal(signum, signal.SIG_DFL)
        super().shut_down(signum)

    @override
    def _unfinished(self) -> ExitStack:
        """Wait for token requests in flight, unless their tokens can't be sent."""
        unfinished = ExitStack()
        for api in self.connections:
            if api.login.requesting.acquire(timeout=_TOKEN_REQUEST_SECONDS):
                unfinished.callback(api.login.requesting.release)
        return unfinished


def end_by_signal(status: int) -> None:
    """End the process by a signal that it has received, now with the default handler.

    Args:
        status: 128 plus the number of the signal.
    """
    os.kill(os.getpid(), status - SIGNAL_STATUS)
