"""The sandbox: an account that is served over HTTP, and the controls of a test."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from sandbox.auth.tokens import Tokens
from sandbox.generate import changes
from sandbox.generate.account import generate_account
from sandbox.generate.cafe import generate_cafe
from sandbox.server.app import API, PARTNER_TOKEN_PATH, TOKEN_PATH, App, Request
from sandbox.server.expected import Rows, expected
from sandbox.server.faults import Fault, Faults, PlannedFault
from sandbox.server.http_server import Handler, Server
from sandbox.server.options import Options

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from typing_extensions import Self

    from sandbox.account import Account


class Sandbox:
    """A fake Constant Contact v3 API.

    Use it in a `with` statement, or `start` and `stop` it.

    Attributes:
        options: The options it was made with.
        account: The account that it serves; tests may change it in place.
        requests: The requests to the API and the token endpoint, in order of arrival.
    """

    def __init__(self, **options: Any) -> None:
        """Generate an account, without serving it yet.

        Args:
            **options: Those of `Options`.
        """
        self.options = Options(**options)
        self.account = _generate(self.options)
        self.requests: list[Request] = []
        self._tokens = Tokens(self.options)
        self._faults = Faults()
        self._app = App(self, self._tokens, self._faults)
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
    def settings(self) -> dict[str, str]:
        """The settings of a tap that reads this account."""
        settings = {"client_id": self._tokens.client_id}
        if self._tokens.client_secret is not None:
            settings["client_secret"] = self._tokens.client_secret
        return {
            **settings,
            "refresh_token": self._tokens.refresh_token,
            "api_url": self.url + API,
            "auth_url": self.url + TOKEN_PATH,
        }

    @property
    def partner_settings(self) -> dict[str, str]:
        """The settings of a tap that reads the clients of a partner."""
        client_id, client_secret = self._tokens.partner
        return {
            "partner_api_key": self.options.partner_api_key,
            "partner_client_id": client_id,
            "partner_client_secret": client_secret,
            "partner_auth_url": self.url + PARTNER_TOKEN_PATH,
        }

    @property
    def settings_of_all(self) -> dict[str, Any]:
        """The settings of a tap that reads rows of every stream."""
        account = self.account
        return {
            **self.settings,
            **self.partner_settings,
            "landing_page_activity_ids": list(account.landing_pages),
            "v2_contact_ids": [str(id_) for id_ in account.v2_contact_ids],
            "v2_list_ids": [str(id_) for id_ in account.v2_list_ids],
            "v2_email_campaign_ids": [str(id_) for id_ in account.v2_campaign_ids],
            "report_start": "-1825d",
        }

    @property
    def refresh_token(self) -> str:
        """The refresh token that is valid now."""
        return self._tokens.refresh_token

    def replace_refresh_token(self) -> str:
        """Replace the refresh token, as if another process had used it, and return the new one."""
        return self._tokens.replace_refresh_token()

    def expire_codes(self) -> None:
        """Expire the codes of all sign-ins in progress."""
        self._tokens.expire_codes()

    def revoke_access_tokens(self) -> None:
        """Revoke all access tokens that were issued so far."""
        self._tokens.revoke_access_tokens()

    def limit_requests(self, per_second: int) -> None:
        """Change the limit of requests per second; 0 = no limit."""
        self._app.admission.limit_requests(per_second)

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
        """Make a round of changes to the account.

        Returns:
            The ids of the changed records, by kind of change.
        """
        return changes.change(self.account)

    def expected(self, streams: Collection[str] | None = None) -> dict[str, Rows]:
        """Return all rows that a complete sync must deliver now, by stream and key.

        Args:
            streams: The names of the streams; None = all, which takes a while for a large account.
        """
        options = self.options
        return expected(self.account, options.privileges, streams, options)


def _generate(options: Options) -> Account:
    now = _clock(options)
    if options.profile == "cafe":
        return generate_cafe(contacts=options.contacts, seed=options.seed, now=now, rules=options)
    return generate_account(
        contacts=options.contacts,
        campaigns=options.campaigns,
        seed=options.seed,
        now=now,
        audience=options.audience,
        rules=options,
    )


def _clock(options: Options) -> Any:
    """Return the account's clock: it starts at `now` and is ahead by the skew."""
    ahead = options.now.timestamp() - time.time() if options.now else 0.0
    return lambda: int(time.time() + ahead + options.clock_skew)
