"""An account that a sandbox serves, with the user who signed in to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.auth.sign_in import USER
from sandbox.auth.tokens import Tokens
from sandbox.generate import changes
from sandbox.generate.account import generate_account
from sandbox.generate.cafe import generate_cafe
from sandbox.generate.owner import number_owner, numbered
from sandbox.server.app import API, PARTNER_TOKEN_PATH, TOKEN_PATH
from sandbox.server.expected import Rows, expected

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.account import Account
    from sandbox.auth.api_keys import ApiKey
    from sandbox.server.app import Request
    from sandbox.server.options import Options
    from sandbox.server.sandbox import Sandbox


class ServedAccount:
    """One of the accounts of a sandbox.

    Attributes:
        number: Its number, from 1.
        account: Its data; tests may change it in place.
        tokens: The user who signed in, and the tokens of the sign-in.
    """

    def __init__(self, sandbox: Sandbox, number: int, api_key: ApiKey) -> None:
        """Generate an account, and sign in to it.

        Args:
            sandbox: Serves it.
            number: Its number, from 1.
            api_key: The API key that the user signs in with.
        """
        self._sandbox = sandbox
        self.number = number
        self.account = _generate(sandbox.options, number)
        user = USER if number == 1 else numbered(USER, number)
        self.tokens = Tokens(sandbox.options, api_key, user)

    @property
    def id(self) -> str:
        """The `encoded_account_id`."""
        id_: str = self.account.summary["encoded_account_id"]
        return id_

    @property
    def client_id(self) -> str:
        """The API key, which other accounts may share."""
        return self.tokens.api_key.client_id

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a tap that reads this account."""
        api_key, url = self.tokens.api_key, self._sandbox.url
        settings = {"client_id": api_key.client_id}
        if api_key.client_secret is not None:
            settings["client_secret"] = api_key.client_secret
        return {
            **settings,
            "refresh_token": self.tokens.refresh_token,
            "api_url": url + API,
            "auth_url": url + TOKEN_PATH,
        }

    @property
    def partner_settings(self) -> dict[str, str]:
        """The settings of a tap that reads the clients of a partner."""
        client_id, client_secret = self.tokens.partner
        return {
            "partner_api_key": self._sandbox.options.partner_api_key,
            "partner_client_id": client_id,
            "partner_client_secret": client_secret,
            "partner_auth_url": self._sandbox.url + PARTNER_TOKEN_PATH,
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
    def requests(self) -> list[Request]:
        """The requests for this account so far, those for its tokens included."""
        return [request for request in self._sandbox.requests if request.account == self.id]

    @property
    def refresh_token(self) -> str:
        """The refresh token that is valid now."""
        return self.tokens.refresh_token

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
        options = self._sandbox.options
        return expected(self.account, options.privileges, streams, options)


def _generate(options: Options, number: int) -> Account:
    now, seed = _clock(options), options.seed + number - 1
    if options.profile == "cafe":
        account = generate_cafe(contacts=options.contacts, seed=seed, now=now, rules=options)
    else:
        account = generate_account(
            contacts=options.contacts,
            campaigns=options.campaigns,
            seed=seed,
            now=now,
            audience=options.audience,
            rules=options,
        )
    if number > 1:
        number_owner(account, number)
    return account


def _clock(options: Options) -> Any:
    """Return the account's clock: it starts at `now` and is ahead by the skew."""
    ahead = options.now.timestamp() - time.time() if options.now else 0.0
    return lambda: int(time.time() + ahead + options.clock_skew)
