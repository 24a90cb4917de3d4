"""Access tokens from a refresh token, kept so that a rotated one is never lost.

Facts of the API that this relies on: a refresh token may be usable once only, and a new one ends
all earlier ones, without grace (seen: the vendor's support; grace period: guess); the token
endpoint is rate limited (documented), so an access token is used until it ends, by later runs too.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import backoff
import requests
from filelock import FileLock, Timeout
from singer_sdk.authenticators import BearerTokenAuthenticator, OAuthAuthenticator
from singer_sdk.exceptions import RetriableAPIError

from tap_constantcontact.api.authentication import Login as Login  # noqa: PLC0414 - exported
from tap_constantcontact.api.errors import error_key, vendor_message
from tap_constantcontact.api.responses import body_of
from tap_constantcontact.exceptions import LoginError

# An access token is given up a little before its end, so that it does not end under way.
_LEEWAY_SECONDS = 300
_LEEWAY_SHARE = 0.1
# Where an answer says neither `expires_in` nor `exp`: far below the documented 86,400.
_UNKNOWN_LIFETIME_SECONDS = 3600
_TOKEN_TIMEOUT_SECONDS = 30
_LOCK_TIMEOUT_SECONDS = 180
_TRIES = 5

_SIGN_IN_AGAIN = (
    "It is used up, revoked, or was unused for 180 days. Sign in again (tap-constantcontact-login) "
    "and put the new token into the setting refresh_token"
)

Tokens = dict[str, Any]


def default_token_store(client_id: str, refresh_token: str) -> Path:
    """Return the file that tokens are kept in where the setting token_store is not given."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = fingerprint(client_id, refresh_token)[:16]
    return Path(state) / "tap-constantcontact" / f"{name}.json"


class TokenStore:
    """A file with the tokens of one sign-in, shared by all processes that use it."""

    def __init__(self, path: Path, seed: str) -> None:
        """Open a store.

        Args:
            path: the file; its folder is made when it is written.
            seed: fingerprint of the sign-in; tokens of another sign-in are not read.
        """
        self.path = path.resolve()  # a link is followed, not replaced
        self.seed = seed

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out from reading to writing.

        Raises:
            LoginError: the folder cannot be written to, or another process holds the lock.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(f"{self.path}.lock", timeout=_LOCK_TIMEOUT_SECONDS, mode=0o600)
            lock.acquire()
        except Timeout as error:
            message = (
                f"Another process has held the token store {self.path} for too long. Wait for it, "
                "or end it, and run again"
            )
            raise LoginError(message) from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Tokens:
        """Return the tokens of this sign-in, or none.

        Raises:
            LoginError: there is a store, but it cannot be read. The token of the settings may be
                spent by now, so it is not tried instead.
        """
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            message = (
                f"The token store {self.path} cannot be read ({type(error).__name__}). Mend it, or "
                "delete it to sign in with the setting refresh_token"
            )
            raise LoginError(message) from error
        return kept if isinstance(kept, dict) and kept.get("seed") == self.seed else {}

    def prove_writable(self) -> None:
        """Replace the store by itself, to notice in time if that is not possible.

        Raises:
            LoginError: the store cannot be written to.
        """
        try:
            content = self.path.read_bytes() if self.path.exists() else b"{}"
        except OSError as error:
            raise self._unwritable(error) from error
        self._replace(content)

    def write(self, tokens: Mapping[str, Any]) -> None:
        """Store the tokens of this sign-in, in one atomic replacement.

        Raises:
            LoginError: the store cannot be written to.
        """
        self._replace(json.dumps({**tokens, "seed": self.seed}).encode())

    def _replace(self, content: bytes) -> None:
        name = None
        try:
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            with os.fdopen(handle, "wb") as file:  # mkstemp makes it 0600
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError as error:
            if name is not None:
                Path(name).unlink(missing_ok=True)
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> LoginError:
        return LoginError(
            f"The token store {self.path} cannot be written to ({error.strerror or error}); a "
            "rotated refresh token would be lost. Set token_store to a file that this user can "
            "replace, in a folder that stays"
        )


