"""The authorization server: refresh tokens and codes in, access tokens out."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from sandbox.server.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Authorization

    from sandbox.auth.api_keys import ApiKey
    from sandbox.server.options import Options

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Tokens:
    """A user who signed in to an account with an API key, and the tokens of this sign-in.

    Attributes:
        api_key: The API key.
        user: The name of the user.
        partner: The client id and secret of a partner.
        refresh_token: The only refresh token that is valid now.
    """

    def __init__(self, options: Options, api_key: ApiKey, user: str) -> None:
        """Sign in a user."""
        self._options = options
        self.api_key = api_key
        self.user = user
        self._lock = threading.Lock()
        self._expiries: dict[str, float] = {}
        self._scopes: dict[str, tuple[str, ...]] = {}
        self._granted = options.scopes
        self._partner_expiries: dict[str, float] = {}
        self.refresh_token = _new_refresh_token()
        self._previous = ""
        self.partner = (secrets.token_hex(16), secrets.token_urlsafe(16))

    def grant(self, form: Mapping[str, str], credentials: Authorization | None) -> dict[str, Any]:
        """Exchange a refresh token, or the code of a sign-in, for an access token.

        Raises:
            TokenError: If the client, the token or the code is invalid.
        """
        grants = {
            "refresh_token": self._refresh,
            "authorization_code": self._exchange_code,
            DEVICE_GRANT: self._exchange_device_code,
        }
        grant = grants.get(form.get("grant_type", ""))
        if form.get("grant_type") == DEVICE_GRANT:
            self.api_key.identify_device(form, credentials)
        else:
            self.api_key.identify(form, credentials)
        if grant is None:
            message = f"Supported grant types: {', '.join(grants)}."
            raise TokenError(400, "unsupported_grant_type", message)
        with self._lock:
            return grant(form)

    def is_for(self, form: Mapping[str, str]) -> bool:
        """Return whether a request for tokens has a refresh token or a code of this user."""
        code = self.api_key.codes.get(form.get("code", ""))
        code = code or self.api_key.device_codes.get(form.get("device_code", ""))
        if code is not None:
            return code.user == self.user
        return form.get("refresh_token") in (self.refresh_token, self._previous)

    def _refresh(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Exchange a refresh token.

        A rotating token is invalid as soon as it was used, as are all earlier ones (observed: no
        grace period).
        """
        given = form.get("refresh_token")
        in_grace = self._options.refresh_token_grace and given == self._previous
        if given != self.refresh_token and not in_grace:
            message = "The refresh token is invalid or expired."
            raise TokenError(self._options.invalid_grant_status, "invalid_grant", message)
        if not self._options.long_lived_tokens:
            self._previous = self.refresh_token
            self.refresh_token = _new_refresh_token()
        return self._issue()

    def _exchange_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Exchange the code that a browser brought; it is valid once (documented)."""
        code = self.api_key.codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at < time.time():
            raise TokenError(400, "invalid_grant", "The authorization code is invalid or expired.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise TokenError(400, "invalid_grant", "The redirect URI is not the one of the code.")
        if code.challenge and self.api_key.client_secret and not self._options.pkce_with_secret:
            raise TokenError(400, "invalid_request", "PKCE is for public clients.")
        if code.challenge and code.challenge != challenge_of(form.get("code_verifier", "")):
            raise TokenError(400, "invalid_grant", "PKCE verification failed.")  # Okta's words
        return self._sign_in(code.scopes)

    def _exchange_device_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Exchange the code of a device; the errors are those of RFC 8628."""
        code = self.api_key.device_codes.get(form.get("device_code", ""))
        if code is None:
            raise TokenError(400, "invalid_grant", "The device code is invalid.")
        if code.expires_at < time.time():
            raise TokenError(400, "expired_token", "The device code has expired.")
        soon = code.polled_at + self._options.device_interval
        code.polled_at, is_soon = time.time(), time.time() < soon
        if code.allowed is None:
            error = "slow_down" if is_soon else "authorization_pending"
            raise TokenError(400, error, "The user has not answered yet.")
        del self.api_key.device_codes[form["device_code"]]
        if not code.allowed:
            raise TokenError(400, "access_denied", "The user has refused.")
        return self._sign_in(code.scopes)

    def _sign_in(self, scopes: tuple[str, ...]) -> dict[str, Any]:
        """Start a new sign-in; refresh tokens of earlier ones become invalid (observed)."""
        self._granted = tuple(scope for scope in scopes if scope in self._options.scopes)
        self.refresh_token = _new_refresh_token()
        return self._issue()

    def grant_partner(
        self, form: Mapping[str, str], credentials: Authorization | None
    ) -> dict[str, Any]:
        """Issue an access token to a partner: without a user or a refresh token (assumed).

        Raises:
            TokenError: If the partner is unknown.
        """
        given = credentials and (credentials.username, credentials.password)
        if not self._options.partner_api_key or given != self.partner:
            raise TokenError(401, "invalid_client", "The partner is unknown.")
        if form.get("grant_type") != self._options.partner_grant:
            message = f"Supported grant type: {self._options.partner_grant}."
            raise TokenError(400, "unsupported_grant_type", message)
        access_token = secrets.token_urlsafe(32)
        self._partner_expiries[access_token] = time.time() + self._options.token_lifetime
        lifetime = int(self._options.token_lifetime)
        return {"token_type": "Bearer", "expires_in": lifetime, "access_token": access_token}

    def is_valid(self, access_token: str, *, of_partner: bool = False) -> bool:
        """Return whether an access token was issued, is not revoked and has not expired."""
        expiries = self._partner_expiries if of_partner else self._expiries
        return expiries.get(access_token, 0) > time.time()

    def scopes_of(self, access_token: str) -> tuple[str, ...]:
        """Return the scopes of an access token."""
        return self._scopes.get(access_token, ())

    def revoke_access_tokens(self) -> None:
        """Revoke all access tokens that were issued so far."""
        self._expiries.clear()
        self._partner_expiries.clear()

    def replace_refresh_token(self) -> str:
        """Replace the refresh token as if another process had used it."""
        with self._lock:
            self.refresh_token = _new_refresh_token()
            return self.refresh_token

    def _issue(self) -> dict[str, Any]:
        options = self._options
        expiry = time.time() + options.token_lifetime
        access_token = _jwt(
            {
                "jti": secrets.token_urlsafe(16),
                "iat": int(time.time() + options.clock_skew),
                "exp": int(expiry + options.clock_skew),
                "scp": list(self._granted),
                "cid": self.api_key.client_id,
                "platform_user_id": "8f4b6d1e-0a51-4a6c-9f7a-3f0c1c7f2a55",
            }
        )
        self._expiries[access_token] = expiry
        self._scopes[access_token] = self._granted
        response = {
            "token_type": "Bearer",
            "expires_in": int(options.token_lifetime),
            "access_token": access_token,
            "scope": " ".join(self._granted),
        }
        if "offline_access" in self._granted:  # only then (documented)
            response["refresh_token"] = self.refresh_token
        if options.expires_in == "string":  # as in the guide's example
            response["expires_in"] = str(response["expires_in"])
        if options.expires_in == "absent":
            del response["expires_in"]
        return response


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge (S256) of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _new_refresh_token() -> str:
    return secrets.token_urlsafe(32)  # 43 characters, like a real one (observed)


def _jwt(claims: dict[str, Any]) -> str:
    """Return claims in the form of a JWT. The signature is fake; nobody checks it."""
    parts = ({"alg": "RS256", "kid": "sandbox"}, claims, "not a signature")
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
