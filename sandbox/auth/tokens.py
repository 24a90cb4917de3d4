"""The authorization server: refresh tokens and codes in, access tokens out."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.server.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Authorization

    from sandbox.server.options import Options


CODE_SECONDS = 300  # of a code for the browser (observed: the vendor's support)
DEVICE_SECONDS = 600  # of a code for a device (assumed)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
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
        polled_at: When a device last requested tokens.
    """

    scopes: tuple[str, ...]
    expires_at: float
    redirect_uri: str = ""
    challenge: str = ""
    allowed: bool | None = None
    polled_at: float = 0.0


class Tokens:
    """One API key, the tokens that were issued to it, and the user who signed in.

    Attributes:
        client_id: The API key.
        client_secret: Its secret; None for a public (PKCE) key.
        partner: The client id and secret of a partner.
        refresh_token: The only refresh token that is valid now.
    """

    def __init__(self, options: Options) -> None:
        """Register an API key and sign in a user."""
        self._options = options
        self._lock = threading.Lock()
        self._expiries: dict[str, float] = {}
        self._scopes: dict[str, tuple[str, ...]] = {}
        self._codes: dict[str, Code] = {}
        self._device_codes: dict[str, Code] = {}
        self._user_codes: dict[str, Code] = {}
        self._granted = options.scopes
        self._partner_expiries: dict[str, float] = {}
        self.client_id = secrets.token_hex(16)
        self.client_secret = None if options.public_client else secrets.token_urlsafe(16)
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
            self.identify_device(form, credentials)
        else:
            self._identify(form, credentials)
        if grant is None:
            message = f"Supported grant types: {', '.join(grants)}."
            raise TokenError(400, "unsupported_grant_type", message)
        with self._lock:
            return grant(form)

    def issue_code(self, scopes: tuple[str, ...], redirect_uri: str, challenge: str) -> str:
        """Issue a code that the browser brings to the application."""
        code = secrets.token_urlsafe(24)
        expires_at = time.time() + CODE_SECONDS
        self._codes[code] = Code(scopes, expires_at, redirect_uri, challenge)
        return code

    def issue_device_code(self, scopes: tuple[str, ...]) -> tuple[str, str]:
        """Issue a code for a device, and one for its user to enter."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device_code, user_code = secrets.token_urlsafe(24), f"{letters[:4]}-{letters[4:]}"
        code = Code(scopes, time.time() + DEVICE_SECONDS)
        self._device_codes[device_code] = self._user_codes[user_code] = code
        return device_code, user_code

    def device_of(self, user_code: str) -> Code | None:
        """Return the code of a waiting device, if a user may still allow it."""
        code = self._user_codes.get(user_code.strip().upper())
        return code if code and code.allowed is None and code.expires_at > time.time() else None

    def expire_codes(self) -> None:
        """Expire all codes that were issued."""
        for code in (*self._codes.values(), *self._device_codes.values()):
            code.expires_at = 0.0

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
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at < time.time():
            raise TokenError(400, "invalid_grant", "The authorization code is invalid or expired.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise TokenError(400, "invalid_grant", "The redirect URI is not the one of the code.")
        if code.challenge and self.client_secret and not self._options.pkce_with_secret:
            raise TokenError(400, "invalid_request", "PKCE is for public clients.")
        if code.challenge and code.challenge != challenge_of(form.get("code_verifier", "")):
            raise TokenError(400, "invalid_grant", "PKCE verification failed.")  # Okta's words
        return self._sign_in(code.scopes)

    def _exchange_device_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Exchange the code of a device; the errors are those of RFC 8628."""
        code = self._device_codes.get(form.get("device_code", ""))
        if code is None:
            raise TokenError(400, "invalid_grant", "The device code is invalid.")
        if code.expires_at < time.time():
            raise TokenError(400, "expired_token", "The device code has expired.")
        soon = code.polled_at + self._options.device_interval
        code.polled_at, is_soon = time.time(), time.time() < soon
        if code.allowed is None:
            error = "slow_down" if is_soon else "authorization_pending"
            raise TokenError(400, error, "The user has not answered yet.")
        del self._device_codes[form["device_code"]]
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

    def identify_device(self, form: Mapping[str, str], credentials: Authorization | None) -> None:
        """Check the client of a device: the API key is enough (documented), or not (assumed).

        Raises:
            TokenError: If the client is unknown.
        """
        if credentials or self._options.device_needs_secret:
            self._identify(form, credentials)
        elif form.get("client_id") != self.client_id:
            raise TokenError(401, "invalid_client", "The client is unknown.")

    def _identify(self, form: Mapping[str, str], credentials: Authorization | None) -> None:
        """Check the client: Basic for a confidential key, the body for a public one (observed)."""
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

    def _issue(self) -> dict[str, Any]:
        options = self._options
        expiry = time.time() + options.token_lifetime
        access_token = _jwt(
            {
                "jti": secrets.token_urlsafe(16),
                "iat": int(time.time() + options.clock_skew),
                "exp": int(expiry + options.clock_skew),
                "scp": list(self._granted),
                "cid": self.client_id,
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
