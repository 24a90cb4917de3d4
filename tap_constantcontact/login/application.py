"""The application that a person signs in to, and the authorisation server that knows it.

Facts of the API that this relies on: addresses, the three flows and their parameters (documented);
a key with a secret names itself in a Basic header and not in the body, one without in the body
(seen); a key with a secret may send a PKCE challenge too (inferred: the server is an Okta).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from singer_sdk.exceptions import ConfigurationError

_TIMEOUT_SECONDS = 30
_TOKEN = "/token"  # noqa: S105 - the end of an address


@dataclass(frozen=True)
class Application:
    """An application of the developer portal.

    Attributes:
        client_id: its API key.
        client_secret: its secret; None for one of the PKCE kind.
        token_url: address that gives tokens.
        user_agent: name to give to the server.
    """

    client_id: str
    client_secret: str | None
    token_url: str
    user_agent: str

    @property
    def authorize_url(self) -> str:
        """Address of the page on which a person signs in."""
        return self._beside("/authorize")

    @property
    def device_url(self) -> str:
        """Address that gives codes for devices."""
        return self._beside("/device/authorize")

    def post(
        self, url: str, body: Mapping[str, Any], *, with_secret: bool = True
    ) -> requests.Response:
        """Return the answer to a request of the application.

        Args:
            url: an address of the server.
            body: the form that is sent, without the name of the application.
            with_secret: whether a secret is used, if there is one.

        Raises:
            requests.RequestException: there is no answer.
        """
        secret = self.client_secret if with_secret else None
        return requests.post(
            url,
            data=dict(body) if secret else {**body, "client_id": self.client_id},
            auth=(self.client_id, secret) if secret else None,
            headers={"User-Agent": self.user_agent, "Accept": "application/json"},
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )

    def _beside(self, path: str) -> str:
        """Return the address of another endpoint of the server.

        Raises:
            ConfigurationError: the address of the token endpoint does not show it.
        """
        if not self.token_url.endswith(_TOKEN):
            message = (
                f"Setting auth_url is {self.token_url!r}, but must end with {_TOKEN}: the sign-in "
                "is at the addresses beside it"
            )
            raise ConfigurationError(message)
        return self.token_url.removesuffix(_TOKEN) + path
