"""The application that a person signs in to, and its authorization server.

Facts about the API: the URLs, the three flows and their parameters (documented). A key with a
secret is sent in a Basic header and not in the body, a key without one in the body (observed).
Assumes: keys_with_a_secret_may_use_pkce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from singer_sdk.exceptions import ConfigurationError

_TIMEOUT_SECONDS = 30
_TOKEN_PATH = "/token"  # noqa: S105 - the end of a URL


@dataclass(frozen=True)
class Application:
    """An application of the developer portal.

    Attributes:
        client_id: Its API key.
        client_secret: Its secret; None for a PKCE application.
        token_url: URL of the token endpoint.
        user_agent: User-Agent header of requests.
    """

    client_id: str
    client_secret: str | None
    token_url: str
    user_agent: str

    @property
    def authorize_url(self) -> str:
        """URL of the page on which a person signs in."""
        return self._sibling("/authorize")

    @property
    def device_url(self) -> str:
        """URL of the endpoint that issues device codes."""
        return self._sibling("/device/authorize")

    def post(
        self, url: str, body: Mapping[str, Any], *, with_secret: bool = True
    ) -> requests.Response:
        """Send a request as the application, and return the response.

        Args:
            url: A URL of the server.
            body: The form to send, without the client ID.
            with_secret: Whether to send the secret, if there is one.

        Raises:
            requests.RequestException: There is no response.
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

    def _sibling(self, path: str) -> str:
        """Return the URL of another endpoint of the server.

        Raises:
            ConfigurationError: The URL can't be derived from that of the token endpoint.
        """
        if not self.token_url.endswith(_TOKEN_PATH):
            message = (
                f"Invalid auth_url: {self.token_url!r} (must end with {_TOKEN_PATH}, because the "
                "URLs of the sign-in are derived from it)"
            )
            raise ConfigurationError(message)
        return self.token_url.removesuffix(_TOKEN_PATH) + path
