"""The authorisation server: refresh tokens in, access tokens out."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from sandbox.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Authorization

    from sandbox.options import Options


class Tokens:
    """One API key, the tokens that were issued to it, and the user who signed in.

    Attributes:
        client_id: The API key.
        client_secret: Its secret; None for a public (PKCE) key.
        partner: The id and the secret with which a partner gets tokens of its own.
        refresh_token: The only refresh token that is good now.
    """

    def __init__(self, options: Options) -> None:
        """Register an API key and let a user sign in."""
        self._options = options
        self._lock = threading.Lock()
        self._expiries: dict[str, float] = {}
        self._partner_expiries: dict[str, float] = {}
        self.client_id = secrets.token_hex(16)
        self.client_secret = None if options.public_client else secrets.token_urlsafe(16)
        self.refresh_token = _new_refresh_token()
        self.partner = (secrets.token_hex(16), secrets.token_urlsafe(16))

    def grant(self, form: Mapping[str, str], credentials: Authorization | None) -> dict[str, Any]:
        """Trade a refresh token for an access token.

        With rotating tokens the one that was used, and any earlier one, is worth nothing from
        here on (seen: no time of grace).

        Raises:
            TokenError: If the client or its refresh token is not the right one.
        """
        self._identify(form, credentials)
        if form.get("grant_type") != "refresh_token":
            raise TokenError(400, "unsupported_grant_type", "Only refresh_token is served here.")
        with self._lock:
            if form.get("refresh_token") != self.refresh_token:
                message = "The refresh token is invalid or expired."
                raise TokenError(400, "invalid_grant", message)
            if not self._options.long_lived_tokens:
                self.refresh_token = _new_refresh_token()
            return self._issue()

    def grant_partner(
        self, form: Mapping[str, str], credentials: Authorization | None
    ) -> dict[str, Any]:
        """Give an access token to a partner: without a user, and without a refresh token (guess).

        Raises:
            TokenError: If the partner is not the right one.
        """
        given = credentials and (credentials.username, credentials.password)
        if not self._options.partner_api_key or given != self.partner:
            raise TokenError(401, "invalid_client", "The partner is unknown.")
        if form.get("grant_type") != "client_credentials":
            message = "Only client_credentials is served here."
            raise TokenError(400, "unsupported_grant_type", message)
        access_token = secrets.token_urlsafe(32)
        self._partner_expiries[access_token] = time.time() + self._options.token_lifetime
        lifetime = int(self._options.token_lifetime)
        return {"token_type": "Bearer", "expires_in": lifetime, "access_token": access_token}

    def is_good(self, access_token: str, *, of_partner: bool = False) -> bool:
        """Tell whether an access token was issued, is not revoked and has not expired."""
        expiries = self._partner_expiries if of_partner else self._expiries
        return expiries.get(access_token, 0) > time.time()

    def revoke_access_tokens(self) -> None:
        """Make all access tokens that were issued so far worthless."""
        self._expiries.clear()
        self._partner_expiries.clear()

    def replace_refresh_token(self) -> str:
        """Replace the refresh token as if another process had used it."""
        with self._lock:
            self.refresh_token = _new_refresh_token()
            return self.refresh_token

    def _identify(self, form: Mapping[str, str], credentials: Authorization | None) -> None:
        """Check who asks: Basic for a confidential key, the body for a public one (seen)."""
        if credentials is None:
            known = self.client_secret is None and form.get("client_id") == self.client_id
        elif "client_id" in form:
            message = "Cannot supply multiple client credentials."  # the words of Okta
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

    def _issue(self) -> dict[str, Any]:
        options = self._options
        expiry = time.time() + options.token_lifetime
        access_token = _jwt(
            {
                "jti": secrets.token_urlsafe(16),
                "iat": int(time.time() + options.clock_skew),
                "exp": int(expiry + options.clock_skew),
                "scp": list(options.scopes),
                "cid": self.client_id,
                "platform_user_id": "8f4b6d1e-0a51-4a6c-9f7a-3f0c1c7f2a55",
            }
        )
        self._expiries[access_token] = expiry
        answer = {
            "token_type": "Bearer",
            "expires_in": int(options.token_lifetime),
            "access_token": access_token,
            "scope": " ".join(options.scopes),
        }
        if "offline_access" in options.scopes:  # only then (documented)
            answer["refresh_token"] = self.refresh_token
        if options.expires_in == "string":  # as in the guide's example
            answer["expires_in"] = str(answer["expires_in"])
        if options.expires_in == "absent":
            del answer["expires_in"]
        return answer


def _new_refresh_token() -> str:
    return secrets.token_urlsafe(32)  # 43 characters, like a real one (seen)


def _jwt(claims: dict[str, Any]) -> str:
    """Write claims in the form of a JWT. Nobody checks the signature, and it is none."""
    parts = ({"alg": "RS256", "kid": "sandbox"}, claims, "not a signature")
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
