"""Access tokens from a refresh token, stored so that a rotated one is never lost.

Facts about the API: a refresh token may be usable only once, and a new one invalidates all earlier
ones. The token endpoint is rate limited (documented), so an access token is used until it expires,
by later runs too. Assumes: used_refresh_tokens_are_void, void_tokens_are_status_400.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from itertools import count
from typing import Any

import backoff
import requests
from singer_sdk.authenticators import BearerTokenAuthenticator, OAuthAuthenticator
from singer_sdk.exceptions import RetriableAPIError
from typing_extensions import override

from tap_constantcontact.api.authentication import Login as Login  # noqa: PLC0414 - exported
from tap_constantcontact.api.errors import error_key, vendor_message
from tap_constantcontact.api.responses import body_of, request_id, retry_after
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.token_store.base import Tokens, TokenStore

# An access token is replaced a little early, so that it doesn't expire during a request.
_LEEWAY_SECONDS = 300
_LEEWAY_SHARE = 0.1
# For a response without `expires_in` or `exp`: far below the documented 86,400.
_DEFAULT_LIFETIME_SECONDS = 3600
_TOKEN_TIMEOUT_SECONDS = 30
_MAX_ATTEMPTS = 5
_MAX_WAIT_SECONDS = 60.0  # other runs wait for the lock on the token store meanwhile


def retry_waits() -> Generator[float, Exception | None, None]:
    """Yield the seconds between attempts: 1, 2, 4, … or more if the response says so.

    The token endpoint sends `Retry-After` with 429 and an empty body (observed).
    """
    error = yield 0
    for attempt in count():
        response = error.response if isinstance(error, RetriableAPIError) else None
        asked = retry_after(response) if response is not None else 0
        error = yield min(max(2.0**attempt, asked), _MAX_WAIT_SECONDS)


_retried = backoff.on_exception(
    retry_waits,
    (
        *(RetriableAPIError, requests.ConnectionError, requests.Timeout),
        requests.exceptions.ChunkedEncodingError,  # truncated response to a long-lived token
    ),
    max_tries=_MAX_ATTEMPTS,
    jitter=backoff.random_jitter,
    logger=None,
)


class RefreshTokenAuthenticator(OAuthAuthenticator):
    """Authenticates requests with an access token, and refreshes it when it expires."""

    def __init__(
        self,
        *,
        auth_url: str,
        client_secret: str | None,
        store: TokenStore,
        user_agent: str,
        before_wait: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to authenticate.

        Args:
            auth_url: URL of the token endpoint.
            client_secret: The application's secret; PKCE applications have none.
            store: Where the tokens of the sign-in are kept.
            user_agent: User-Agent header of token requests.
            before_wait: called before a token request, in the thread that will wait for it.
        """
        super().__init__(
            auth_endpoint=auth_url, client_id=store.client_id, client_secret=client_secret
        )
        self._original_refresh_token = store.refresh_token
        self._user_agent = user_agent
        self.store = store
        self._expires_at = 0.0
        self._rejected: str | None = None
        self._is_unconfirmed = False
        self._before_wait = before_wait
        self._refreshing = threading.Lock()
        self.requesting = threading.Lock()

    @override
    def is_token_valid(self) -> bool:
        """Return whether the access token can still be used."""
        return self.access_token is not None and time.time() < self._expires_at

    def reject(self, access_token: str) -> None:
        """Note that the API rejected an access token; the next request gets a new one.

        Raises:
            LoginError: The token is new, and the API has never accepted it.
        """
        with self._refreshing:
            if access_token != self.access_token:
                return  # another thread has replaced it in the meantime
            if self._is_unconfirmed:
                message = (
                    "The API rejects a new access token. Check that auth_url belongs to api_url, "
                    "and that the application is active"
                )
                raise LoginError(message)
            self._rejected, self._is_unconfirmed, self._expires_at = access_token, True, 0.0

    def accept(self) -> None:
        """Note that the API accepted the access token."""
        self._is_unconfirmed = False

    @property
    @override
    def oauth_request_body(self) -> dict[str, str]:
        """The grant. PKCE keys are named in the body, confidential keys must not be."""
        body = {"grant_type": "refresh_token", "refresh_token": self.refresh_token or ""}
        return body if self.client_secret else {**body, "client_id": self.client_id or ""}

    @override
    def update_access_token(self) -> None:
        """Get an access token: the stored one until it expires, then one from the token endpoint.

        Raises:
            LoginError: No access token can be obtained; the message says what to do.
        """
        self._before_wait()
        with self._refreshing:
            if not self.is_token_valid():
                _run_uninterrupted(self._load_or_refresh)

    def _load_or_refresh(self) -> None:
        with self.store.locked():
            stored = self.store.read()
            if stored.get("has_secret") and not self.client_secret:
                # Its access token would do for a day, and then fail in a run that nobody watches.
                message = (
                    "Missing client_secret: the application that was signed in to has one, and "
                    "tokens can't be refreshed without it. Set it "
                    "(TAP_CONSTANTCONTACT_CLIENT_SECRET in .env)"
                )
                raise LoginError(message)
            if stored.get("access_token") not in (None, self._rejected) and _is_current(stored):
                self._use(stored)
                return
            self.refresh_token = stored.get("refresh_token") or self._original_refresh_token
            self._use(self._refresh())

    def _refresh(self) -> Tokens:
        """Trade the refresh token, or a newer one that another process has stored meanwhile."""
        try:
            return self._request_and_store()
        except InvalidGrant as error:
            newer = self.store.read().get("refresh_token")
            if newer in (None, self.refresh_token):
                raise self._rejection("refresh", error) from error
            self.refresh_token = newer
        try:
            return self._request_and_store()
        except InvalidGrant as error:
            raise self._rejection("stored", error) from error

    def _rejection(self, which: str, error: InvalidGrant) -> LoginError:
        """Return the error that ends a run, with what to do."""
        parts = [f"Constant Contact rejected the {which} token ({error})", self.store.remedy()]
        return LoginError(". ".join(parts))

    @_retried
    def _request_and_store(self) -> Tokens:
        with self.requesting:
            self.store.check_writable()  # before the refresh token is used
            response = requests.post(
                self.auth_endpoint,
                data=self.oauth_request_body,
                auth=(self.client_id or "", self.client_secret) if self.client_secret else None,
                headers={"User-Agent": self._user_agent, "Accept": "application/json"},
                timeout=_TOKEN_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            tokens = parse_tokens(response, self.refresh_token)
            tokens["has_secret"] = bool(self.client_secret)
            self.store.write(tokens)
            return tokens

    def _use(self, tokens: Tokens) -> None:
        self.access_token = tokens["access_token"]
        self.refresh_token = tokens["refresh_token"]
        self._expires_at = tokens["expires_at"]


class PartnerAuthenticator(RefreshTokenAuthenticator):
    """Authenticates requests with a partner's token, which needs no sign-in.

    Assumes: partners_use_client_credentials.
    """

    @property
    @override
    def oauth_request_body(self) -> dict[str, str]:
        """The grant: the key's own credentials."""
        return {"grant_type": "client_credentials"}


class AccessTokenAuthenticator(BearerTokenAuthenticator):
    """Authenticates requests with the setting access_token, for a quick try."""

    def __init__(self, access_token: str) -> None:
        """Use the setting access_token."""
        super().__init__(token=access_token)
        self.requesting = threading.Lock()

    def accept(self) -> None:
        """Do nothing: there is only one token."""

    def reject(self, access_token: str) -> None:
        """Raise, because there is no other token.

        Raises:
            LoginError: Always.
        """
        message = (
            "The API rejects the access token: it is wrong or has expired. Get a new one, or set "
            "client_id and refresh_token so that the tap can get its own"
        )
        raise LoginError(message)


class InvalidGrant(Exception):
    """Raised when the token endpoint rejects a refresh token, or the code of a sign-in."""


def parse_tokens(response: requests.Response, refresh_token: str | None) -> Tokens:
    """Return the tokens in a response of the token endpoint.

    Args:
        response: The response.
        refresh_token: The one just used, which stays valid if the response has none.

    Raises:
        InvalidGrant: The refresh token or the code is not valid.
        RetriableAPIError: The endpoint failed; a retry may help.
        LoginError: A retry won't help.
    """
    status, key = response.status_code, error_key(response)
    if status == requests.codes.too_many_requests or status >= requests.codes.server_error:
        raise RetriableAPIError(_problem(response), response)
    if key == "invalid_grant":
        raise InvalidGrant(vendor_message(response))
    if status != requests.codes.ok:
        raise LoginError(_login_problem(response, key))
    body = body_of(response)
    access_token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(access_token, str) or not access_token.isprintable():
        raise LoginError("The token endpoint returned no access token. Check auth_url")
    return with_expiry(body, refresh_token)


def with_expiry(body: Mapping[str, Any], refresh_token: str | None) -> Tokens:
    """Return tokens as they are stored: with the time (since 1970) until which they are used.

    Args:
        body: A response of the token endpoint, or only an access token.
        refresh_token: The one that stays valid if the response has none.
    """
    lifetime = _lifetime(body)
    return {
        "access_token": body["access_token"],
        "refresh_token": body.get("refresh_token") or refresh_token,
        "expires_at": time.time() + lifetime - min(_LEEWAY_SECONDS, lifetime * _LEEWAY_SHARE),
    }


def _login_problem(response: requests.Response, key: str) -> str:
    problem = _problem(response)
    if key in ("invalid_client", "unauthorized_client", "invalid_request"):
        return (
            f"{problem}. Check client_id and client_secret (a PKCE application has no secret, all "
            "others require one)"
        )
    return f"{problem}. Check auth_url"


def _problem(response: requests.Response) -> str:
    message = f"The token endpoint returned {response.status_code} {vendor_message(response)}"
    return message + request_id(response)


def _lifetime(body: Mapping[str, Any]) -> float:
    """Return the lifetime of an access token in seconds.

    `expires_in` is a number or a string of digits (both documented); without it, the token's own
    `exp` is used.
    """
    expires_at = parse_claims(body["access_token"]).get("exp")
    for value, since in ((body.get("expires_in"), 0.0), (expires_at, time.time())):
        with suppress(ValueError):
            return float(str(value)) - since
    return _DEFAULT_LIFETIME_SECONDS


def parse_claims(access_token: str) -> dict[str, Any]:
    """Return the claims of a JWT without verifying it: they are only a hint for its owner."""
    try:
        payload = access_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _is_current(tokens: Tokens) -> bool:
    expires_at = tokens.get("expires_at")
    return isinstance(expires_at, (int, float)) and time.time() < expires_at


def _run_uninterrupted(work: Callable[[], None]) -> None:
    """Run in a thread that a signal doesn't interrupt, and wait for it.

    A signal ends the wait of this thread, but not the work: the interpreter lets a thread that is
    not a daemon finish, so that a new refresh token is stored. The wait uses an event, because an
    interrupted `join` leaves the thread marked as finished (CPython 3.11).
    """
    done = threading.Event()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="token request", daemon=False).start()
    done.wait()
    if failure:
        raise failure[0]
