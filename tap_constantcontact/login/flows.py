"""The flows of a sign-in: in a browser, by pasting the URL it ends at, or with a device code.

Each returns the application's tokens. oauthlib prepares the requests and parses the responses; it
doesn't use the network.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

import backoff
import requests
from oauthlib.common import generate_token
from oauthlib.oauth2 import (
    AccessDeniedError,
    DeviceClient,
    OAuth2Error,
    WebApplicationClient,
)
from singer_sdk.exceptions import RetriableAPIError

from tap_constantcontact.api.errors import error_key, vendor_message
from tap_constantcontact.api.responses import body_of
from tap_constantcontact.auth import InvalidGrant, parse_tokens, retry_waits
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.login.application import Application
from tap_constantcontact.login.pages import AccessDenied, NoResponse
from tap_constantcontact.redaction import in_one_line
from tap_constantcontact.token_store.base import Tokens

# oauthlib never accepts http, not even for this machine, which the browser is redirected to. The
# settings are validated instead: they accept http for this machine only.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

_VERIFIER_LENGTH = 96
# A code lives for five minutes (observed); 1, 2, 4 … 60 s between attempts.
_CODE_SECONDS = 240
_MAX_TRADES = 9
# Defaults for servers that don't say (RFC 8628, 3.2 and 3.5).
_POLL_SECONDS = 5.0
_SLOW_DOWN_SECONDS = 5.0
_DEVICE_CODE_SECONDS = 600.0

_DENIED = "Access was denied. Sign in again and allow access"
_CODE_EXPIRED = "The code was not entered in time. Try again"


class BrowserSignIn:
    """A sign-in by a code that the browser gets: authorization code with PKCE.

    Attributes:
        state: A secret that only the response to this sign-in contains.
        url: The page to sign in on.
    """

    def __init__(
        self, application: Application, scopes: Collection[str], redirect_uri: str
    ) -> None:
        """Begin a sign-in.

        Args:
            application: The application to sign in to.
            scopes: The scopes to request.
            redirect_uri: Where the browser is redirected to; must be registered for the
                application.
        """
        self._application = application
        self._redirect_uri = redirect_uri
        self._client = client = WebApplicationClient(application.client_id)
        self._verifier = client.create_code_verifier(_VERIFIER_LENGTH)
        self.state = generate_token()
        self.url = client.prepare_request_uri(
            application.authorize_url,
            redirect_uri=redirect_uri,
            scope=" ".join(sorted(scopes)),
            state=self.state,
            code_challenge=client.create_code_challenge(self._verifier, "S256"),
            code_challenge_method="S256",
        )

    def tokens(self, response_url: str, retrying: Callable[[str], None]) -> Tokens:
        """Return the tokens for the code.

        Args:
            response_url: The whole URL that the browser was redirected to.
            retrying: Is called with the reason before each further attempt.

        Raises:
            LoginError: There are none; the message says why.
        """
        form = self._client.prepare_request_body(
            code=self._code(response_url),
            redirect_uri=self._redirect_uri,
            code_verifier=self._verifier,
            include_client_id=False,
        )
        trade = backoff.on_exception(
            retry_waits,
            RetriableAPIError,
            max_tries=_MAX_TRADES,
            max_time=_CODE_SECONDS,
            giveup=_may_have_used_the_code,
            on_backoff=lambda details: retrying(str(details["exception"])),
            jitter=backoff.random_jitter,
            logger=None,
        )(self._trade)
        try:
            return trade(dict(parse_qsl(form)))
        except RetriableAPIError as error:
            raise NoResponse(f"{error}. No tokens were issued. Sign in again") from error
        except requests.RequestException as error:
            message = f"No response to the token request ({type(error).__name__}). Sign in again"
            raise NoResponse(message) from error

    def _trade(self, form: Mapping[str, Any]) -> Tokens:
        return _tokens(self._application.post(self._application.token_url, form))

    def _code(self, response_url: str) -> str:
        """Return the code in a response.

        Raises:
            LoginError: It has none; the message says why.
        """
        try:
            response = self._client.parse_request_uri_response(response_url, self.state)
        except AccessDeniedError as error:
            raise AccessDenied(f"{_DENIED} ({_describe(error)})") from error
        except OAuth2Error as error:
            message = (
                f"Constant Contact rejected the sign-in ({_describe(error)}). Check the "
                "application in the developer portal, then sign in again"
            )
            raise LoginError(message) from error
        return str(response["code"])


def _may_have_used_the_code(error: Exception) -> bool:
    """Return whether a response is a success that can't be read, rather than 429 or 5xx."""
    response = error.response if isinstance(error, RetriableAPIError) else None
    return response is None or response.ok