class RefreshTokenAuthenticator(OAuthAuthenticator):
    """Signs requests with an access token, and gets a new one when it ends."""

    def __init__(
        self,
        *,
        auth_url: str,
        client_id: str,
        client_secret: str | None,
        refresh_token: str,
        store_path: Path | None,
        user_agent: str,
    ) -> None:
        """Take the login's settings.

        Args:
            auth_url: address of the token endpoint.
            client_id: the application's API key.
            client_secret: its secret; PKCE applications have none.
            refresh_token: the token of the sign-in.
            store_path: the file to keep tokens in, if not the default one.
            user_agent: name to give to the token endpoint.
        """
        super().__init__(auth_endpoint=auth_url, client_id=client_id, client_secret=client_secret)
        self._signed_in_with = refresh_token
        self._user_agent = user_agent
        path = store_path or default_token_store(client_id, refresh_token)
        self.store = TokenStore(path, seed=fingerprint(client_id, refresh_token))
        self._expires_at = 0.0
        self._refused: str | None = None
        self._doubted = False
        self._renewal = threading.Lock()
        self.requesting = threading.Lock()

    def is_token_valid(self) -> bool:
        """Return whether the access token may still be used."""
        return self.access_token is not None and time.time() < self._expires_at

    def reject(self, access_token: str) -> None:
        """Take note that the API refused an access token; the next request gets a new one.

        Raises:
            LoginError: the token is a new one, which the API has never taken.
        """
        with self._renewal:
            if access_token != self.access_token:
                return  # another thread has replaced it meanwhile
            if self._doubted:
                message = (
                    "The API refuses a new access token. Check that the setting auth_url belongs "
                    "to api_url, and that the application is active"
                )
                raise LoginError(message)
            self._refused, self._doubted, self._expires_at = access_token, True, 0.0

    def accept(self) -> None:
        """Take note that the API took the access token."""
        self._doubted = False

    @property
    def oauth_request_body(self) -> dict[str, str]:
        """The grant; PKCE keys name themselves in the body, confidential ones must not."""
        body = {"grant_type": "refresh_token", "refresh_token": self.refresh_token or ""}
        return body if self.client_secret else {**body, "client_id": self.client_id or ""}

    def update_access_token(self) -> None:
        """Get an access token: the stored one while it lasts, else from the token endpoint.

        Raises:
            LoginError: no token is to be had; the message says what to do.
        """
        with self._renewal:
            if not self.is_token_valid():
                _run_to_its_end(self._renew)

    def _renew(self) -> None:
        with self.store.locked():
            kept = self.store.read()
            if kept.get("access_token") not in (None, self._refused) and _lasts(kept):
                self._use(kept)
                return
            self.refresh_token = kept.get("refresh_token") or self._signed_in_with
            self._use(self._refresh())

    def _refresh(self) -> Tokens:
        """Spend the refresh token, and again if another process has stored a newer one."""
        try:
            return self._request_and_store()
        except InvalidGrant as spent:
            newer = self.store.read().get("refresh_token")
            if newer in (None, self.refresh_token):
                message = f"Constant Contact refused the refresh token ({spent}). {_SIGN_IN_AGAIN}"
                raise LoginError(message) from spent
            self.refresh_token = newer
        try:
            return self._request_and_store()
        except InvalidGrant as spent:
            message = f"Constant Contact refused the stored token ({spent}). {_SIGN_IN_AGAIN}"
            raise LoginError(message) from spent

    @backoff.on_exception(
        backoff.expo,
        (
            *(RetriableAPIError, requests.ConnectionError, requests.Timeout),
            requests.exceptions.ChunkedEncodingError,  # a cut answer: a long-lived token is good
        ),
        max_tries=_TRIES,
        jitter=backoff.random_jitter,
        logger=None,
    )
    def _request_and_store(self) -> Tokens:
        with self.requesting:
            self.store.prove_writable()  # before the token is spent
            response = requests.post(
                self.auth_endpoint,
                data=self.oauth_request_body,
                auth=(self.client_id or "", self.client_secret) if self.client_secret else None,
                headers={"User-Agent": self._user_agent, "Accept": "application/json"},
                timeout=_TOKEN_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            tokens = tokens_of(response, self.refresh_token)
            self.store.write(tokens)
            return tokens

    def _use(self, tokens: Tokens) -> None:
        self.access_token = tokens["access_token"]
        self.refresh_token = tokens["refresh_token"]
        self._expires_at = tokens["expires_at"]


class PartnerAuthenticator(RefreshTokenAuthenticator):
    """Signs requests with a partner's token, which its key gets without anybody signing in.

    That it is the grant of client credentials is a guess: the vendor's guide shows the address
    and the `x-api-key` header.
    """

    @property
    def oauth_request_body(self) -> dict[str, str]:
        """The grant: the key's own credentials."""
        return {"grant_type": "client_credentials"}


class AccessTokenAuthenticator(BearerTokenAuthenticator):
    """Signs requests with the access token of the settings, for a quick try."""

    def __init__(self, access_token: str) -> None:
        """Take the setting access_token."""
        super().__init__(token=access_token)
        self.requesting = threading.Lock()

    def accept(self) -> None:
        """Nothing to note: there is one token only."""

    def reject(self, access_token: str) -> None:
        """Raise, since there is no other token.

        Raises:
            LoginError: always.
        """
        message = (
            "The API refuses the access token: it is wrong or has ended. Get a new one, or set "
            "client_id and refresh_token, with which the tap gets its own"
        )
        raise LoginError(message)


class InvalidGrant(Exception):
    """The token endpoint refused a refresh token, or the code of a sign-in."""


def tokens_of(response: requests.Response, refresh_token: str | None) -> Tokens:
    """Return the tokens of an answer of the token endpoint.

    Args:
        response: the answer.
        refresh_token: the one just used, which goes on where the answer has none.

    Raises:
        InvalidGrant: what was to be traded for tokens is worth nothing.
        RetriableAPIError: another try may help.
        LoginError: it will not.
    """
    status, key = response.status_code, error_key(response)
    if status == requests.codes.too_many_requests or status >= requests.codes.server_error:
        message = f"The token endpoint answered {status} {vendor_message(response)}"
        raise RetriableAPIError(message, response)
    if key == "invalid_grant":
        raise InvalidGrant(vendor_message(response))
    if status != requests.codes.ok:
        raise LoginError(_login_problem(response, key))
    body = body_of(response)
    access_token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(access_token, str) or not access_token.isprintable():
        raise LoginError("The token endpoint gave no access token; check the setting auth_url")
    return with_expiry(body, refresh_token)


def with_expiry(body: Mapping[str, Any], refresh_token: str | None) -> Tokens:
    """Return tokens as they are kept: with the time (since 1970) up to which they are used.

    Args:
        body: an answer of the token endpoint, or an access token alone.
        refresh_token: the one that goes on where the answer has none.
    """
    lifetime = _lifetime(body)
    return {
        "access_token": body["access_token"],
        "refresh_token": body.get("refresh_token") or refresh_token,
        "expires_at": time.time() + lifetime - min(_LEEWAY_SECONDS, lifetime * _LEEWAY_SHARE),
    }


def _login_problem(response: requests.Response, key: str) -> str:
    said = f"The token endpoint answered {response.status_code} {vendor_message(response)}"
    if key in ("invalid_client", "unauthorized_client", "invalid_request"):
        return (
            f"{said}. Check the settings client_id and client_secret (a PKCE application has no "
            "secret, every other one needs it)"
        )
    return f"{said}. Check the setting auth_url"


def _lifetime(body: Mapping[str, Any]) -> float:
    """Return how many seconds an access token lasts.

    `expires_in` comes as a number or as digits in a text (both documented); without it the
    token's own `exp` tells.
    """
    ends = claims_of(body["access_token"]).get("exp")
    for value, since in ((body.get("expires_in"), 0.0), (ends, time.time())):
        with suppress(ValueError):
            return float(str(value)) - since
    return _UNKNOWN_LIFETIME_SECONDS


def claims_of(access_token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unchecked: they are only a hint for its owner."""
    try:
        payload = access_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _lasts(tokens: Tokens) -> bool:
    ends = tokens.get("expires_at")
    return isinstance(ends, (int, float)) and time.time() < ends


def fingerprint(client_id: str, refresh_token: str) -> str:
    """Return what tells a sign-in from others, and does not give it away."""
    return hashlib.sha256(f"{client_id}\0{refresh_token}".encode()).hexdigest()


def _run_to_its_end(work: Callable[[], None]) -> None:
    """Run in a thread that a signal does not interrupt, and wait for it.

    A signal ends this thread's wait, but not the work: the interpreter lets a thread that is no
    daemon finish, so that a new refresh token is stored. Waiting is by an event, since an
    interrupted `join` leaves the thread marked as ended (CPython 3.11).
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
