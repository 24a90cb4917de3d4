"""The sandbox: accounts that are served over HTTP, and the controls of a test."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

from sandbox.auth.api_keys import ApiKey
from sandbox.auth.users import Users
from sandbox.server.app import App, Request
from sandbox.server.faults import Fault, Faults, PlannedFault
from sandbox.server.http_server import Handler, Server
from sandbox.server.options import Options
from sandbox.server.served_account import ServedAccount

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from typing_extensions import Self

    from sandbox.account import Account
    from sandbox.server.expected import Rows


class Sandbox:
    """A fake Constant Contact v3 API.

    Use it in a `with` statement, or `start` and `stop` it. Most tests have one account, so whatever
    is about an account without naming it is about the first.

    Attributes:
        options: The options it was made with.
        accounts: The accounts that it serves.
        users: The users who signed in to them.
        requests: The requests to the API and the token endpoint, in order of arrival.
    """

    def __init__(self, **options: Any) -> None:
        """Generate the accounts, without serving them yet.

        Args:
            **options: Those of `Options`.
        """
        self.options = Options(**options)
        self.requests: list[Request] = []
        api_keys = [ApiKey(self.options) for _ in range(self.options.api_keys)]
        self.accounts = [
            ServedAccount(self, number + 1, api_keys[number % len(api_keys)])
            for number in range(self.options.accounts)
        ]
        self.users = Users([served.tokens for served in self.accounts])
        self._faults = Faults()
        self._app = App(self, self._faults)
        self._server: Server | None = None

    def start(self) -> Self:
        """Listen, and serve from a thread.

        Raises:
            OSError: If the port is taken.
        """
        with socket.create_server((self.options.host, self.options.port)) as listener:
            self._server = server = Server(
                self.options.host,
                listener.getsockname()[1],
                self._app.flask,
                Handler,
                fd=listener.fileno(),
            )
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening, and close all connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.close_connections()
            self._server = None

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def url(self) -> str:
        """The URL that it listens at, without a path."""
        if self._server is None:
            message = "the sandbox is not started"
            raise RuntimeError(message)
        return f"http://{self.options.host}:{self._server.port}"

    @property
    def account(self) -> Account:
        """The data of the first account; tests may change it in place."""
        return self.accounts[0].account

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a tap that reads the first account."""
        return self.accounts[0].settings

    @property
    def partner_settings(self) -> dict[str, str]:
        """The settings of a tap that reads the clients of a partner."""
        return self.accounts[0].partner_settings

    @property
    def settings_of_all(self) -> dict[str, Any]:
        """The settings of a tap that reads rows of every stream of the first account."""
        return self.accounts[0].settings_of_all

    @property
    def refresh_token(self) -> str:
        """The refresh token of the first account that is valid now."""
        return self.accounts[0].refresh_token

    def replace_refresh_token(self) -> str:
        """Replace the refresh token, as if another process had used it, and return the new one."""
        return self.accounts[0].tokens.replace_refresh_token()

    def expire_codes(self) -> None:
        """Expire the codes of all sign-ins in progress."""
        for api_key in self.users.api_keys:
            api_key.expire_codes()

    def revoke_access_tokens(self) -> None:
        """Revoke all access tokens that were issued so far."""
        for served in self.accounts:
            served.tokens.revoke_access_tokens()

    def limit_requests(self, per_second: int) -> None:
        """Change the limit of requests per second of all API keys; 0 = no limit."""
        for admission in self._app.admissions.values():
            admission.limit_requests(per_second)

    def reset_quotas(self) -> None:
        """Forget today's requests of all API keys, as the API does at midnight UTC."""
        for admission in self._app.admissions.values():
            admission.reset_quota()

    @property
    def requests_today(self) -> dict[str, int]:
        """How many requests count toward the daily quota of each API key, by `client_id`."""
        return {key: admission.requests_today for key, admission in self._app.admissions.items()}

    def fail(self, path: str, fault: Fault, **details: Any) -> None:
        """Make requests fail.

        Args:
            path: A path below /v3, or `TOKEN_PATH`; `*` matches anything.
            fault: The kind of fault.
            **details: `times`, `skip`, `seconds` and `message`, see `PlannedFault`.
        """
        self._faults.add(PlannedFault(path, Fault(fault), **details))

    def clear_faults(self) -> None:
        """Forget all planned faults."""
        self._faults.clear()

    def change(self) -> dict[str, list[Any]]:
        """Make a round of changes to the first account.

        Returns:
            The ids of the changed records, by kind of change.
        """
        return self.accounts[0].change()

    def expected(self, streams: Collection[str] | None = None) -> dict[str, Rows]:
        """Return all rows that a complete sync of the first account must deliver now.

        Args:
            streams: The names of the streams; None = all, which takes a while for a large account.

        Returns:
            The rows, by stream and key.
        """
        return self.accounts[0].expected(streams)