def sign_in_with_device_code(
    application: Application,
    scopes: Collection[str],
    show: Callable[[str, str, str], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tokens:
    """Return the tokens for a code that a person enters on any machine with a browser.

    Whether this flow returns a refresh token is disputed (the vendor's support says so).

    Args:
        application: The application to sign in to; its device flow must be enabled.
        scopes: The scopes to request.
        show: Is called with the URL to open, the code to enter there, and a URL that includes the
            code, which may be empty.
        sleep: Waits a number of seconds.
        clock: A monotonic clock in seconds.

    Raises:
        LoginError: Access was denied; the message says why.
    """
    device = _request_device_code(application, scopes)
    show(
        device["verification_uri"],
        device["user_code"],
        device.get("verification_uri_complete") or "",
    )
    client = DeviceClient(application.client_id)
    form = client.prepare_request_body(device_code=device["device_code"], include_client_id=False)
    grant = dict(parse_qsl(form))
    interval = _seconds(device.get("interval"), _POLL_SECONDS)
    deadline = clock() + _seconds(device.get("expires_in"), _DEVICE_CODE_SECONDS)
    with_secret = False  # the flow works without it (documented)
    while clock() < deadline:
        sleep(interval)
        try:
            response = application.post(application.token_url, grant, with_secret=with_secret)
            key = error_key(response)
            if key == "invalid_client" and application.client_secret and not with_secret:
                with_secret = True  # in case it doesn't
            elif key == "slow_down":
                interval += _SLOW_DOWN_SECONDS
            elif key != "authorization_pending":
                return _tokens(response)
        except (RetriableAPIError, requests.RequestException):
            interval += _SLOW_DOWN_SECONDS
    raise LoginError(_CODE_EXPIRED)


def _request_device_code(application: Application, scopes: Collection[str]) -> dict[str, Any]:
    """Return the response with the codes for a device.

    Raises:
        LoginError: The application gets none.
    """
    client = DeviceClient(application.client_id)
    url = client.prepare_request_uri(application.device_url, scope=" ".join(sorted(scopes)))
    form = dict(parse_qsl(url.partition("?")[2]))
    form.pop("client_id", None)
    response = application.post(application.device_url, form, with_secret=False)
    if error_key(response) == "invalid_client" and application.client_secret:
        response = application.post(application.device_url, form)
    if response.status_code != requests.codes.ok:
        message = (
            f"Can't get a device code ({response.status_code} {vendor_message(response)}). Check "
            "the client ID, and that the device flow is enabled for the application in the "
            "developer portal"
        )
        raise LoginError(message)
    body = body_of(response)
    if not {"device_code", "user_code", "verification_uri"} <= body.keys():
        raise LoginError("The response contains no device code. Check auth_url")
    return dict(body)


def _tokens(response: requests.Response) -> Tokens:
    """Return the tokens in a response, which must include a refresh token.

    Raises:
        LoginError: The response has none.
        RetriableAPIError: A retry may help.
    """
    if error_key(response) == "access_denied":
        raise AccessDenied(f"{_DENIED} ({vendor_message(response)})")
    if error_key(response) == "expired_token":
        raise LoginError(_CODE_EXPIRED)
    try:
        tokens = parse_tokens(response, None)
    except InvalidGrant as error:
        message = (
            f"Constant Contact rejected the code ({error}). A code works once, within five "
            "minutes, and only with the redirect URI that it was requested for. Sign in again"
        )
        raise LoginError(message) from error
    if not tokens["refresh_token"]:
        message = (
            "Constant Contact returned no refresh token. Check that the application is allowed the "
            "scope offline_access, or try without --device: not every flow returns one"
        )
        raise LoginError(message)
    return tokens


def _describe(error: OAuth2Error) -> str:
    return in_one_line(": ".join(filter(None, (error.error, error.description))))


def _seconds(value: Any, default: float) -> float:
    """Return a number of seconds, which may be given as a string of digits."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return default
