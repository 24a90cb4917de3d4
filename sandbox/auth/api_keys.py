"""An API key, and the codes of the sign-ins that are in progress with it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.server.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Authorization

    from sandbox.server.options import Options

CODE_SECONDS = 300  # of a code for the browser (observed: the vendor's support)
DEVICE_SECONDS = 600  # of a code for a device (assumed)
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # they form no words (RFC 8628, 6.1)


@dataclass
class Code:
    """An authorization or device code, until the application exchanges it for tokens.

    Attributes:
        scopes: The scopes that were granted or requested.
        expires_at: When it expires, in seconds since 1970.
        redirect_uri: Where the browser was sent with it; "" for a device.
        challenge: The PKCE challenge (S256), or "".
        allowed: Whether the user has allowed it; None while a device waits.
        user: The name of the user who allowed it, or "".
        polled_at: When a device last requested tokens.
    """

    scopes: tuple[str, ...]
    expires_at: float
    redirect_uri: str = ""
    challenge: str = ""
    allowed: bool | None = None
    user: str = ""
    polled_at: float = 0.0


class ApiKey:
    """An API key. Users of several accounts may sign in with it.

    Attributes:
        client_id: The API key.
        client_secret: Its secret; None for a public (PKCE) key.
        codes: The codes for browsers.
        device_codes: The codes for devices.
    """

    def __init__(self, options: Options) -> None:
        """Register an API key."""
        self._device_needs_secret = options.device_needs_secret
        self.client_id = secrets.token_hex(16)
        self.client_secret = None if options.public_client else secrets.token_urlsafe(16)
        self.codes: dict[str, Code] = {}
        self.device_codes: dict[str, Code] = {}
        self._user_codes: dict[str, Code] = {}

    def issue_code(
        self, user: str, scopes: tuple[str, ...], redirect_uri: str, challenge: str
    ) -> str:
        """Issue a code that the browser of a user brings to the application."""
        code = secrets.token_urlsafe(24)
        expires_at = time.time() + CODE_SECONDS
        self.codes[code] = Code(scopes, expires_at, redirect_uri, challenge, user=user)
        return code

    def issue_device_code(self, scopes: tuple[str, ...]) -> tuple[str, str]:
        """Issue a code for a device, and one for its user to enter."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device_code, user_code = secrets.token_urlsafe(24), f"{letters[:4]}-{letters[4:]}"
        code = Code(scopes, time.time() + DEVICE_SECONDS)
        self.device_codes[device_code] = self._user_codes[user_code] = code
        return device_code, user_code

    def device_of(self, user_code: str) -> Code | None:
        """Return the code of a waiting device, if a user may still allow it."""
        code = self._user_codes.get(user_code.strip().upper())
        return code if code and code.allowed is None and code.expires_at > time.time() else None

    def expire_codes(self) -> None:
        """Expire all codes that were issued."""
        for code in (*self.codes.values(), *self.device_codes.values()):
            code.expires_at = 0.0

    def identify_device(self, form: Mapping[str, str], credentials: Authorization | None) -> None:
        """Check the client of a device: the API key is enough (documented), or not (assumed).

        Raises:
            TokenError: If the client is unknown.
        """
        if credentials or self._device_needs_secret:
            self.identify(form, credentials)
        elif form.get("client_id") != self.client_id:
            raise TokenError(401, "invalid_client", "The client is unknown.")

    def identify(self, form: Mapping[str, str], credentials: Authorization | None) -> None:
        """Check the client: Basic for a confidential key, the body for a public one (observed).

        Raises:
            TokenError: If the client is unknown.
        """
        if credentials is None:
            known = self.client_secret is None and form.get("client_id") == self.client_id
        elif "client_id" in form:
            message = "Cannot supply multiple client credentials."  # Okta's words
            raise TokenError(400, "invalid_request", message)
        else:
            given = (credentials.username, credentials.password)
            known = self.client_secret is not None and given == (
                self.client_id,
                self.client_secret,
            )
        if not known:
            message = "The client is unknown, or its secret is missing or wrong."
            raise TokenError(401, "invalid_client", message)
