"""The flows of a sign-in: in a browser, by pasting the URL it ends at, or with a device code.

Each returns the application's tokens. oauthlib prepares the requests and parses the responses; it
doesn't use the network.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

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
from tap_constantcontact.auth import InvalidGrant, parse_tokens
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.login.application import Application
from tap_constantcontact.redaction import in_one_line
from tap_constantcontact.token_store import Tokens

# oauthlib never accepts http, not even for this machine, which the browser is redirected to. The
# settings are validated instead: they accept http for this machine only.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

_VERIFIER_LENGTH = 96
# Defaults for servers that don't say (RFC 8628, 3.2 and 3.5).
_POLL_SECONDS = 5.0
_SLOW_DOWN_SECONDS = 5.0
_DEVICE_CODE_SECONDS = 600.0

_DENIED = "Access was denied. Sign in again and allow access"
_CODE_EXPIRED = "The code was not entered in time. Try again"


def sign_in_with_browser(
    application: Application,
    scopes: Collection[str],
    redirect_uri: str,
    open_page: Callable[[str, str], str],
) -> Tokens:
    """Return the tokens for a code that the browser gets: authorization code with PKCE.

    Args:
        application: The application to sign in to.
        scopes: The scopes to request.
        redirect_uri: Where the browser is redirected to; must be registered for the application.
        open_page: Is called with the URL of the page to sign in on and with the state of the
            sign-in; returns the whole URL that the browser was redirected to.

    Raises:
        LoginError: Access was denied; the message says why.
    """
    client = WebApplicationClient(application.client_id)
    verifier = client.create_code_verifier(_VERIFIER_LENGTH)
    state = generate_token()
    url = client.prepare_request_uri(
        application.authorize_url,
        redirect_uri=redirect_uri,
        scope=" ".join(sorted(scopes)),
        state=state,
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
    )
    response_url = open_page(url, state)
    try:
        code = client.parse_request_uri_response(response_url, state)["code"]
    except AccessDeniedError as error:
        raise LoginError(f"{_DENIED} ({_describe(error)})") from error
    except OAuth2Error as error:
        message = (
            f"Constant Contact rejected the sign-in ({_describe(error)}). Check the application in "
            "the developer portal, then sign in again"
        )
        raise LoginError(message) from error
    form = client.prepare_request_body(
        code=code, redirect_uri=redirect_uri, code_verifier=verifier, include_client_id=False
    )
    try:
        return _tokens(application.post(application.token_url, dict(parse_qsl(form))))
    except RetriableAPIError as error:
        raise LoginError(f"{error}. No tokens were issued. Sign in again") from error
    except requests.RequestException as error:
        message = f"No response to the token request ({type(error).__name__}). Sign in again"
        raise LoginError(message) from error


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
        raise LoginError(f"{_DENIED} ({vendor_message(response)})")
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
